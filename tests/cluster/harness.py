"""A cluster to break: a bucket, three nodes by `partyserver serve`, a balancer, and clients."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

ROOT = Path(__file__).parent.parent.parent
CONFIG = Path(__file__).parent / "wrangler.toml"
BUNDLE = ROOT / ".cache" / "pyodide-bundle-compiled"

#: What workerd's times are divided by.
DIVISOR = 4
#: Seconds: the lease of a node.
LEASE = 20 / DIVISOR
#: Seconds. A limit against hangs; nothing waits for so long.
LIMIT = 60.0


async def until(holds: Callable[[], Awaitable[bool]], what: str, limit: float = LIMIT) -> None:
    """Ask until it holds."""
    end = time.monotonic() + limit
    while not await holds():
        assert time.monotonic() < end, f"not within {limit:g} s: {what}"
        await asyncio.sleep(0.02)


class Bucket:
    """`tests.cluster.bucket` as a process, which can be told to fail, and be stopped."""

    @classmethod
    @asynccontextmanager
    async def running(cls) -> AsyncIterator[Bucket]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.cluster.bucket"),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout
        try:
            yield cls(process, (await process.stdout.readline()).decode().strip())
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def __init__(self, process: asyncio.subprocess.Process, endpoint: str) -> None:
        self.process = process
        self.endpoint = endpoint

    async def fail(self, **faults: Any) -> None:
        """Have it do so from now on: `slow` (seconds), `cut` and `gone` (parts of all requests)."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(faults).encode() + b"\n")
        assert await self.process.stdout.readline()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Node:
    """One node. It is started again when it ends, as by a supervisor, unless it is told to rest."""

    def __init__(self, number: int, folder: Path, environ: dict[str, str]) -> None:
        self.number = number
        self.folder = folder
        # Addresses of its own: no other process takes its ports between two starts.
        self.host = f"127.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 250}.{number + 10}"
        self.port, self.peer = 8787, 7000
        self.environ = environ
        self.resting = False
        #: Of all that have ended: the status.
        self.statuses: list[int] = []
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.resting = False
        self._supervisor = self._supervisor or asyncio.create_task(self._supervise())

    async def _supervise(self) -> None:
        with (self.folder / f"node-{self.number}.log").open("ab") as log:
            while not self.resting:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "partyserver", "serve", "-c", str(CONFIG)),
                    *("--data", str(self.data), "--host", self.host, "--port", str(self.port)),
                    *("--cluster", "s3://rooms/ledgers", "--peer", f"{self.host}:{self.peer}"),
                    *("--unsafe-time-divisor", str(DIVISOR), "--pyodide-bundle", str(BUNDLE)),
                    env=os.environ | self.environ,
                    stdout=log,
                    stderr=log,
                )
                self.statuses.append(await self._process.wait())
        self._process = self._supervisor = None

    @property
    def data(self) -> Path:
        return self.folder / f"data-{self.number}"

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def signal(self, number: int) -> None:
        assert self._process
        self._process.send_signal(number)

    def signal_workerd(self, number: int) -> None:
        """To the process in the launcher's care."""
        for child in self.children():
            os.kill(child, number)

    def children(self) -> list[int]:
        assert self._process
        pid = self._process.pid
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]

    async def stop(self) -> None:
        """End it for good."""
        self.resting = True
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self.signal_workerd(signal.SIGCONT)
                self.signal(signal.SIGKILL)
        if self._supervisor:
            await self._supervisor

    async def is_ready(self) -> bool:
        return await self.answers("/ready", self.peer)

    async def answers(self, path: str, port: int) -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(LEASE):
                return (await fetch(self.host, port, path))[0] == 200
        return False

    async def ready(self) -> None:
        await until(self.is_ready, f"node {self.number} is ready", 2 * LIMIT)

    def url(self, room: str) -> str:
        return f"ws://{self.host}:{self.port}/parties/ledger/{room}"


