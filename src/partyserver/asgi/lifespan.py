"""An app's lifespan: its startup, once per isolate.

There is no shutdown: an isolate goes without a word.
https://asgi.readthedocs.io/en/latest/specs/lifespan.html
"""

from __future__ import annotations

import asyncio
from typing import Any

from .. import tasks
from ..runtime import platform
from ..usercode import FAILURES, call
from . import javascript
from .reply import Message
from .scope import LIFESPAN_ASGI
from .threads import run_inline

_ATTRIBUTE = "_partyserver_lifespan"


class StartupFailed(RuntimeError):
    """The app says that it cannot start."""


class Lifespan:
    """Starts an app before its first request; one that fails is started by the next request."""

    def __init__(self, app: Any) -> None:
        self.state: dict[str, Any] = {}
        self.app = app
        self._started = False
        self._task: asyncio.Task[None] | None = None
        #: Fulfilled when the start that is under way has ended, well or badly.
        self._ended: Any = None

    async def start(self) -> None:
        """Return when the app has started.

        Raises:
            StartupFailed: it cannot.
        """
        while self._ended is not None:  # another request is starting it
            await self._ended
        if not self._started:
            await self._run()

    async def _run(self) -> None:
        outcome: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.state.clear()
        run_inline()
        # Held, since the loop holds tasks weakly: the app waits in there for a shutdown.
        self._task = tasks.run(self._call_app(outcome))
        if not outcome.done():
            self._ended, end = javascript.shared_promise()
            javascript.keep_alive(tasks.run(_ignore(outcome)))
            try:
                await outcome
            finally:
                self._ended = None
                end(None)
        outcome.result()
        self._started = True

    async def _call_app(self, outcome: asyncio.Future[None]) -> None:
        events: list[Message] = [{"type": "lifespan.startup"}]

        async def receive() -> Message:
            if not events:
                await asyncio.get_event_loop().create_future()  # for ever
            return events.pop()

        async def send(message: Message) -> None:
            match message["type"]:
                case "lifespan.startup.complete":
                    outcome.set_result(None)
                case "lifespan.startup.failed":
                    text = message.get("message") or "no reason given"
                    outcome.set_exception(StartupFailed(f"the app cannot start: {text}"))

        scope = {"type": "lifespan", "asgi": LIFESPAN_ASGI, "state": self.state}
        try:
            await call(self.app, scope, receive, send)
        except FAILURES as error:
            if not outcome.done():  # the protocol's way to say that it is not supported
                platform.log_info(f"the app takes no lifespan events ({error!r})")
        if not outcome.done():
            outcome.set_result(None)


async def _ignore(outcome: asyncio.Future[None]) -> None:
    await asyncio.wait([outcome])


#: For apps that are built of what takes no attributes, such as a bound method.
_others: dict[int, Lifespan] = {}


def lifespan_of(app: Any) -> Lifespan:
    """The app's only one. It stands on the app itself, to go with it: a room may own an app."""
    lifespan = _lifespan_on(app) or _others.get(id(app))
    if lifespan is None or lifespan.app is not app:
        lifespan = Lifespan(app)
        try:
            setattr(app, _ATTRIBUTE, lifespan)
        except Exception:
            _others[id(app)] = lifespan
    return lifespan


def _lifespan_on(app: Any) -> Lifespan | None:
    try:  # an app's own code may answer
        known = getattr(app, _ATTRIBUTE, None)
    except Exception:
        return None
    return known if isinstance(known, Lifespan) else None
