"""What docs/pages/guides/self-hosting-cluster.md promises of a cluster, held by breaking one.

The tests share three nodes, and each leaves them running. They take about 80 seconds, of which up
to 60 go to a minute's end, at which a cron trigger is due.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from .harness import DIVISOR, LEASE, LIMIT, Cluster, Node, Writer, fetch, until

SEED = 21

#: What the guide promises, in seconds. What hangs on the lease is shorter here.
AFTER_A_CRASH = 25 / DIVISOR
AFTER_A_STOP = 5.0
ALARMS_LATE = 27 / DIVISOR
AWAY_UNHARMED = 8 / DIVISOR
AWAY_FATAL = 12 / DIVISOR
#: Seconds: what a machine with two cores may add to each of these when it has other work, too.
NOISE = 5.0
#: Seconds until a node that has ended serves again.
START = 20.0
#: Seconds after which a client takes silence for a loss.
HEARTBEAT = LEASE / 2


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def cluster(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    running = Cluster.running(folder, SEED)
    cluster = runner.run(running.__aenter__())
    yield cluster
    runner.run(running.__aexit__(None, None, None))
    logs = "".join(path.read_text() for path in folder.glob("*.log"))
    assert "ServerNameError" not in logs
    assert cluster.secrets
    assert not [secret for secret in cluster.secrets if secret in logs]


def in_its_loop(test: Callable[[Cluster], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that runs in the cluster's event loop, and begins when all nodes are ready."""

    async def run(cluster: Cluster) -> None:
        await cluster.ready()
        await test(cluster)

    def sync(runner: asyncio.Runner, cluster: Cluster) -> None:
        runner.run(run(cluster))

    sync.__name__, sync.__doc__ = test.__name__, test.__doc__
    return sync


async def ledger(cluster: Cluster, room: str) -> dict[str, Any]:
    """What a room has stored; it is asked until it answers."""
    found: list[bytes] = []

    async def answers() -> bool:
        try:
            async with asyncio.timeout(LEASE):
                path = f"/parties/ledger/{room}"
                status, body = await fetch("127.0.0.1", cluster.balancer.port, path)
        except (OSError, EOFError, TimeoutError):
            return False
        found.append(body)
        return status == 200

    await until(answers, f"{room} answers")
    return json.loads(found[-1])


async def room_of(cluster: Cluster, node: Node, name: str) -> str:
    """A room that a node owns, since it was first touched there."""
    room = f"{name}-{cluster.random.randrange(10**6)}"
    status, _ = await fetch(node.host, node.port, f"/parties/ledger/{room}")
    assert status == 200
    return room


def writers_of(cluster: Cluster, room: str, *, past: Node) -> list[Writer]:
    """A client that another node relays, and one that comes by the balancer."""
    other = cluster.random.choice([node for node in cluster.nodes if node is not past])
    return [
        Writer(f"{room}-{name}", room, url, cluster.random.uniform(0.05, 0.15), HEARTBEAT)
        for name, url in (("relayed", other.url(room)), ("balanced", cluster.balancer.url(room)))
    ]


async def verify(cluster: Cluster, writers: list[Writer]) -> None:
    """Nothing that was acknowledged is missing, and no room was on two nodes at once."""
    for room, group in itertools.groupby(sorted(writers, key=_room), _room):
        entries = (await ledger(cluster, room))["entries"]
        stored = {row["entry"]: (row["number"], row["life"]) for row in entries}
        acknowledged = [one for writer in group for one in writer.acknowledged]
        assert acknowledged
        for one in acknowledged:
            assert stored.get(one.entry) == (one.number, one.life), f"{one} is not in {room}"
        assert [row["number"] for row in entries] == [*range(1, len(entries) + 1)]
        lives = [life for life, _ in itertools.groupby(row["life"] for row in entries)]
        assert len(lives) == len({*lives}), f"in {room}, a life wrote again after another"
        # What was sent after an acknowledgement has a higher number, whoever has sent it.
        by_end = sorted(acknowledged, key=lambda one: one.at)
        for one in acknowledged:
            before = [other.number for other in by_end if other.at < one.sent]
            assert one.number > max(before, default=0), f"{one} does not follow {max(before)}"


async def rest_of(socket: ClientConnection) -> list[Any]:
    """What still comes until it is closed."""
    heard = []
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                heard.append(json.loads(await socket.recv()))
    except ConnectionClosed:
        return heard


def _room(writer: Writer) -> str:
    return writer.room


def gaps_of(writers: list[Writer]) -> list[Any]:
    return [gap for writer in writers for gap in writer.gaps]


