"""One request to an app, HTTP or WebSocket, and how it is answered."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from workers import Request, Response

from .. import tasks
from ..errors import ClientError
from ..refusals import refuse_client
from ..rules import failures
from ..runtime import JsProxy
from ..runtime.io_context import Hold
from ..usercode import FAILURES, call
from . import javascript
from .departures import ClientDisconnected, is_departure, let_go
from .reply import Message, Reply
from .scope import Scope

#: The extension of `send` by which `PartyServerMiddleware` answers with a room's own response.
ROOM_RESPONSE = "partyserver.response"

#: The status for a client that has gone before it had an answer, as nginx logs it.
_NOBODY_THERE = 499

Report = Callable[[BaseException], Awaitable[Response | None]]

#: The request that a task works for.
_mark: ContextVar[object] = ContextVar("partyserver.asgi.exchange")


class Exchange(ABC):
    """The app's `receive` and `send`, and what has come of them."""

    def __init__(self, request: Request, report: Report, method: str) -> None:
        #: Set when there is an answer, or when there will be none.
        self.decided: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        self.has_failed = False
        #: The status and the text of the answer to an app that has failed. The error itself is
        #: not kept: with its frames it would hold this exchange, and both what the app held.
        self.failure: tuple[int, str] | None = None
        #: The answer that `report` gives to the error.
        self.replacement: Response | None = None
        self._request = request.js_object
        self._report = report
        self._reply = Reply(method=method)
        self._left = False

    async def run(self, app: Any, scope: Scope) -> None:
        """Call the app; its exception is reported, unless it says only that the client has left."""
        _mark.set(object())
        earlier: set[asyncio.Task[Any]] | None = None
        try:
            await call(app, scope, self.receive, self.send)
            if not self.decided.done() and not self.client_has_left:
                raise RuntimeError("the app has returned without a response")
        except GeneratorExit:
            raise  # the task is being collected: nobody waits
        except BaseException as error:  # even a CancelledError: somebody waits for the answer
            await self._failed(error)
            earlier = asyncio.all_tasks()
        try:
            await self.end()
        except Exception as error:  # where another request has run the app's task on
            if not self.has_failed:
                await self._failed(error)
        self._decide()
        if earlier is not None:
            # In a task of its own: an answer that is still to be given does not wait for it.
            javascript.keep_alive(tasks.run(_let_generators_end(earlier)))

    async def _failed(self, error: BaseException) -> None:
        if self.client_has_left and is_departure(error):
            let_go(error)
            return
        self.has_failed = True
        try:
            if isinstance(error, ClientError) and self.tell(error):
                return
        except FAILURES as another:  # of a subclass without a message, or with one that is no text
            error = another
        self.replacement = await self._report(error)
        self.failure = failures.answer(error, debug=False)

    @abstractmethod
    async def receive(self) -> Message: ...

    @abstractmethod
    async def send(self, message: Message) -> None: ...

    @abstractmethod
    def tell(self, error: ClientError) -> bool:
        """Tell the client what the app has to say to it; False if it is too late for that."""

    @abstractmethod
    async def end(self) -> None:
        """The app has returned, or raised."""

    @property
    def client_has_left(self) -> bool:
        return self._left

    @abstractmethod
    def answer(self) -> JsProxy | None:
        """The JavaScript response, once it is decided; None if the app has not given one."""

    @property
    def is_replaceable(self) -> bool:
        """Whether another answer may stand in for the app's, which has not been taken yet."""
        return True

    def keep_alive(self, task: asyncio.Task[None]) -> None:
        """Let the app go on when the answer is out."""
        javascript.keep_alive(task)

    async def _send_body(self, message: Message) -> None:
        try:
            await self._reply.body(message)
        except OSError as error:
            self._left = True
            raise ClientDisconnected(str(error)) from None

    def _decide(self) -> None:
        if not self.decided.done():
            self.decided.set_result(None)


async def _let_generators_end(earlier: set[asyncio.Task[Any]]) -> None:
    """Wait for the `finally` of async generators that went with the app's exception.

    The event loop runs them in tasks of their own, for which the platform keeps no request.
    """
    while True:
        await asyncio.sleep(0)  # the loop begins what was freed
        others = asyncio.all_tasks() - earlier - {asyncio.current_task()}
        ends = [task for task in others if _is_of_this_request(task)]
        if not ends:
            return
        await asyncio.wait(ends)  # the loop logs what they raise


def _is_of_this_request(task: Any) -> bool:
    return task.get_context().get(_mark) is _mark.get()


class HttpExchange(Exchange):
    """An HTTP request: its body in as it arrives, the response out as it is made."""

    def __init__(self, request: Request, report: Report) -> None:
        super().__init__(request, report, request.js_object.method)
        self._body: javascript.BodyReader | None = javascript.BodyReader(self._request.body)
        self._gone: asyncio.Future[None] | None = None
        self._listeners: javascript.Listeners | None = None

    async def receive(self) -> Message:
        if self._body is not None:
            try:
                chunk = await self._body.read()
            except OSError:
                self._left = True
                return {"type": "http.disconnect"}
            if not chunk:
                self._body = None
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}
        await self._until_gone()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.client_has_left:
            raise ClientDisconnected("the client has disconnected")
        match message["type"]:
            case "http.response.start":
                self._reply.start(message)
                self._decide()
            case "http.response.body":
                await self._send_body(message)
            case other:
                raise RuntimeError(f"the app sent {other!r} in answer to an HTTP request")

    def tell(self, error: ClientError) -> bool:
        if self._reply.is_taken and not self.client_has_left:
            return False
        self.replacement = refuse_client(self._request, error, upgrading=False)
        return True

    async def end(self) -> None:
        if self.decided.done() and not self._reply.is_complete:
            await self._reply.break_off("the app has not finished its response")
        self._see_gone()

    @property
    def client_has_left(self) -> bool:
        return super().client_has_left or self._request.signal.aborted is True

    def answer(self) -> JsProxy | None:
        if self._reply.is_usable:
            return self._reply.take()
        return javascript.response(_NOBODY_THERE, [], None) if self.client_has_left else None

    async def _send_body(self, message: Message) -> None:
        try:
            await super()._send_body(message)
        finally:
            if self._reply.is_complete:
                self._see_gone()

    async def _until_gone(self) -> None:
        """Until the client has disconnected, or has its response."""
        if self._reply.is_complete or self.client_has_left:
            return
        if self._gone is None:
            self._gone = asyncio.get_event_loop().create_future()
            self._listeners = javascript.Listeners(
                self._request.signal, [("abort", lambda _: self._see_gone())]
            )
        hold = Hold()
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
