"""Long messages, copied into memory of Python's: Pyodide would convert them in a slower way."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import js
from pyodide.ffi import JsException, JsProxy, create_proxy

from . import builtins

if TYPE_CHECKING:
    from mmap import mmap

#: Characters. Shorter texts come to Python sooner as they are.
LONG_TEXT = 3072
#: Bytes of UTF-8; a text that has more comes as it is.
_MUCH_TEXT = 1024 * 1024
#: Bytes that a text may leave free when the next character, which has up to 4, did not fit.
_MAY_BE_CUT = 3
#: Bytes; for a message that has more, what it takes to copy them is all that counts.
_MUCH_BINARY = 64 * 1024
#: Bytes, or characters. A message that has more must not stay in memory until another comes.
MUCH_TO_KEEP = 64 * 1024

#: What `TextEncoder` makes of a binary message.
_BUFFER = "[object ArrayBuffer]"


class Holder:
    """Holds a message in JavaScript, and makes nothing of it in Python, until the next comes."""

    def __init__(self) -> None:
        tools = builtins.tools()
        self.array: Any = js.Array.of(None)
        #: For JavaScript to call with the message.
        self.put: Any = tools.bind(tools.member(js.Array.prototype, "fill"), self.array)
        self._apply, self._send = js.Reflect.apply, js.WebSocket.prototype.send
        self._payload = self.given_to(js.Object)

    def given_to(self, function: JsProxy) -> JsProxy:
        """What calls `function` with the message, whatever it is called with itself."""
        bound: JsProxy = builtins.tools().bind(self._apply, None, function, None, self.array)
        return bound

    def message(self) -> Any:
        """The message as Pyodide brings it to Python."""
        return self.array[0]

    def payload(self) -> JsProxy:
        """The message as an object, a text as JavaScript's `String`; `send` takes both."""
        return self._payload()  # type: ignore[no-any-return]

    def sender(self, socket: JsProxy) -> Callable[[], None]:
        """What has `socket` send the message that is there when it is called."""
        tools = builtins.tools()
        bound: Callable[[], None] = tools.bind(self._apply, None, self._send, socket, self.array)
        return bound

    def drop(self) -> None:
        self.put(None)


#: The one of the process: Python runs one event at a time.
holder = cache(Holder)


class Copier:
    """Copies messages of a kind to memory of Python's, by pipes of JavaScript's own functions."""

    #: So many messages have to come uncopied before copying is tried, and
    first_try: ClassVar[int]
    #: so many have to be copied to make up for one of another kind.
    pays_after: ClassVar[int]

    def __init__(self, memory: bytearray | mmap, held: Holder | None = None) -> None:
        #: That of the current message, or another one.
        self.holder: Holder = held or holder()
        self._memory = create_proxy(memory)
        self._view: JsProxy | None = None

    def before(self, receive: JsProxy) -> JsProxy:
        """What has a handler's place, and calls `receive` with what `take` needs."""
        raise NotImplementedError

    def take(self, result: Any) -> Any:
        """The message; None if it is of another kind, and has to be taken from the holder.

        `result` is what the copying in JavaScript has given.
        """
        raise NotImplementedError

    def _find_memory(self) -> JsProxy:
        """JavaScript's view of the memory, which has moved if WebAssembly's has grown."""
        before, self._view = self._view, self._memory.getBuffer("u8")
        if before is not None:
            before.release()
        view: JsProxy = self._view.data
        return view


@cache
def _text_memory() -> bytearray:
    """What is copied to it is taken from it at once, so that all have the same."""
    return bytearray(_MUCH_TEXT)


class TextCopier(Copier):
    """For long texts, of which Pyodide would take one character at a time.

    `TextEncoder` writes UTF-8, and Python gets the number of bytes.
    """

    first_try = 1
    pays_after = 1

    def __init__(self, held: Holder | None = None) -> None:
        memory = _text_memory()
        super().__init__(memory, held)
        self._slice = memoryview(memory)
        tools = builtins.tools()
        encoder, of = js.TextEncoder.new(), tools.member
        # [message, memory]: the message is found in the holder, its prototype.
        self._arguments = js.Object.create(self.holder.array)
        self._arguments.length = 2
        self._set_memory()
        self._copy = tools.pipe(
            self.holder.put,
            tools.bind(js.Reflect.apply, None, encoder.encodeInto, encoder, self._arguments),
            of(js.Object, "values"),
            tools.bind(tools.call_function, of(js.Array.prototype, "pop")),
        )

    def before(self, receive: JsProxy) -> JsProxy:
        tools = builtins.tools()
        return tools.handler(tools.pipe(self._copy, tools.bind(tools.call, receive, None)))

    def after(self, function: JsProxy) -> JsProxy:
        """What calls `function`, copies the text that it gives, and returns what `text` takes."""
        return builtins.tools().pipe(function, self._copy)

    def text(self, size: int) -> Any:
        """What was copied; as Pyodide brings it, if it was no text, or too long."""
        if 0 < size < _MUCH_TEXT - _MAY_BE_CUT:
            return str(self._slice[:size], "utf-8")
        if size == 0:
            with suppress(JsException, MemoryError):  # the holder has the message anyway
                self._set_memory()
        return self.holder.message()

    def take(self, size: int) -> str | None:
        message = self.text(size)
        if type(message) is not str or len(message) < LONG_TEXT or message == _BUFFER:
            return None
        return message

    def works(self) -> bool:
        """Whether what Python gets is what was put in."""
        texts = ["x" * LONG_TEXT, "é€😀" * LONG_TEXT]
        if any(self.take(self._copy(text)) != text for text in texts):
            return False
        others = ["short", js.ArrayBuffer.new(1)]
        return all(self.take(self._copy(other)) is None for other in others)

    def _set_memory(self) -> None:
        setattr(self._arguments, "1", self._find_memory())


