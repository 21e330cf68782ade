"""Where JavaScript leaves a long text for Python, which would take it a character at a time."""

from __future__ import annotations

from functools import cache
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from . import javascript

#: Characters. Shorter texts come to Python sooner as they are.
LONG_TEXT = 8192
#: Bytes of UTF-8; a text that has more comes as it is.
_CAPACITY = 1024 * 1024
#: Bytes that a text may leave free when the next character, which has up to 4, did not fit.
_MAY_BE_CUT = 3
#: Characters. A text that has more must not stay in memory until another comes.
MUCH_TEXT = 64 * 1024

#: What `TextEncoder` makes of a binary message.
_BUFFER = "[object ArrayBuffer]"


class Box:
    """Takes a message without making anything of it in Python, and has its text as UTF-8.

    `TextEncoder` writes that into a `bytearray`'s memory, by a pipe of JavaScript's own functions,
    at whose end Python gets the number of bytes. The message itself is in the box until `empty`.
    """

    def __init__(self) -> None:
        tools = javascript.tools()
        encoder = js.TextEncoder.new()
        self._bytes = bytearray(_CAPACITY)
        self._slice = memoryview(self._bytes)
        self._memory = create_proxy(self._bytes)
        self._view: JsProxy | None = None
        self._content = js.Array.of(None)
        # [message, memory]: what is not its own it finds in `_content`.
        self._message_and_memory = js.Object.create(self._content)
        self._message_and_memory.length = 2
        self._find_memory()
        apply, of = js.Reflect.apply, tools.member
        put = self._put = tools.bind(of(js.Array.prototype, "fill"), self._content)
        self._apply, self._send = apply, js.WebSocket.prototype.send
        self._payload = tools.bind(apply, None, js.Object, None, self._content)
        self._take_in = tools.pipe(
            put,
            tools.bind(apply, None, encoder.encodeInto, encoder, self._message_and_memory),
            of(js.Object, "values"),
            tools.bind(tools.call_function, of(js.Array.prototype, "pop")),
        )

    def before(self, receive: JsProxy) -> JsProxy:
        """What has a handler's place, puts a message into the box, and gives `receive` its size."""
        tools = javascript.tools()
        taken_in = tools.pipe(self._take_in, tools.bind(tools.call, receive, None))
        # It is called with options, which this drops, as the `this` that nobody asks for.
        return tools.bind(tools.call_function, taken_in)  # type: ignore[no-any-return]

    def works(self) -> bool:
        """Whether what Python gets is what was put in."""
        texts = ["", "é€😀"]
        try:
            if any(self.take(self._take_in(text)) != text for text in texts):
                return False
            return bool(self.take(self._take_in(js.ArrayBuffer.new(1))).to_bytes() == b"\0")
        finally:
            self.empty()

    def take(self, size: int) -> Any:
        """The text whose size JavaScript gave, or else the buffer that is in the box."""
        if 0 < size < _CAPACITY - _MAY_BE_CUT:
            text = str(self._slice[:size], "utf-8")
            if text != _BUFFER:
                return text
        elif size == 0:
            self._find_memory()  # which has moved if WebAssembly's has grown
        return self._content[0]

    def payload(self) -> JsProxy:
        """The text in the box as an object, JavaScript's `String`, which `send` takes."""
        return self._payload()  # type: ignore[no-any-return]

    def send(self, socket: JsProxy) -> None:
        """`socket.send` what is in the box."""
        self._apply(self._send, socket, self._content)

    def empty(self) -> None:
        self._put(None)

    def _find_memory(self) -> None:
        before, self._view = self._view, self._memory.getBuffer("u8")
        setattr(self._message_and_memory, "1", self._view.data)
        if before is not None:
            before.release()


@cache
def box() -> Box | None:
    """The one box of the process, if it works here; Python runs one event at a time."""
    try:
        made = Box()
        return made if made.works() else None
    except (AttributeError, MemoryError, TypeError, ValueError, JsException):
        return None