async def fetch(host: str, port: int, path: str) -> tuple[int, bytes]:
    """The status and the body of an answer."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        status = await reader.readline()
        if not status:
            raise ConnectionError("no answer")
        length = None
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        return int(status.split()[1]), await (
            reader.read() if length is None else reader.readexactly(length)
        )
    finally:
        writer.close()


class Balancer:
    """What haproxy does by the guide's config: a room goes to one of the nodes that are ready.

    A node that is ready no more loses the sessions that go through it.
    """

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.up: set[Node] = set()
        self._sessions: dict[asyncio.Task[None], Node] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Balancer]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        checks = [asyncio.create_task(self._check(node)) for node in self.nodes]
        try:
            yield self
        finally:
            server.close()
            for task in (*checks, *self._sessions):
                task.cancel()

    def url(self, room: str) -> str:
        return f"ws://127.0.0.1:{self.port}/parties/ledger/{room}"

    async def _check(self, node: Node) -> None:
        while True:
            if await node.is_ready():
                self.up.add(node)
            elif node in self.up:
                self.up.remove(node)
                for session, through in [*self._sessions.items()]:
                    if through is node:
                        session.cancel()
            await asyncio.sleep(0.1)

    def node_of(self, room: str) -> Node | None:
        def rank(node: Node) -> bytes:
            return hashlib.sha256(f"{room} {node.number}".encode()).digest()

        return max(self.up, key=rank, default=None)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            node = self.node_of(head.split()[1].split(b"/")[3].decode())
            if node is None:
                writer.write(
                    b"HTTP/1.1 503 Nobody\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            self._sessions[task] = node
            there, back = await asyncio.open_connection(node.host, node.port)
            try:
                back.write(head)
                pipes = [
                    asyncio.ensure_future(_pipe(reader, back)),
                    asyncio.ensure_future(_pipe(there, writer)),
                ]
                try:
                    await asyncio.wait(pipes, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for pipe in pipes:
                        pipe.cancel()
            finally:
                back.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._sessions.pop(task, None)
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@dataclass(frozen=True)
class Acknowledged:
    entry: str
    number: int
    life: str
    sent: float
    at: float


@dataclass
class Gap:
    """When a writer was not served, by the clock `time.monotonic`."""

    start: float
    end: float | None = None
    #: The close code, or why there was none: "silent", or what the connection was refused with.
    seen: list[object] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return (self.end or time.monotonic()) - self.start


class Writer:
    """A client that writes one entry after the other, and comes back when it loses the connection.

    An entry that was not acknowledged may have been written or not, so it is not sent again. What
    is acknowledged must stay.
    """

    def __init__(self, name: str, room: str, url: str, pause: float = 0.0, patience: float = LIMIT):
        self.name, self.room, self.url = name, room, url
        #: Seconds between two entries, and until silence counts as a loss: its heartbeat.
        self.pause, self.patience = pause, patience
        self.acknowledged: list[Acknowledged] = []
        self.gaps: list[Gap] = []
        self.told: list[dict[str, Any]] = []  # what others have written
        self._count = 0
        self._progress = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Writer]:
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            if not task.done():
                task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def more(self, count: int = 3, limit: float = LIMIT) -> None:
        """Wait until further entries are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(limit):
            while len(self.acknowledged) < wanted:
                self._progress.clear()
                await self._progress.wait()

    async def _run(self) -> None:
        while True:
            seen: object = None
            try:
                async with connect(
                    self.url, open_timeout=self.patience, close_timeout=0.1
                ) as socket:
                    await self._write(socket)
            except ConnectionClosed as closed:
                seen = closed.rcvd.code if closed.rcvd else 1006
            except TimeoutError:
                seen = "silent"
            except (OSError, InvalidHandshake, InvalidMessage, EOFError) as error:
                seen = f"{type(error).__name__}: {error}"
            if not self.gaps or self.gaps[-1].end is not None:
                last = self.acknowledged[-1].at if self.acknowledged else time.monotonic()
                self.gaps.append(Gap(last))
            self.gaps[-1].seen.append(seen)
            await asyncio.sleep(0.05)

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            self._count += 1
            entry = f"{self.name}-{self._count}"
            sent = time.monotonic()
            async with asyncio.timeout(self.patience):
                await socket.send(json.dumps({"entry": entry}))
                while True:
                    heard = json.loads(await socket.recv())
                    if (found := heard.get("acknowledged")) and found["entry"] == entry:
                        break
                    self.told.append(heard)
            now = time.monotonic()
            self.acknowledged.append(Acknowledged(entry, found["number"], found["life"], sent, now))
            if self.gaps and self.gaps[-1].end is None:
                self.gaps[-1].end = now
            self._progress.set()
            await asyncio.sleep(self.pause)


@dataclass
class Cluster:
    bucket: Bucket
    nodes: list[Node]
    balancer: Balancer
    random: random.Random
    #: What must be in no log.
    secrets: list[str]

    async def ready(self) -> None:
        """Wait until all nodes are, and the balancer knows."""
        await asyncio.gather(*(node.ready() for node in self.nodes))

        async def are_up() -> bool:
            return self.balancer.up == {*self.nodes}

        await until(are_up, "all nodes are up")

    @classmethod
    @asynccontextmanager
    async def running(cls, folder: Path, seed: int) -> AsyncIterator[Cluster]:
        async with AsyncExitStack() as stack:
            bucket = await stack.enter_async_context(Bucket.running())
            environ = {
                "PARTY_CLUSTER_KEY": hashlib.sha256(str(seed).encode()).hexdigest(),
                "AWS_ENDPOINT_URL": bucket.endpoint,
                "AWS_ACCESS_KEY_ID": "me",
                "AWS_SECRET_ACCESS_KEY": "a secret of the bucket",
            }
            nodes = [Node(number, folder, environ) for number in range(3)]
            for node in nodes:
                stack.push_async_callback(node.stop)
            nodes[0].start()
            await nodes[0].ready()
            for node in nodes[1:]:  # made once: it is the same for all
                shutil.copytree(nodes[0].data / "snapshots", node.data / "snapshots")
                shutil.copy(nodes[0].data / "worker.json", node.data)
                node.start()
            await asyncio.gather(*(node.ready() for node in nodes))
            balancer = await stack.enter_async_context(Balancer(nodes).running())
            secrets = [environ["PARTY_CLUSTER_KEY"], environ["AWS_SECRET_ACCESS_KEY"]]
            yield cls(bucket, nodes, balancer, random.Random(seed), secrets)