class BufferCopier(Copier):
    """For binary messages, of which Pyodide would make an object, with a dozen look-ups.

    JavaScript tells Python whether it is a buffer, and Python then calls the copying: it fails
    where memory has moved, and nothing could catch a failure before Python is called.
    """

    first_try = 8  # to prepare the copying costs what it saves in some messages
    pays_after = 16

    def __init__(self) -> None:
        from mmap import mmap  # a worker that gets no binary messages need not start with it

        self._bytes = mmap(-1, _MUCH_BINARY)  # whose slices are `bytes` at once
        super().__init__(self._bytes)
        tools = builtins.tools()
        is_instance = tools.member(js.Object, js.Symbol.hasInstance)
        self._is_buffer = self.holder.given_to(tools.bind(is_instance, js.ArrayBuffer))
        self._size = self.holder.given_to(tools.bind(tools.call_function, _byte_length()))
        self._as_array = tools.bind(
            js.Reflect.construct, None, js.Uint8Array, self.holder.array, js.Uint8Array
        )
        self._set_memory()

    def before(self, receive: JsProxy) -> JsProxy:
        tools = builtins.tools()
        receive = tools.bind(tools.call, receive, None)
        return tools.handler(tools.pipe(self.holder.put, self._is_buffer, receive))

    def take(self, is_buffer: bool) -> bytes | None:
        if not is_buffer:
            return None
        try:
            return self._bytes[: self._copy()]
        except JsException:
            return self._take_after_failure()

    def _take_after_failure(self) -> bytes | None:
        message = self.holder.message()
        if message.byteLength > _MUCH_BINARY:
            return None
        with suppress(JsException, MemoryError):
            self._set_memory()
        return message.to_bytes()  # type: ignore[no-any-return]

    def works(self) -> bool:
        """Whether what Python gets is what was put in."""
        for length in (3, 0):
            self.holder.put(js.ArrayBuffer.new(length))
            if self._is_buffer() is not True or self.take(True) != bytes(length):
                return False
        self.holder.put("text")
        return self._is_buffer() is False

    def _set_memory(self) -> None:
        tools = builtins.tools()
        # `set` returns undefined, which a pipe cannot hand on. A property's setter may.
        setter, memory = js.Object.new(), js.Object.new()
        tools.set(setter, "set", tools.bind(js.Uint8Array.prototype.set, self._find_memory()))
        js.Object.defineProperty(memory, "bytes", setter)
        write = tools.bind(js.Reflect.set, None, memory, "bytes")
        self._copy = tools.bind(tools.pipe(self._as_array, write, self._size), None, 0)


def _byte_length() -> JsProxy:
    """The getter of a buffer's property, which is called on the buffer."""
    describe = js.Object.getOwnPropertyDescriptor
    # [prototype, ...]: of that prototype itself Pyodide cannot make an object.
    arguments = js.Object.values(describe(js.ArrayBuffer, "prototype"))
    setattr(arguments, "1", "byteLength")
    getter: JsProxy = builtins.tools().member(js.Reflect.apply(describe, None, arguments), "get")
    return getter


_AnyCopier = TypeVar("_AnyCopier", TextCopier, BufferCopier)


@cache
def text_copier() -> TextCopier | None:
    """The one of the process, if it works here."""
    return _working(TextCopier)


@cache
def buffer_copier() -> BufferCopier | None:
    """The one of the process, if it works here."""
    return _working(BufferCopier)


def _working(kind: Callable[[], _AnyCopier]) -> _AnyCopier | None:
    try:
        copier = kind()
        works = copier.works()
        copier.holder.drop()
    except (AttributeError, ImportError, OSError, TypeError, ValueError, MemoryError, JsException):
        return None
    return copier if works else None