@in_its_loop
async def test_a_room_is_reached_through_each_node(cluster: Cluster) -> None:
    writers = [
        Writer(f"cross-{n}", "cross", node.url("cross")) for n, node in enumerate(cluster.nodes)
    ]
    async with AsyncExitStack() as stack:
        for writer in writers:
            await stack.enter_async_context(writer.running())
        await asyncio.gather(*(writer.more(20) for writer in writers))
    lives = {one.life for writer in writers for one in writer.acknowledged}
    assert len(lives) == 1
    assert gaps_of(writers) == []
    for writer in writers:
        told = [message["written"]["number"] for message in writer.told]
        own = [one.number for one in writer.acknowledged]
        # Every number came once, in order, until the end; so it has heard all of the others.
        assert sorted(told + own) == [*range(min(told + own), max(told + own) + 1)]
        assert told == sorted(told)
    await verify(cluster, writers)


@in_its_loop
async def test_a_node_shows_its_secrets_to_nobody(cluster: Cluster) -> None:
    """The key is in no argument, and in workerd's memory alone; nor do credentials have copies."""
    key, credential = (secret.encode() for secret in cluster.secrets)
    for node in cluster.nodes:
        (workerd,) = node.children()
        process = Path("/proc", str(workerd))
        arguments, environ = ((process / name).read_bytes() for name in ("cmdline", "environ"))
        assert b"config.capnp" in arguments
        assert key not in arguments
        assert credential not in arguments
        assert key not in environ
        assert credential in environ  # workerd has it from there
        for path in node.data.rglob("*"):
            if path.is_file() and path.stat().st_size < 2**20:
                content = path.read_bytes()
                assert key not in content
                assert credential not in content


