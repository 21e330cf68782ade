"""The platform's fetch, awaited without `await`."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import js
from pyodide.ffi import JsException, can_run_sync, jsnull, run_sync, to_js

CANNOT_SUSPEND = (
    "synchronous HTTP suspends its hook, and the platform has called this one in a way that cannot "
    'be suspended. In on_message, set options = {"sync_io": True} on the class; in any async hook, '
    "`await asyncio.sleep(0)` before the call; else `await workers.fetch(...)` instead"
)

#: Headers that the platform sets itself.
_NOT_SENT = frozenset({"connection", "content-length", "host"})


def give_global(name: str, value: Any) -> None:
    """Define a global of JavaScript, unless it is there."""
    if not hasattr(js, name):
        setattr(js, name, value)


class Fetch:
    """One request. Redirects are not followed: the libraries do that by their own rules.

    Raises, in all its methods:
        TimeoutError: the server was silent for `timeout` seconds.
        OSError: the server cannot be reached, or broke off.
        RuntimeError: this hook cannot be suspended.
    """

    def __init__(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        body: bytes | None,
        timeout: float | None,
    ) -> None:
        self._abort = js.AbortController.new()
        self._timeout = timeout
        self._reader: Any = None
        options = {} if body is None else {"body": to_js(body)}
        sent = [(name, value) for name, value in headers if name.lower() not in _NOT_SENT]
        if not can_run_sync():
            raise RuntimeError(CANNOT_SUSPEND)
        self._response = self._wait(
            js.fetch(
                url,
                method=method,
                headers=js.Headers.new(to_js(sent)),
                redirect="manual",
                signal=self._abort.signal,
                **options,
            )
        )
        self.status: int = self._response.status

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in self._response.headers]

    def read_all(self) -> bytes:
        return self._wait(self._response.arrayBuffer()).to_bytes()  # type: ignore[no-any-return]

    def read_chunk(self) -> bytes:
        """The next part of the body, b"" at its end."""
        if self._reader is None:
            if self._response.body is jsnull:
                return b""
            self._reader = self._response.body.getReader()
        while True:
            result = self._wait(self._reader.read())
            if result.done:
                return b""
            if result.value.byteLength:
                return result.value.to_bytes()  # type: ignore[no-any-return]

    def cancel(self) -> None:
        """Let the rest of the body go."""
        self._abort.abort()

    def _wait(self, promise: Any) -> Any:
        timer = None
        if self._timeout is not None:
            abort = self._abort.abort.bind(self._abort)
            timer = js.setTimeout(abort, int(self._timeout * 1000))
        try:
            return run_sync(promise)
        except JsException as error:
            if self._abort.signal.aborted:
                raise TimeoutError("timed out") from None
            raise OSError(error.message) from None
        finally:
            if timer is not None:
                js.clearTimeout(timer)


class Body(io.RawIOBase):
    """A response's body as a file, which reads what has arrived."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._rest = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest and not self._ended:
            self._rest = self._fetch.read_chunk()
            self._ended = not self._rest
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        if not self.closed and not self._ended:
            self._fetch.cancel()
        super().close()
