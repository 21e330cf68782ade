"""Bodies: hooks before a room may read them, and large ones stream through."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

JSON = json.dumps(["grüße", "x" * 1000]).encode()
FORM = b"field=" + b"x" * 1000

#: The platform tells of a client's body that nobody has read, as it does without this library.
UNREAD = pytest.mark.log_may_hold("Can't read from request stream after response has been sent")

READS = ["text", "json", "bytes", "buffer", "blob", "clone", "part", "twice", "form", "nothing"]


def post(party, read, content, **headers):
    if content is FORM:
        headers["content-type"] = "application/x-www-form-urlencoded"
    return party.fetch(
        "/routed/reading/parties/inbox/x",
        "POST",
        content=content,
        headers={"x-read": read.strip(), **headers},
    )


def got(content, hook=None):
    body = content if isinstance(content, bytes) else b"".join(content)
    return [len(body), hashlib.sha256(body).hexdigest(), hook]


@pytest.mark.parametrize("then", ["", "itself", "another"])
@pytest.mark.parametrize("read", READS)
def test_a_body_that_a_hook_has_read_is_there_for_the_room(party, read, then):
    content = FORM if read == "form" else JSON
    [size, digest, hook] = post(party, f"{read} {then}", content).json()
    assert [size, digest] == got(content)[:2]
    assert (hook is not None) == (then == "another")


@pytest.mark.parametrize("read", READS)
def test_a_body_of_unknown_length_is_there_for_the_room_too(party, read):
    parts = [FORM] if read == "form" else [JSON]
    headers = {"content-type": "application/x-www-form-urlencoded"} if read == "form" else {}
    assert post(party, read, iter(parts), **headers).json() == got(parts)


@UNREAD
@pytest.mark.parametrize("read", ["text", "nothing", "part"])
def test_a_hook_that_refuses_may_have_read_or_not(party, read):
    response = post(party, f"{read} refuse", JSON)
    assert (response.status_code, response.text[:7]) == (401, "refused")


@UNREAD
@pytest.mark.parametrize("read", ["text", "nothing"])
def test_a_hook_may_send_a_body_of_its_own(party, read):
    size = len(JSON) if read == "text" else 0
    assert post(party, f"{read} own", JSON).json() == got(f"{size} bytes".encode())


@UNREAD
@pytest.mark.parametrize("read", ["raw", "raw-locked"])
@pytest.mark.parametrize("then", ["", "itself"])
def test_a_hook_that_reads_behind_the_librarys_back_is_told_how(party, read, then):
    response = post(party, f"{read} {then}", JSON)
    assert response.status_code == 500
    party.logs.wait_for("read it with request.text()")


@UNREAD
@pytest.mark.parametrize("read", ["text", "bytes", "twice", "nothing"])
def test_a_hook_may_read_the_body_of_a_get(party, read):
    response = party.fetch(
        "/routed/reading/parties/inbox/x/kept", content=b"body", headers={"x-read": read}
    )
    assert (response.status_code, response.json()) == (200, [])


def test_a_hook_finds_an_empty_body_empty(party):
    assert post(party, "text refuse", b"").text == "refused 0"


def post_half(party, path, length, read="nothing"):
    """Send what is half of a body, and go when somebody has begun to read it."""
    address = urlsplit(party.url)
    with socket.create_connection((address.hostname, address.port), timeout=60) as client:
        size = f"content-length: {length}" if length else "transfer-encoding: chunked"
        part = "first" if length else "5\r\nfirst\r\n"
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\nx-read: {read}\r\n{size}"
        client.sendall(f"{head}\r\n\r\n{part}".encode())
        party.logs.wait_for("reads a body")


HALF = pytest.mark.log_may_hold("Network connection lost", "disconnected", "prematurely")
LENGTHS = pytest.mark.parametrize("length", [10, 100_000, 1_000_000, None])


@HALF
@LENGTHS
@pytest.mark.parametrize("read", ["nothing", "text", "bytes", "form"])
@pytest.mark.parametrize("how", ["", "/routed/reading"])
def test_half_a_body_never_looks_whole(party, how, read, length):
    # The platform ends what its client has left, at once or later: in a room of its own.
    room = party.room("Inbox", f"{read}-{length}{how.replace('/', '-')}")
    post_half(party, f"{how}/parties/inbox/{room.name}/keep", length, read)
    room.fetch("/keep", "POST", content=b"all")
    kept = room.fetch("/kept").json()
    assert ["whole", "all"] in kept
    assert all(outcome == "broken off" or body == "all" for outcome, body in kept)


@pytest.mark.parametrize("size", [1, 128 * 1024, 128 * 1024 + 1])
@pytest.mark.parametrize("read", ["text", "nothing"])
def test_a_body_around_the_limit_for_another_try_arrives(party, read, size):
    assert post(party, read, b"x" * size).json() == got(b"x" * size)


MIB = 1 << 20
#: MiB. JavaScript's garbage, which is collected now and then, has been 115 at once.
SIZE = 300


def workerds_of(party):
    """The runtime's processes of this test, and of no other: the kit gives each a group."""
    group = party._runtime._process.pid
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            if "workerd" in name and int(rest.split()[2]) == group:
                yield folder


def resident(folder):
    """MiB of memory of a process."""
    status = (folder / "status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) // 1024


class Watch:
    """The most memory that the runtime has had while something went on."""

    def __init__(self, party):
        [self._process] = workerds_of(party)
        self.before = self.peak = resident(self._process)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._over.wait(0.05):
            self.peak = max(self.peak, resident(self._process))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


def upload(party, where, size):
    parts = (b"x" * MIB for _ in range(size))
    return party.fetch(where, "POST", content=parts, timeout=600).json()[0]


def download(party, where, size):
    total = 0
    with httpx.stream("GET", f"{party.url}{where}?size={size}", timeout=600) as response:
        for part in response.iter_bytes():
            total += len(part)
    return total


ONCE = pytest.mark.once("one way to a room is enough: each takes long, and rooms keep nothing")


@pytest.mark.parametrize("move", [upload, download])
@pytest.mark.parametrize(
    "how",
    [
        pytest.param("", marks=ONCE),
        pytest.param("/routed/reading", marks=pytest.mark.no_party_chaos),
        pytest.param("/routed/cors", marks=ONCE),
    ],
)
def test_a_large_body_streams_through(party, move, how):
    where = f"{how}/parties/inbox/x"
    move(party, where, 20)  # what this takes once is not the body's
    with Watch(party) as memory:
        assert move(party, where, SIZE) == SIZE * MIB
    assert memory.peak - memory.before < SIZE * 0.8
