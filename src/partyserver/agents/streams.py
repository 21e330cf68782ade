"""The answer to a call that streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ConnectionClosedError
from ..rules import agents as rules

if TYPE_CHECKING:
    from ..connection import Connection


class StreamingResponse:
    """What a callable with `streaming=True` answers by: chunks, and an end.

        @agents.callable(streaming=True)
        async def count_to(self, stream: agents.StreamingResponse, n: int):
            for number in range(n):
                stream.send(number)
            stream.end("done")

    A call stays open until `end` or `error`, also after its method has returned None; what else a
    method returns ends the call, as with `end`. After that, and when the client has gone, nothing
    is sent any more.
    """

    __slots__ = ("_connection", "_head", "_id", "_is_closed")

    def __init__(self, connection: Connection, id: str) -> None:
        self._connection = connection
        self._id = id
        self._head = rules.chunk_head(id)
        self._is_closed = False

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent: it has ended, or its client has gone."""
        return self._is_closed or not self._connection.is_open

    def send(self, chunk: Any) -> bool:
        """Send a chunk, which is JSON; whether it was sent.

        Raises:
            TypeError, ValueError: JSON cannot hold it.
        """
        if self._is_closed:
            return False
        try:  # as `_send`, which would be one call more for each chunk
            self._connection.send(rules.chunk_frame(self._head, chunk))
        except ConnectionClosedError:
            return False
        return True

    def end(self, final: Any = None) -> bool:
        """End the call, with a last value that its caller gets as the result; whether that did."""
        return not self._is_closed and self._end(rules.result_frame(self._id, final))

    def error(self, message: str) -> bool:
        """End the call with an error, whose text the client gets; whether that did."""
        if not isinstance(message, str):
            raise TypeError(f"an error's message is a str, not {type(message).__name__}")
        return not self._is_closed and self._end(rules.error_frame(self._id, message))

    def _end(self, frame: str) -> bool:
        self._is_closed = True
        return self._send(frame)

    def _send(self, frame: str) -> bool:
        try:
            self._connection.send(frame)
        except ConnectionClosedError:
            return False
        return True
