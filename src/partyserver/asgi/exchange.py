"""One request to an app, HTTP or WebSocket, and how it is answered."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from workers import Request, Response

from .. import runtime
from . import javascript
from .reply import Message, Reply
from .scope import Scope

#: The extension of `send` by which `PartyServerMiddleware` answers with a room's own response.
ROOM_RESPONSE = "partyserver.response"


Report = Callable[[BaseException], Awaitable[Response | None]]


class Exchange(ABC):
    """The app's `receive` and `send`, and what has come of them."""

    def __init__(self, request: Request, report: Report) -> None:
        #: Set when there is an answer, or when there will be none.
        self.decided: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.error: BaseException | None = None
        #: The answer that `report` gives to the error.
        self.replacement: Response | None = None
        self._request = request.js_object
        self._report = report

    async def run(self, app: Any, scope: Scope) -> None:
        """Call the app; its exception is kept in `error`, and reported."""
        try:
            await app(scope, self.receive, self.send)
            if not self.decided.done():
                raise RuntimeError("the app has returned without a response")
        except BaseException as error:  # even a CancelledError: somebody waits for the answer
            self.error = error
            self.replacement = await self._report(error)
        await self.end()
        self._decide()

    @abstractmethod
    async def receive(self) -> Message: ...

    @abstractmethod
    async def send(self, message: Message) -> None: ...

    @abstractmethod
    async def end(self) -> None:
        """The app has returned, or raised `error`."""

    @abstractmethod
    def answer(self) -> runtime.JsProxy | None:
        """The JavaScript response, once it is decided; None if the app has not given one."""

    @property
    def is_replaceable(self) -> bool:
        """Whether another answer may stand in for the app's, which has not been taken yet."""
        return True

    def keep_alive(self, task: asyncio.Task[None]) -> None:
        """Let the app go on when the answer is out."""
        javascript.keep_alive(task)

    def _decide(self) -> None:
        if not self.decided.done():
            self.decided.set_result(None)


class ClientDisconnected(OSError):
    """What `send` raises when nobody is left to send to."""


class HttpExchange(Exchange):
    """An HTTP request: its body in as it arrives, the response out as it is made."""

    def __init__(self, request: Request, report: Report) -> None:
        super().__init__(request, report)
        self._reply = Reply(method=self._request.method)
        self._body: javascript.BodyReader | None = javascript.BodyReader(self._request.body)
        self._gone: asyncio.Future[None] | None = None
        self._listeners: javascript.Listeners | None = None

    async def receive(self) -> Message:
        if self._body is not None:
            try:
                chunk = await self._body.read()
            except OSError:
                return {"type": "http.disconnect"}
            if not chunk:
                self._body = None
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}
        await self._until_gone()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self._request.signal.aborted:
            raise ClientDisconnected("the client has disconnected")
        match message["type"]:
            case "http.response.start":
                self._reply.start(message)
                self._decide()
            case "http.response.body":
                await self._send_body(message)
            case other:
                raise RuntimeError(f"the app sent {other!r} in answer to an HTTP request")

    async def end(self) -> None:
        if self.decided.done() and not self._reply.is_complete:
            await self._reply.break_off("the app has not finished its response")
        self._see_gone()

    def answer(self) -> runtime.JsProxy | None:
        return self._reply.take() if self._reply.is_usable else None

    async def _send_body(self, message: Message) -> None:
        try:
            await self._reply.body(message)
        except OSError as error:
            raise ClientDisconnected(str(error)) from None
        finally:
            if self._reply.is_complete:
                self._see_gone()

    async def _until_gone(self) -> None:
        """Until the client has disconnected, or has its response."""
        if self._reply.is_complete or self._request.signal.aborted:
            return
        if self._gone is None:
            self._gone = asyncio.get_event_loop().create_future()
            self._listeners = javascript.Listeners(
                self._request.signal, [("abort", lambda _: self._see_gone())]
            )
        hold = javascript.Hold()
        try:
            await asyncio.shield(self._gone)
        finally:
            hold.release()

    def _see_gone(self) -> None:
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._listeners is not None:
            self._listeners.remove()
            self._listeners = None
