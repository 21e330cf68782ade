"""A server on loopback that has chat completions, for the modules that import its fixtures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


def event(**delta: Any) -> bytes:
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


def end(reason: str = "stop") -> bytes:
    chunk = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"


def call(index: int = 0, **part: Any) -> bytes:
    return event(tool_calls=[{"index": index, **part}])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((self.path, self.headers["authorization"], json.loads(body)))
        status, parts = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in parts:
            if part is None:
                self.server.over.wait(120)
                self.close_connection = True
                return
            if part == BREAK:
                self.close_connection = True
                return
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST


#: The server closes its connection without the end of the body.
BREAK = b"\0break"


class Api(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.over = threading.Event()
        #: What has been asked: path, authorization, body.
        self.seen: list[tuple[str, str, dict[str, Any]]] = []
        #: What the next requests get: a status, and the parts of the body. None stalls.
        self.answers: list[tuple[int, Iterable[bytes | None]]] = []

    def handle_error(self, *_: object) -> None:
        """A client that has what it wants is gone when the rest is written."""


@pytest.fixture(scope="module")
def server() -> Iterator[Api]:
    server = Api()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def api(server: Api) -> Api:
    server.seen.clear()
    server.answers.clear()
    return server