@in_its_loop
async def test_a_killed_nodes_rooms_and_alarms_go_on_elsewhere(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    room, ringing = [await room_of(cluster, node, name) for name in ("killed", "ringing")]
    writers = writers_of(cluster, room, past=node)
    async with writers[0].running(), writers[1].running():
        await asyncio.gather(*(writer.more(5) for writer in writers))
        async with connect(node.url(ringing)) as socket:
            await socket.send(json.dumps({"alarm": 300}))
            assert "due" in json.loads(await socket.recv())
            node.signal(signal.SIGKILL)
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd is None  # 1006
        await asyncio.gather(*(writer.more(5) for writer in writers))
    for writer in writers:
        (gap,) = writer.gaps
        assert gap.seen[0] == 1006
        assert gap.seconds < AFTER_A_CRASH + NOISE
    await verify(cluster, writers)

    async def has_rung() -> bool:
        return bool((await ledger(cluster, ringing))["alarms"])

    await until(has_rung, "the alarm")
    (alarm,) = (await ledger(cluster, ringing))["alarms"]
    assert alarm["ran"] - alarm["due"] < (ALARMS_LATE + NOISE) * 1000


@in_its_loop
async def test_a_rolling_restart_is_hardly_seen(cluster: Cluster) -> None:
    rooms = [await room_of(cluster, node, "rolled") for node in cluster.nodes]
    writers = [
        Writer(f"{room}-balanced", room, cluster.balancer.url(room), 0.1, HEARTBEAT)
        for room in rooms
    ]
    async with AsyncExitStack() as stack:
        for writer in writers:
            await stack.enter_async_context(writer.running())
        for node, room in zip(cluster.nodes, rooms, strict=True):
            await asyncio.gather(*(writer.more(5) for writer in writers))
            ended = len(node.statuses)
            node.signal(signal.SIGTERM)
            # A balancer may send clients to it for some seconds; it passes them on.
            while len(node.statuses) == ended:
                try:
                    status, body = await fetch(node.host, node.port, f"/parties/ledger/{room}")
                except (OSError, EOFError):
                    pass
                else:
                    assert status == 200, body
                await asyncio.sleep(0.05)
            assert node.statuses[-1] == 0
            await node.ready()
        await asyncio.gather(*(writer.more(5) for writer in writers))
    assert gaps_of(writers)
    for gap in gaps_of(writers):
        assert gap.seen[0] == 1006
        assert gap.seconds < AFTER_A_STOP + NOISE
    await verify(cluster, writers)


@in_its_loop
async def test_a_frozen_node_has_lost_its_rooms_when_it_thaws(cluster: Cluster) -> None:
    node = cluster.nodes[2]
    room = await room_of(cluster, node, "frozen")
    writers = writers_of(cluster, room, past=node)
    async with writers[0].running(), writers[1].running(), connect(node.url(room)) as socket:
        await asyncio.gather(*(writer.more(5) for writer in writers))
        node.signal_workerd(signal.SIGSTOP)
        await asyncio.gather(*(writer.more(5) for writer in writers))
        await socket.send(json.dumps({"entry": "to the frozen node"}))
        ended = len(node.statuses)
        node.signal_workerd(signal.SIGCONT)
        assert not [one for one in await rest_of(socket) if "acknowledged" in one]

        async def has_ended() -> bool:
            return len(node.statuses) > ended

        await until(has_ended, "the thawed node ends")
        assert node.statuses[-1] == 1
        await asyncio.gather(*(writer.more(5) for writer in writers))
    for writer in writers:
        # A socket through it stays open: its heartbeat alone tells the client.
        assert writer.gaps[0].seen[0] == "silent"
        assert writer.gaps[0].seconds < HEARTBEAT + AFTER_A_CRASH + NOISE
    await verify(cluster, writers)


@in_its_loop
async def test_a_bad_bucket_makes_rooms_slow_and_costs_no_acknowledged_write(
    cluster: Cluster,
) -> None:
    node = cluster.nodes[0]
    room = await room_of(cluster, node, "slow")
    writers = writers_of(cluster, room, past=node)
    async with writers[0].running(), writers[1].running():
        for faults in ({"slow": 0.05}, {"cut": 0.1}, {"gone": 0.05}):
            await cluster.bucket.fail(**faults)
            await asyncio.gather(*(writer.more(8) for writer in writers))
        await cluster.bucket.fail()
        await asyncio.gather(*(writer.more(5) for writer in writers))
    await verify(cluster, writers)


@in_its_loop
async def test_nodes_wait_for_a_bucket_that_is_away_and_then_end(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    room = await room_of(cluster, node, "away")
    writers = writers_of(cluster, room, past=node)
    ended = [len(node.statuses) for node in cluster.nodes]
    async with writers[0].running(), writers[1].running():
        await asyncio.gather(*(writer.more(5) for writer in writers))
        cluster.bucket.freeze()
        await asyncio.sleep(AWAY_UNHARMED)  # how long it is away is what is tried
        cluster.bucket.thaw()
        await asyncio.gather(*(writer.more(5) for writer in writers))
        assert [len(node.statuses) for node in cluster.nodes] == ended
        cluster.bucket.freeze()
        away = time.monotonic()

        async def have_ended() -> bool:
            pairs = zip(cluster.nodes, ended, strict=True)
            return all(len(node.statuses) > before for node, before in pairs)

        await until(have_ended, "all nodes end")
        assert time.monotonic() - away < AWAY_FATAL + NOISE
        assert all(node.statuses[-1] == 1 for node in cluster.nodes)
        cluster.bucket.thaw()
        back = time.monotonic()
        await asyncio.gather(*(writer.more(5) for writer in writers))
    for writer in writers:
        last = writer.gaps[-1]
        assert last.end is not None
        assert last.end - back < AFTER_A_CRASH + START
    await verify(cluster, writers)


@in_its_loop
async def test_alarms_crons_and_sleeping_rooms_in_peace(cluster: Cluster) -> None:
    began = time.time() * 1000
    ended = [len(node.statuses) for node in cluster.nodes]

    async def cron() -> None:
        """It runs once in the cluster, whatever node does it."""

        async def has_run() -> bool:
            crons = (await ledger(cluster, "crons"))["crons"]
            return any(row["scheduled"] > began for row in crons)

        await until(has_run, "a minute's end", 2 * LIMIT)

    async def alarm() -> None:
        async with connect(cluster.nodes[1].url("alarm")) as socket:
            await socket.send(json.dumps({"alarm": 500}))
            due = json.loads(await socket.recv())["due"]
            assert json.loads(await socket.recv()) == {"alarm": due}
        (row,) = (await ledger(cluster, "alarm"))["alarms"]
        assert row["ran"] - row["due"] < NOISE * 1000

    async def sleep() -> None:
        """Its sockets stay open, relayed or not, and the next message begins another life."""
        async with AsyncExitStack() as stack:
            sockets = [
                await stack.enter_async_context(connect(node.url("sleepy")))
                for node in cluster.nodes
            ]

            async def lives() -> list[str]:
                for socket in sockets:
                    await socket.send(json.dumps({"ping": 1}))
                return [json.loads(await socket.recv())["life"] for socket in sockets]

            first, *others = await lives()
            assert others == [first, first]
            now = [first]
            while now[0] == first:
                await asyncio.sleep(12)  # it sleeps after 10 s, and a question keeps it awake
                for socket in sockets:
                    await socket.send("heartbeat")
                    assert await socket.recv() == "alive"
                now = await lives()
            assert len({*now}) == 1

    await asyncio.gather(cron(), alarm(), sleep())
    scheduled = [row["scheduled"] for row in (await ledger(cluster, "crons"))["crons"]]
    in_peace = [moment for moment in scheduled if moment > began]
    assert len(in_peace) == len({*in_peace})
    assert [len(node.statuses) for node in cluster.nodes] == ended
