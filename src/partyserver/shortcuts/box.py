"""Where JavaScript leaves a message for Python, which would have it in a slower way."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from . import javascript

if TYPE_CHECKING:
    from mmap import mmap

#: Characters. Shorter texts come to Python sooner as they are.
LONG_TEXT = 8192
#: Bytes of UTF-8; a text that has more comes as it is.
_MUCH_TEXT = 1024 * 1024
#: Bytes that a text may leave free when the next character, which has up to 4, did not fit.
_MAY_BE_CUT = 3
#: Bytes; a binary message that has more comes as it is.
_MUCH_BINARY = 64 * 1024
#: Bytes, or characters. A message that has more must not stay in memory until another comes.
MUCH_TO_KEEP = 64 * 1024

#: What `TextEncoder` makes of a binary message.
_BUFFER = "[object ArrayBuffer]"


class Content:
    """A message that is in JavaScript only, until the next one comes or it is dropped."""

    def __init__(self) -> None:
        tools = javascript.tools()
        self.array = js.Array.of(None)
        self.put = tools.bind(tools.member(js.Array.prototype, "fill"), self.array)
        self._apply, self._send = js.Reflect.apply, js.WebSocket.prototype.send
        self._payload = self.given_to(js.Object)

    def given_to(self, function: JsProxy) -> JsProxy:
        """What calls `function` with the message, whatever it is called with itself."""
        bound: JsProxy = javascript.tools().bind(self._apply, None, function, None, self.array)
        return bound

    def message(self) -> Any:
        """The message as Pyodide brings it to Python."""
        return self.array[0]

    def payload(self) -> JsProxy:
        """The message as an object, a text as JavaScript's `String`; `send` takes both."""
        return self._payload()  # type: ignore[no-any-return]

    def sender(self, socket: JsProxy) -> Callable[[], None]:
        """What has `socket` send the message that is there when it is called."""
        tools = javascript.tools()
        bound: Callable[[], None] = tools.bind(self._apply, None, self._send, socket, self.array)
        return bound

    def drop(self) -> None:
        self.put(None)


#: The one of the process: Python runs one event at a time.
content = cache(Content)


class Box:
    """Copies messages to memory of Python's, by pipes of JavaScript's own functions."""

    #: How many messages of its kind make up for one of another.
    pays_after: ClassVar[int]

    def __init__(self, memory: bytearray | mmap) -> None:
        self.content = content()
        self._memory = create_proxy(memory)
        self._view: JsProxy | None = None

    def _find_memory(self) -> JsProxy:
        """JavaScript's view of the memory, which has moved if WebAssembly's has grown."""
        before, self._view = self._view, self._memory.getBuffer("u8")
        if before is not None:
            before.release()
        view: JsProxy = self._view.data
        return view


class TextBox(Box):
    """For long texts, of which Pyodide would take one character at a time.

    `TextEncoder` writes UTF-8, and Python gets the number of bytes.
    """

    pays_after = 1

    def __init__(self) -> None:
        memory = bytearray(_MUCH_TEXT)
        super().__init__(memory)
        self._slice = memoryview(memory)
        tools = javascript.tools()
        encoder, of = js.TextEncoder.new(), tools.member
        # [message, memory]: what is not its own it finds in the content.
        self._arguments = js.Object.create(self.content.array)
        self._arguments.length = 2
        self._set_memory()
        self._take_in = tools.pipe(
            self.content.put,
            tools.bind(js.Reflect.apply, None, encoder.encodeInto, encoder, self._arguments),
            of(js.Object, "values"),
            tools.bind(tools.call_function, of(js.Array.prototype, "pop")),
        )

    def before(self, receive: JsProxy) -> JsProxy:
        """What has a handler's place, takes a message in, and gives `receive` its size."""
        tools = javascript.tools()
        taken_in = tools.pipe(self._take_in, tools.bind(tools.call, receive, None))
        return tools.handler(taken_in)

    def take(self, size: int) -> Any:
        """The text whose size JavaScript gave; or else what is there, as Pyodide brings it."""
        if 0 < size < _MUCH_TEXT - _MAY_BE_CUT:
            text = str(self._slice[:size], "utf-8")
            if text != _BUFFER:
                return text
        elif size == 0:
            self._set_memory()
        return self.content.message()

    def works(self) -> bool:
        """Whether what Python gets is what was put in."""
        texts = ["", "é€😀"]
        if any(self.take(self._take_in(text)) != text for text in texts):
            return False
        return bool(self.take(self._take_in(js.ArrayBuffer.new(1))).to_bytes() == b"\0")

    def _set_memory(self) -> None:
        setattr(self._arguments, "1", self._find_memory())


