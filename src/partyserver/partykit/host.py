"""The Durable Object behind a party."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import new_class
from typing import TYPE_CHECKING, Any, ClassVar

from workers import Request

from ..connection import Connection
from ..parts import Part, mixins_of, parts_of
from ..reserved import give_life, life_of
from ..server import Server as CoreServer
from ..upgrade import ConnectionContext
from .contract import HOOKS, taking
from .definition import arguments_of, project_of
from .room import Room
from .storage import RawStorage, Storage

if TYPE_CHECKING:
    from .server import Server

Hook = Callable[..., Any]


class Host(CoreServer):
    """A `partyserver.Server` whose hooks call those of a party, with PartyKit's arguments."""

    _party_class: ClassVar[type[Server]]

    def on_start(self, props: Any = None) -> Any:
        cls, life = self._party_class, life_of(self)
        raw = life.ctx.storage
        if life.parts.all:  # which may have the alarm
            raw = RawStorage(raw, self.ctx.storage)
        party = self._party = life.owner = cls(Room(self, project_of(cls), Storage(raw)))
        if "options" in getattr(party, "__dict__", ()):
            raise TypeError(
                f"{cls.__name__} sets self.options, which is too late; make options an attribute "
                'of the class: options = {"hibernate": True}'
            )
        if life.parts.all:
            give_life(party, life)
        hook = partial(_hook, party)
        self._on_connect = hook("on_connect")
        self._on_message = hook("on_message")
        self._on_rate_limited = hook("on_rate_limited")
        self._on_close = hook("on_close")
        self._on_error = hook("on_error", super().on_error)
        self._on_request = hook("on_request", super().on_request)
        self._on_alarm = hook("on_alarm", super().on_alarm)
        self._get_connection_tags = hook("get_connection_tags")
        return party.on_start()

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> Any:
        return self._on_connect(connection, ctx)

    def on_message(self, connection: Connection, message: str | bytes) -> Any:
        return self._on_message(message, connection)

    def on_rate_limited(self, connection: Connection) -> Any:
        return self._on_rate_limited(connection)

    def on_close(self, connection: Connection, code: int, reason: str, was_clean: bool) -> Any:
        return self._on_close(connection)

    def on_error(self, connection: Connection, error: Exception) -> Any:
        return self._on_error(connection, error)

    def on_request(self, request: Request) -> Any:
        return self._on_request(request)

    def on_alarm(self) -> Any:
        return self._on_alarm()

    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> Any:
        return self._get_connection_tags(connection, ctx)


def host_class(cls: type[Server]) -> type[Host]:
    """The host of a party's class: with its options, its mixins, and its name for the log.

    Raises `TypeError` for a mixin that a party cannot have.
    """
    for part in parts_of(cls).all:
        if not _works_behind_a_host(part):
            raise TypeError(
                f"{cls.__name__}: {part.name} is for a partyserver.Server; "
                "a partykit.Server cannot have it"
            )
    members = {"options": cls.options, "_party_class": cls, "__module__": cls.__module__}
    return new_class(
        cls.__name__, (*mixins_of(cls), Host), exec_body=lambda body: body.update(members)
    )


def _works_behind_a_host(part: Part) -> bool:
    """Others see the host's class and hooks, and not the party's."""
    sees = (part.define, part.connecting, part.accepted, part.message, part.closed)
    return not part.hooks and all(handler is None for handler in sees)


def _hook(party: Any, name: str, default: Hook = lambda *_: None) -> Hook:
    """The party's own hook, or the `default` for one that it does not define."""
    taken = arguments_of(type(party)).get(name)
    if taken is None:
        return default
    return taking(getattr(party, name), taken, len(HOOKS[name]))
