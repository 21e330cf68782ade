"""A bucket to test with: moto's S3, which can be told to do what bad servers do.

python -m tests.cluster.bucket      serves, says its port on a line, and ends with its input
"""

from __future__ import annotations

import io
import json
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request, urlopen

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

NAME = "rooms"

Respond = Callable[[str, list[tuple[str, str]]], Any]
App = Callable[[dict[str, Any], Respond], Iterable[bytes]]


@dataclass
class Faults:
    """What the server does wrong from now on."""

    ignores_conditions: bool = False
    #: If-Match alone.
    ignores_matches: bool = False
    stores_what_was_cut_off: bool = False
    #: How many writes under a condition are still refused, since too many came at once.
    busy: int = 0
    #: Seconds before each answer.
    slow: float = 0.0
    #: The part of all requests that are carried out, and whose answer is lost.
    cut: float = 0.0
    #: The part of all requests that are lost.
    gone: float = 0.0
    #: Answers that come in place of all others: the status, headers, and the body.
    answers: tuple[str, list[tuple[str, str]], str] | None = None
    #: What was asked, as `PUT /rooms/prefix/key`.
    requests: list[str] = field(default_factory=list)


class Faulty:
    def __init__(self, app: App) -> None:
        self.app = app
        self.faults = Faults()
        self.lock = threading.Lock()
        self.random = random.Random(0)

    def __call__(self, environ: dict[str, Any], respond: Respond) -> Iterable[bytes]:
        faults = self.faults
        faults.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length)
        if len(body) < length and not faults.stores_what_was_cut_off:
            respond("400 Bad Request", [])
            return []
        if self.random.random() < faults.gone:
            return _dropped(environ)
        time.sleep(faults.slow)
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
        if faults.answers is not None:
            status, headers, text = faults.answers
            respond(status, headers)
            return [text.encode()]
        if faults.ignores_conditions:
            environ.pop("HTTP_IF_NONE_MATCH", None)
        if faults.ignores_matches:
            environ.pop("HTTP_IF_MATCH", None)
        if {"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH"} & environ.keys():
            with self.lock:
                faults.busy -= 1
                if faults.busy >= 0:
                    respond("429 Too Many Requests", [])
                    return [b"<Error><Code>TooManyRequests</Code></Error>"]
        with self.lock:  # moto looks at a condition and writes in two steps
            parts = [*self.app(environ, respond)]
        return _dropped(environ) if self.random.random() < faults.cut else parts


def _dropped(environ: Mapping[str, Any]) -> Iterable[bytes]:
    """No answer, and no connection any more."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open

    def log(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[tuple[str, Faulty]]:
    """Serve on a free port, with a bucket `NAME` that is empty."""
    app = Faulty(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        put = Request(f"http://127.0.0.1:{server.port}/{NAME}", method="PUT")
        urlopen(put, timeout=60).close()
        yield f"http://127.0.0.1:{server.port}", app
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def main() -> None:
    # It stands for another machine, on which no other tests run; this may take root's rights.
    with suppress(PermissionError):
        os.nice(-10)
    with serving() as (endpoint, app):
        print(endpoint, flush=True)
        for line in sys.stdin:
            app.faults = Faults(**json.loads(line))
            print("done", flush=True)


if __name__ == "__main__":
    main()
