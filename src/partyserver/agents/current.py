"""Whose event runs: the agent, the connection and the request that it is of."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from .. import attribution
from ..runtime.io_context import current as current_io_context
from ..usercode import finish

if TYPE_CHECKING:
    from workers import Request

    from ..connection import Connection


class Event:
    """What runs now in an agent. Tasks that it starts inherit it."""

    __slots__ = ("connection", "is_over", "request", "server", "task")

    def __init__(
        self,
        server: Any,
        connection: Connection | None = None,
        request: Request | None = None,
        task: Any = None,
    ) -> None:
        self.server = server
        self.connection = connection
        self.request = request
        #: The one that it runs in: None where there is none, `WHATEVER` where only the library
        #: knows.
        self.task = task
        self.is_over = False

    @property
    def is_running_here(self) -> bool:
        """Whether this is the event itself, and no task that it has started."""
        if self.is_over:
            return False
        task = asyncio.current_task(asyncio.get_event_loop())
        if self.task is not WHATEVER:
            return task is self.task
        return task is None or getattr(task.get_coro(), "cr_code", None) is finish.__code__


#: Of a message that goes to a hook: the library runs that, in a task of its own if it awaits.
WHATEVER: Final = object()

attribution.want()  # of messages

_event: ContextVar[Event | None] = ContextVar("agent_event", default=None)


def begin(event: Event) -> Event:
    """From here on, in this context, it is this event that runs."""
    _event.set(event)
    return event


def current_event() -> Event | None:
    """The event that runs, or that has started what runs."""
    event = _event.get()
    if event is not None:
        return event
    context = current_io_context.get()
    life = None if context is None or context.owner is None else context.owner()
    if life is None:
        return None
    return Event(life.server, attribution.current.get(), task=WHATEVER)


@dataclass(frozen=True, slots=True)
class CurrentAgent:
    """Whose event runs.

    Attributes:
        agent: the agent; None outside of one.
        connection: the connection that the event is of, if it is of one.
        request: the request, in `on_request` and in the hooks of a new connection.
    """

    agent: Any = None
    connection: Connection | None = None
    request: Request | None = None


def current_agent() -> CurrentAgent:
    """The agent that runs, for functions that are called by its hooks and methods.

        async def search(query: str):
            agents.current_agent().agent.broadcast(f"searching {query}")

    Tasks that these start inherit it.
    """
    event = current_event()
    if event is None:
        return CurrentAgent()
    return CurrentAgent(event.server, event.connection, event.request)
