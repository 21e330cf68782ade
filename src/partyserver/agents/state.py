"""The state of an agent: one JSON value, which is stored, and sent whenever it changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .. import tasks
from ..errors import ClientError, ConnectionClosedError, PartyServerError
from ..rules import agents as rules
from ..rules.messages import parse_json, parse_own_json
from ..runtime import JsException, events, platform
from ..tables import Table
from ..usercode import FAILURES, call_plain, finish, is_pending
from . import flags
from .current import current_event
from .hooks import defines

if TYPE_CHECKING:
    from ..connection import Connection, RoomConnection
    from ..life import Life

#: What an agent without an initial state has for it: None is a state.
NONE: Final = object()

#: Changes that one change may lead to, where hooks change the state themselves.
_MOST_CALLS = 100

_STATE = Table("agent_state", "id integer primary key, state text not null")
_READ = "select state from {table} where id = 0"
_WRITE = "insert or replace into {table} values (0, ?)"
_WRITE_HERE = _WRITE.replace("{table}", _STATE.name)
_DELETE = "delete from {table}"


class State:
    """The state of one agent, in one life of it."""

    __slots__ = (
        "_calls", "_is_read", "_life", "_notifies", "_revision", "_silent", "_text", "_validates"
    )  # fmt: skip

    def __init__(self, life: Life, silent: flags.Silent) -> None:
        self._life = life
        self._silent = silent
        # Where a hook is the default, nothing is made for it.
        self._validates = defines(type(life.server), "validate_state_change")
        self._notifies = defines(type(life.server), "on_state_changed")
        #: As JSON, once it has been read; None is no state.
        self._text: str | None = None
        self._is_read = False
        #: Counts changes, for `change`.
        self._revision = 0
        #: Hooks that are still to be called, where one is being called.
        self._calls: deque[tuple[Any, Any]] | None = None

    # --- reading ----------------------------------------------------------------------

    def text(self) -> str | None:
        """The state as JSON; None if there is none.

        The first time that it is asked for, the initial one is stored, and sent as any change.
        """
        if not self._is_read:
            self._text = self._stored()
            self._is_read = True
        if self._text is None:
            initial = getattr(self._life.server, "initial_state", NONE)
            if initial is not NONE:
                self._change(rules.state_json(initial), "server", None)
        return self._text

    def value(self) -> Any:
        """A copy."""
        text = self.text()
        return None if text is None else parse_own_json(text)

    def _stored(self) -> str | None:
        rows = _STATE.read(self._life.ctx, _READ)
        if not rows:
            return None
        text = rows[0]["state"]
        try:
            parse_json(text)
        except (TypeError, ValueError) as error:
            platform.log_error(
                f"{self._life.label}: the stored state cannot be read ({error}), and the agent "
                "goes back to its initial state"
            )
            _STATE.read(self._life.ctx, _DELETE)
            return None
        return text  # type: ignore[no-any-return]

    def forget(self) -> None:
        """It has been deleted with all else."""
        self._text, self._is_read = None, False
        self._revision += 1

    def read_again(self) -> None:
        """Take what is stored now and, if that is another state, have everybody hear of it."""
        if not self._is_read:
            return
        before, text = self._text, self._stored()
        if text == before:
            return
        self._go_back(text)
        if text is None:
            self.text()  # the initial one, if there is one
        else:
            self._announce(text, before)

    # --- changing ---------------------------------------------------------------------

    def set(self, value: Any) -> None:
        """A change by the agent's own code, of which everybody hears."""
        text = rules.state_json(value)
        self._check_may_set()
        self.text()  # the initial one comes first
        self._validate(text, "server")
        self._change(text, "server", None)

    def _check_may_set(self) -> None:
        event = current_event()
        connection = None if event is None else event.connection
        if (
            event is not None
            and connection is not None
            and event.server is self._life.server
            and event.is_running_here
            and flags.has(connection, flags.READONLY)
        ):
            raise ClientError(rules.IS_READONLY)

    @contextmanager
    def change(self) -> Iterator[Any]:
        self._check_may_set()  # before the block has done anything
        value = self.value()
        if not isinstance(value, dict | list):
            kind = "there is none" if self._text is None else f"it is {value!r}"
            raise TypeError(f"change() changes a dict or a list, and {kind}: use set_state")
        revision = self._revision
        yield value
        if self._revision != revision:
            raise PartyServerError(
                "the state has changed while change() was changing it: await nothing, and set no "
                "state, inside of its block"
            )
        self.set(value)

    def receive(self, connection: RoomConnection, given: Any) -> None:
        """A client sets the state."""
        try:
            value, text = self._asked_for(connection, given)
            self.text()
            self._validate(text, connection)
        except FAILURES as error:
            told = rules.told_by(error)
            if told is None:
                self._life.report("validate_state_change", error)
            self._refuse(connection, rules.REJECTED if told is None else told)
            return
        # After a merge the sender has but the patch.
        without = connection if value == given else None
        try:
            self._change(text, connection, without)
        except FAILURES as error:  # it cannot be stored
            self._life.report("a client's change of the state", error)
            self._refuse(connection, rules.REJECTED)

    def _asked_for(self, connection: RoomConnection, given: Any) -> tuple[Any, str]:
        """The state that a client wants, and its JSON."""
        how = self._life.options.get("client_state", "replace")
        if flags.has(connection, flags.READONLY):
            raise ClientError(rules.IS_READONLY)
        if how == "refuse":
            raise ClientError(rules.REJECTED)
        value = rules.merged(self.value(), given) if how == "merge" else given
        try:
            return value, rules.state_json(value, was_json=True)
        except ValueError as error:  # it is too large
            raise ClientError(str(error)) from None

    def _refuse(self, connection: RoomConnection, told: str) -> None:
        """Tell a client, which has the state already that it wanted, and give it the true one."""
        with suppress(ConnectionClosedError):
            connection.send(rules.state_error_frame(told))
            if flags.has(connection, flags.NO_PROTOCOL):
                return
            state = self.text()
            if state is not None:
                connection.send(rules.state_frame(state))

    def _validate(self, text: str, source: Connection | str) -> None:
        if self._validates:
            server: Any = self._life.server
            value = parse_own_json(text)
            call_plain("validate_state_change", server.validate_state_change, value, source)

    def _change(self, text: str, source: Connection | str, without: RoomConnection | None) -> None:
        self._store(text)
        before, self._text, self._is_read = self._text, text, True
        self._revision += 1
        self._announce(text, before, source, without)

    def _store(self, text: str) -> None:
        try:
            self._life.exec_sql(_WRITE_HERE, text)
        except JsException:  # there is no table yet; or else this fails as well
            _STATE.write(self._life.ctx, _WRITE, text)

    def _announce(
        self,
        text: str,
        before: str | None,
        source: Connection | str = "server",
        without: RoomConnection | None = None,
    ) -> None:
        transaction = self._life.transaction
        if transaction is None:
            self._tell(text, source, without)
        else:  # what may be undone nobody has heard of
            tell = partial(self._tell, text, source, without)
            transaction.at_end(tell, partial(self._go_back, before))

    def _go_back(self, text: str | None) -> None:
        self._text = text
        self._revision += 1

    # --- telling ----------------------------------------------------------------------

    def _tell(self, text: str, source: Connection | str, without: RoomConnection | None) -> None:
        excluded: tuple[Any, ...] = (*self._silent.open(),)
        if without is not None:
            excluded = (*excluded, without)
        self._life.connections.broadcast(rules.state_frame(text), excluded)
        if not self._notifies:
            return
        if self._calls is not None:
            # The hook has changed the state: it hears of this when it has returned.
            self._calls.append((text, source))
            return
        self._calls = waiting = deque([(text, source)])
        try:
            for _ in range(_MOST_CALLS):
                self._call_hook(*waiting.popleft())
                if not waiting:
                    return
            self._life.report(
                "on_state_changed", RecursionError("on_state_changed sets the state without end")
            )
        finally:
            self._calls = None

    def _call_hook(self, text: str, source: Any) -> None:
        life = self._life
        server: Any = life.server
        try:
            result = server.on_state_changed(parse_own_json(text), source)
            if is_pending(result):
                task = tasks.run(finish(result, life.report, "on_state_changed"))
                events.wait_until(life.ctx, task)
        except FAILURES as error:
            life.report("on_state_changed", error)
