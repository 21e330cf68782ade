"""What a process holds in memory for idle rooms and connections, and keeps when they go."""

from __future__ import annotations

from dataclasses import dataclass

from .load import Load
from .machine import resident_bytes
from .servers import Server, running

#: So many connections are under way at once: enough to see, and few enough to be quick.
BATCH = 500


@dataclass(frozen=True)
class Memory:
    """In bytes."""

    per_room: float
    per_connection: float
    #: How much more is held after `gone` connections came and went, than after the first tenth.
    gone: int
    kept: float


def measure_memory(variant: str, *, rooms: int, connections: int, gone: int) -> Memory:
    # A process for each, since memory that was once taken is seldom given back.
    with running(variant) as server, Load() as load:
        per_room = rooms_take(load, server, rooms)
    with running(variant) as server, Load() as load:
        per_connection = connections_take(load, server, connections)
    with running(variant) as server, Load() as load:
        kept = _come_and_go(load, server, gone)
    return Memory(per_room, per_connection, gone, kept)


def rooms_take(load: Load, server: Server, rooms: int) -> float:
    """Each room has one connection, without which it would soon leave memory."""
    load.open("warm", server.port, [f"/parties/echo/warm-{at}" for at in range(rooms // 10)])
    before = _settled(server)
    load.open("rooms", server.port, [f"/parties/echo/{at}" for at in range(rooms)])
    return (_settled(server) - before) / rooms


def connections_take(load: Load, server: Server, connections: int) -> float:
    load.open("warm", server.port, ["/parties/echo/room"] * (connections // 10))
    before = _settled(server)
    load.open("connections", server.port, ["/parties/echo/room"] * connections)
    return (_settled(server) - before) / connections


def _come_and_go(load: Load, server: Server, connections: int) -> float:
    def pass_through(count: int) -> int:
        for start in range(0, count, BATCH):
            batch = min(BATCH, count - start)
            load.open("coming", server.port, ["/parties/echo/room"] * batch)
            load.close("coming", handshake=True)
        return _settled(server)

    first = pass_through(connections // 10)
    return pass_through(connections - connections // 10) - first


def _settled(server: Server) -> int:
    server.settle()
    return resident_bytes(server.pid)
