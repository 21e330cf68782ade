"""The tests of synchronous HTTP: a worker, and a server on loopback that it calls."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "wrangler.toml"

collect_ignore = ["python_modules", "worker"]


@pytest.fixture
def party_config():
    return WORKER


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, headers=()):
        self.send_response(status)
        self.send_header("X-Theirs", "2")
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do(self):
        server = self.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path, _, query = self.path.partition("?")
        server.seen.append(path)
        match path.strip("/").split("/"):
            case ["text"]:
                self.answer(
                    "grüß".encode(), headers=[("Content-Type", "text/plain; charset=utf-8")]
                )
            case ["json"]:
                self.answer(json.dumps({"query": query}).encode())
            case ["bytes"]:
                self.answer(bytes(range(256)))
            case ["lines"]:
                self.answer(b"one\ntwo\n")
            case ["gzip"]:
                self.answer(gzip.compress(b"unzipped"), headers=[("Content-Encoding", "gzip")])
            case ["auth"] if "authorization" not in self.headers:
                self.answer(b"", 401, [("WWW-Authenticate", 'Basic realm="tests"')])
            case ["echo"] | ["auth"]:
                headers = {name.lower(): value for name, value in self.headers.items()}
                got = {"method": self.command, "body": body.decode("latin-1"), "headers": headers}
                self.answer(
                    json.dumps(got).encode(), headers=[("Content-Type", "application/json")]
                )
            case ["status", status]:
                self.answer(b"the body of an error", int(status))
            case ["redirect", "0"]:
                self.answer(b"arrived")
            case ["redirect", left]:
                self.answer(b"", 302, [("Location", f"/redirect/{int(left) - 1}")])
            case ["loop"]:
                self.answer(b"", 302, [("Location", "/loop")])
            case ["slow"]:
                server.over.wait(60)
            case ["gate"]:
                server.waiting.set()
                server.gate.wait(60)
                self.answer(b"through")
            case ["cookies"]:
                self.answer(b"", headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2; Path=/")])
            case ["stalling"]:
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"half")
                server.over.wait(60)
            case ["broken"]:
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"half")
                self.close_connection = True

    do_GET = do_POST = do_PUT = do_HEAD = do


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        #: Set by a request for /gate, which is answered when `gate` is set.
        self.waiting = threading.Event()
        self.gate = threading.Event()
        self.over = threading.Event()
        self.seen = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """A client that has timed out is gone when its answer is written."""


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.gate.set()
    server.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def call(party, server):
    """Make a call of worker/calls.py in a room's on_request."""

    def call(name, room="calls"):
        options = {"params": {"call": name, "url": server.url}}
        return party.room("Waking", room).fetch("/", **options).json()

    return call
