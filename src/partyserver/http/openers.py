"""urllib.request: its own rules, over pyodide-http's transport."""

from __future__ import annotations

import http.client
import urllib.request
from importlib import import_module
from typing import Any
from urllib.error import URLError

from .javascript import Fetch, give_global

#: What a decoded body that is whole has no longer.
_NOT_RECEIVED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def install() -> None:
    """Give all openers, those that exist too, another way to open http: and https: URLs.

    Redirects, errors, authentication and cookies stay urllib's own business.
    """
    handlers: list[type] = [urllib.request.HTTPHandler]
    if hasattr(urllib.request, "HTTPSHandler"):  # not without the module ssl
        handlers.append(urllib.request.HTTPSHandler)
    for handler in handlers:
        for method in ("http_open", "https_open"):
            setattr(handler, method, _open)


def _open(_handler: Any, request: urllib.request.Request) -> http.client.HTTPResponse:
    transport = _transport()
    timeout = request.timeout
    XMLHttpRequest.next_timeout = timeout if isinstance(timeout, int | float) else None
    if request.data is not None:
        request.data = _whole(request.data)
    try:
        response: http.client.HTTPResponse = transport(request)
    except TimeoutError:
        raise
    except OSError as error:
        raise URLError(error) from error
    reason = http.client.responses.get(response.status, "")
    response.reason = response.msg = reason  # type: ignore[assignment]
    return response


def _whole(data: Any) -> bytes:
    """A request's body, which urllib takes as bytes, as a file or in parts."""
    if hasattr(data, "read"):
        data = data.read()
    if isinstance(data, str):
        return data.encode("latin-1")
    return bytes(data) if isinstance(data, bytes | bytearray | memoryview) else b"".join(data)


def _transport() -> Any:
    """pyodide-http's `urlopen`, given what it looks for when it is imported."""
    # Not before the first call: a start-up snapshot cannot hold a value that JavaScript holds.
    give_global("XMLHttpRequest", XMLHttpRequest)
    give_global("crossOriginIsolated", False)
    core: Any = import_module("pyodide_http._core")
    core.HEADERS_TO_IGNORE = ()  # a page's trouble, and not a server's
    return import_module("pyodide_http._urllib").urlopen


class XMLHttpRequest:
    """As much of a synchronous XMLHttpRequest as pyodide-http uses, over the platform's fetch."""

    #: Seconds, for the next one that is made: pyodide-http does not hand a timeout on.
    next_timeout: float | None = None

    def __init__(self) -> None:
        self._timeout, XMLHttpRequest.next_timeout = XMLHttpRequest.next_timeout, None
        self._encoding = self._method = self._url = self._received = ""
        self._headers: list[tuple[str, str]] = []
        self.status = 0
        self.response = ""

    @classmethod
    def new(cls) -> XMLHttpRequest:
        return cls()

    def overrideMimeType(self, mime_type: str) -> None:
        self._encoding = mime_type.partition("charset=")[2]

    def open(self, method: str, url: str, _is_async: bool) -> None:
        self._method = method
        self._url = url

    def setRequestHeader(self, name: str, value: str) -> None:
        self._headers.append((name, value))

    def send(self, body: Any) -> None:
        """Return when the whole response is there."""
        content = None if body is None else body.to_bytes()
        fetch = Fetch(self._method, self._url, self._headers, content, self._timeout)
        self.status = fetch.status
        self.response = fetch.read_all().decode(self._encoding)
        self._received = "".join(
            f"{name}: {value.encode('ascii', 'replace').decode()}\r\n"
            for name, value in fetch.headers
            if name not in _NOT_RECEIVED
        )

    def getAllResponseHeaders(self) -> str:
        return self._received
