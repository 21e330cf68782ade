"""An app's HTTP response on its way out."""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any

from ..runtime import JsProxy
from . import headers, javascript

Message = dict[str, Any]

#: https://fetch.spec.whatwg.org/#null-body-status
_NULL_BODY_STATUSES = (204, 205, 304)


class ReplyState(Enum):
    EXPECTING_START = auto()
    EXPECTING_BODY = auto()
    COMPLETE = auto()
    BROKEN = auto()


class Reply:
    """Whole if the app is done with it at once, else a stream.

    The messages come from the app's task. `take` is called in another, when the response has
    been started and the app has run on to where it waits for something.
    """

    def __init__(self, *, method: str) -> None:
        self.state = ReplyState.EXPECTING_START
        self._method = method
        self._status = 0
        self._headers: javascript.Headers = []
        self._content = b""
        self._writer: javascript.BodyWriter | None = None
        #: Bytes: as announced, and as written to the stream so far.
        self._length: int | None = None
        self._written = 0
        #: Set when the stream is there to be written to.
        self._taken: asyncio.Future[None] = asyncio.get_event_loop().create_future()

    def start(self, message: Message) -> None:
        if self.state is not ReplyState.EXPECTING_START:
            raise RuntimeError(f"the response has begun already, and {message['type']!r} came")
        status = message["status"]
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise RuntimeError(
                f"a response's status is 200 to 599 on this platform, not {status!r}"
            )
        self._status = int(status)
        self._headers = headers.outgoing(message.get("headers") or ())
        self.state = ReplyState.EXPECTING_BODY

    async def body(self, message: Message) -> None:
        """Take a part of the body, and return when there is room for the next.

        Raises:
            OSError: the client has gone.
            RuntimeError: a stream has another length than its header says.
        """
        if self.state is not ReplyState.EXPECTING_BODY:
            begun = self.state is ReplyState.COMPLETE
            expected = "nothing more" if begun else "the response's start"
            raise RuntimeError(f"expected {expected}, and {message['type']!r} came")
        chunk = b"" if self._has_no_body else bytes(message.get("body", b""))
        if message.get("more_body", False):
            await self._write(chunk)
        else:
            self._count(chunk, is_last=True)
            self.state = ReplyState.COMPLETE
            await self._finish(chunk)

    def take(self) -> JsProxy:
        """The JavaScript response: with its body if that is complete."""
        if self._has_no_body:
            content = None
        elif self.state is ReplyState.COMPLETE:
            content = self._content
        else:
            self._length = headers.content_length(self._headers)
            self._writer = javascript.BodyWriter(self._length)
            content = self._writer.readable
        response = javascript.response(self._status, self._headers, content)
        self._taken.set_result(None)
        return response

    async def break_off(self, why: str) -> None:
        """The app will not finish the response."""
        self.state = ReplyState.BROKEN
        if self._writer is not None:
            await self._writer.abort(why)

    @property
    def is_usable(self) -> bool:
        """Whether there is something to `take`."""
        return self.state in (ReplyState.EXPECTING_BODY, ReplyState.COMPLETE)

    @property
    def is_taken(self) -> bool:
        """Whether it is on its way to the client."""
        return self._taken.done()

    @property
    def is_complete(self) -> bool:
        return self.state is ReplyState.COMPLETE

    @property
    def _has_no_body(self) -> bool:
        return self._method == "HEAD" or self._status in _NULL_BODY_STATUSES

    async def _write(self, chunk: bytes) -> None:
        await self._taken
        if self._writer is not None:
            self._count(chunk)
            await self._writer.write(chunk)

    async def _finish(self, chunk: bytes) -> None:
        if self._writer is None:
            self._content = chunk
            return
        await self._writer.write(chunk)
        await self._writer.close()

    def _count(self, chunk: bytes, *, is_last: bool = False) -> None:
        """Raise for a wrong length before the platform does: it ends the request without a word."""
        if self._writer is None or self._length is None:
            return
        self._written += len(chunk)
        if self._written > self._length:
            raise RuntimeError(
                f"the response is longer than its content-length of {self._length} bytes"
            )
        if is_last and self._written < self._length:
            raise RuntimeError(
                f"the response has only {self._written} of the {self._length} bytes of its "
                "content-length"
            )