class BufferBox(Box):
    """For binary messages, of which Pyodide would make an object, with a dozen look-ups.

    Python is called with nothing, and has the message taken in itself: that fails for a text,
    among others, and a failure before Python is called would be nobody's to catch.
    """

    pays_after = 16  # each gains some microseconds; a text costs an exception (2026-11-21)

    def __init__(self) -> None:
        import mmap  # a worker that gets no binary messages need not start with it

        self._bytes = mmap.mmap(-1, _MUCH_BINARY)  # whose slices are `bytes` at once
        super().__init__(self._bytes)
        tools = javascript.tools()
        self._size = self.content.given_to(tools.byte_length)
        self._as_bytes = tools.bind(
            js.Reflect.construct, None, js.Uint8Array, self.content.array, js.Uint8Array
        )
        self._set_memory()

    def before(self, receive: JsProxy) -> JsProxy:
        """What has a handler's place, and calls `receive` when the message can be taken."""
        tools = javascript.tools()
        return tools.handler(tools.pipe(self.content.put, tools.bind(tools.call, receive)))

    def take(self) -> Any:
        """The bytes of the message; or else what is there, as Pyodide brings it."""
        try:
            return self._bytes[: self._take_in()]
        except JsException:
            return self._take_otherwise()

    def _take_otherwise(self) -> Any:
        message = self.content.message()
        if type(message) is str or message.byteLength > _MUCH_BINARY:
            return message
        self._set_memory()
        return message.to_bytes()

    def works(self) -> bool:
        """Whether what Python gets is what was put in."""
        for length in (3, 0):
            self.content.put(js.ArrayBuffer.new(length))
            if self._bytes[: self._take_in()] != bytes(length):
                return False
        self.content.put("1000000000000")
        return bool(self.take() == "1000000000000")

    def _set_memory(self) -> None:
        tools = javascript.tools()
        # `set` returns nothing, which a pipe cannot hand on. As a property's setter it may.
        setter, memory = js.Object.new(), js.Object.new()
        tools.set(setter, "set", tools.bind(js.Uint8Array.prototype.set, self._find_memory()))
        js.Object.defineProperty(memory, "bytes", setter)
        write = tools.bind(js.Reflect.set, None, memory, "bytes")
        # The size comes first, too, since it fails for a text, of which a number would be taken
        # for the length that the bytes are to have.
        take_in = tools.pipe(self._size, self._as_bytes, write, self._size)
        self._take_in = tools.bind(take_in, None, 0)


_AnyBox = TypeVar("_AnyBox", TextBox, BufferBox)


@cache
def text_box() -> TextBox | None:
    """The one of the process, if it works here."""
    return _working(TextBox)


@cache
def buffer_box() -> BufferBox | None:
    """The one of the process, if it works here."""
    return _working(BufferBox)


def _working(kind: Callable[[], _AnyBox]) -> _AnyBox | None:
    try:
        box = kind()
        works = box.works()
        box.content.drop()
    except (AttributeError, ImportError, OSError, TypeError, ValueError, MemoryError, JsException):
        return None
    return box if works else None
