"""requests: urllib3 suspends by itself, and here fails as it does elsewhere.

urllib3's own transport for Pyodide tells timeouts and broken connections in other exceptions
than requests looks for, trips over responses without a body, and loses repeated headers.
"""

from __future__ import annotations

import http.client
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from .javascript import Body, Fetch

urllib3: Any = import_module("urllib3")
connection: Any = import_module("urllib3.contrib.emscripten.connection")
response: Any = import_module("urllib3.contrib.emscripten.response")


def install() -> None:
    connection.send_request = connection.send_streaming_request = _send
    connection.EmscriptenHttpResponseWrapper = _Response


def _send(request: Any) -> Any:
    """Stands for urllib3's functions of that name: both are given what streams if it is read so."""
    headers = request.headers.items()
    try:
        fetch = Fetch(request.method, request.url, headers, request.body, request.timeout or None)
    except TimeoutError:
        raise urllib3.exceptions.ReadTimeoutError(
            _host(request.url), request.url, f"Read timed out. (read timeout={request.timeout})"
        ) from None
    except OSError as error:
        raise urllib3.exceptions.ProtocolError("Connection aborted.", error) from error
    return response.EmscriptenResponse(
        status_code=fetch.status,
        headers=urllib3.HTTPHeaderDict(fetch.headers),
        body=_PoolBody(fetch, request.url),
        request=request,
    )


def _host(url: str) -> str:
    """What stands for the pool in messages."""
    return urlsplit(url).netloc


class _PoolBody(Body):
    def __init__(self, fetch: Fetch, url: str) -> None:
        super().__init__(fetch)
        self._url = url

    def readinto(self, buffer: Any) -> int:
        try:
            return super().readinto(buffer)
        except TimeoutError:
            raise urllib3.exceptions.ReadTimeoutError(
                _host(self._url), self._url, "Read timed out."
            ) from None
        except OSError as error:
            raise urllib3.exceptions.ProtocolError(f"Connection broken: {error}", error) from error


class _Response(response.EmscriptenHttpResponseWrapper):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reason = http.client.responses.get(self.status, "")
        # Where requests looks for cookies.
        self._original_response = SimpleNamespace(msg=self.headers, isclosed=lambda: True)
