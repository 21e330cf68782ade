"""`Agent`: the public API of an agent, beside that of a room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Never

from ..environment import Env
from ..parts import attach
from ..reserved import life_of
from ..rules.agents import needs_attempt
from ..rules.retry import Backoff, Retry, retried
from ..runtime import platform
from ..schedule import Schedule
from ..server import Server
from ..usercode import call
from . import flags
from .callables import CallableInfo
from .hooks import AgentHooks
from .keepalive import KeepAliveMethods
from .part import AGENT, Core
from .queue import QueueMethods

if TYPE_CHECKING:
    from ..connection import Connection


def _core(server: Any) -> Core:
    core: Core = AGENT.of(server)
    return core


@attach(AGENT)
class AgentMethods(AgentHooks):
    """What an agent has beside a room with timers."""

    initial_state: ClassVar[Any]
    """The state of an agent that has none yet. It is stored when it is first read."""

    @property
    def state(self) -> Any:
        """The state, or None if there is none. A copy: changing it changes nothing.

        `set_state` and `change` change it.
        """
        return _core(self).state.value()

    @state.setter
    def state(self, _: Never) -> None:
        raise AttributeError(
            "self.state is a copy, and is not assigned to: use self.set_state(...), or "
            "with self.change()"
        )

    def set_state(self, state: Any) -> None:
        """Take another state, in the place of all of the old one: validate, store and send it.

        Every client hears of it, the one whose call this is in, too, before it has its answer.

        Args:
            state: JSON of at most 1,900,000 bytes.

        Raises:
            TypeError, ValueError: it is no such JSON. As after the other errors, the old state
                stands, and nobody has been told anything.
            ClientError: this is the event of a connection that is readonly.
            Exception: what `validate_state_change` has raised.
        """
        _core(self).state.set(state)

    def change(self) -> AbstractContextManager[Any]:
        """Change a state that is a dict or a list, as `set_state` does at the end of the block.

            with self.change() as state:
                state["count"] += 1

        If the block raises, nothing is changed. It changes the value that it is given: assigning
        another one to `state` changes nothing.

        Raises:
            ClientError: this is the event of a connection that is readonly. The block does not run.
            TypeError, ValueError, Exception: at the end of the block, as `set_state`.
            PartyServerError: something else has changed the state meanwhile, as while the block
                has awaited.
            TypeError: the state is neither a dict nor a list.
        """
        return _core(self).state.change()

    def set_connection_readonly(self, connection: Connection, readonly: bool = True) -> None:
        """Let a connection change no state any more, or let it. It is kept with its socket."""
        flags.set_flags(flags.checked(connection), flags.READONLY, readonly)

    def is_connection_readonly(self, connection: Connection) -> bool:
        """Whether it may change no state: see `should_connection_be_readonly`."""
        return flags.has(flags.checked(connection), flags.READONLY)

    def is_connection_protocol_enabled(self, connection: Connection) -> bool:
        """Whether it gets the agent's own frames: see `should_send_protocol_messages`."""
        return not flags.has(flags.checked(connection), flags.NO_PROTOCOL)

    async def retry(
        self,
        fn: Callable[..., Any],
        *,
        max_attempts: int | None = None,
        base_delay_ms: float | None = None,
        max_delay_ms: float | None = None,
        should_retry: Callable[[Exception, int], Any] | None = None,
    ) -> Any:
        """Call a function until it does not fail, and return what it does.

            text = await self.retry(lambda: fetch_text(url), max_attempts=5)

        It is all in memory: for what must survive an eviction there are `queue` and `schedule`.

        Each default is that of `options["retry"]`, or else of `partyserver.schedule.Retry()`: 3
        attempts, with waits of up to 100 milliseconds, and of 3,000 at most.

        Args:
            fn: plain or async. It is called with nothing; or, if it cannot be, with the number of
                the attempt, from 1.
            max_attempts: the first one included.
            base_delay_ms: the wait before attempt n+1 is a random time up to
                `base_delay_ms * 2 ** (n - 1)` milliseconds.
            max_delay_ms: the longest wait, in milliseconds.
            should_retry: called with the error, and the number of the next attempt, plain or
                async. What it returns decides whether that is made.

        Raises:
            Exception: what the last attempt has raised.
            ValueError: fewer than 1 attempt, or a wait that is not a positive number.
        """
        default = life_of(self).options.get("retry") or Retry()
        backoff = Backoff(
            max_attempts=default.max_attempts if max_attempts is None else max_attempts,
            base_delay_ms=default.base_delay_ms if base_delay_ms is None else base_delay_ms,
            max_delay_ms=default.max_delay_ms if max_delay_ms is None else max_delay_ms,
        )
        takes_attempt = needs_attempt(fn)

        async def attempt(number: int) -> Any:
            return await (call(fn, number) if takes_attempt else call(fn))

        async def may_be_tried_again(error: Exception, next_attempt: int) -> Any:
            return should_retry is None or await call(should_retry, error, next_attempt)

        return await retried(
            attempt,
            backoff,
            sleep=asyncio.sleep,
            random_fraction=platform.random_fraction,
            should_retry=may_be_tried_again,
        )

    async def destroy(self) -> None:
        """Delete all that the agent has stored, its timers and its queue, and end it.

        The call that destroys is answered, and others that still run are cut off; then the object
        is reset, and its connections break off. It begins anew, as one of this name that has never
        been, with the next request: also with that of a client that reconnects.
        """
        await _core(self).destroy()

    def get_callable_methods(self) -> dict[str, CallableInfo]:
        """The methods that clients may call, by their names, and what is known of them."""
        return _core(self).calls.infos()


class Agent(AgentMethods, QueueMethods, KeepAliveMethods, Schedule, Server[Env]):
    """A room with a state that its clients see, and methods that they call.

        from partyserver import agents

        class Counter(agents.Agent):
            initial_state = {"count": 0}

            @agents.callable
            def add(self, by: int) -> int:
                with self.change() as state:
                    state["count"] += by
                return self.state["count"]

    The npm package `agents` has its clients, for pages and React:

        const agent = useAgent({ agent: "counter", name: "lobby" });
        await agent.stub.add(1);

    It always hibernates, and has the timers of `Schedule`.
    """
