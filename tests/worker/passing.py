"""Messages that are passed on as they came."""

import asyncio
from hashlib import sha256

from partyserver import Server
from partyserver.shortcuts import copying
from partyserver.shortcuts.current import HELD, current
from pyodide.ffi import run_sync
from workers import Response


class Passing(Server):
    """Tells what a message is, and passes it on; how, a message that begins with "!" says."""

    gate: asyncio.Future[None]

    def on_message(self, connection, message):
        content = message if isinstance(message, bytes) else message.encode()
        if content.startswith(b"!"):
            connection.set_state(content[1:].decode().strip())
            return None
        digest = sha256(content).hexdigest()
        connection.send_json([type(message).__name__, len(message), digest, was_copied()])
        return getattr(self, connection.state or "echo")(connection, message)

    def on_exception(self, error):
        self.broadcast(type(error).__name__)

    def on_request(self, request):
        held = copying.holder().message()
        size = len(held) if isinstance(held, str) else getattr(held, "byteLength", 0)
        return Response.from_json(
            {"held": size, "seen": [one._view.data.length for one in copiers()]}
        )

    def echo(self, connection, message):
        connection.send(message)
        connection.send(message)

    def to_all(self, connection, message):
        self.broadcast(message)
        self.broadcast(message, [connection.id])

    def past_the_dead(self, connection, message):
        self.get_connection("dead").socket.close(3333, "behind the room's back")
        self.broadcast(message)

    async def later(self, connection, message):
        connection.send(message)
        await asyncio.sleep(0)
        connection.send(message)

    def the_one_before(self, connection, message):
        connection.send(getattr(self, "last", ""))
        self.last = message

    def close(self, connection, message):
        connection.close(4000)

    def block(self, connection, message):
        connection.send(message)
        Passing.gate = asyncio.get_event_loop().create_future()
        run_sync(Passing.gate)
        connection.send(message)

    def unblock(self, connection, message):
        Passing.gate.set_result(None)

    def fail(self, connection, message):
        raise ZeroDivisionError

    def grow_and_echo(self, connection, message):
        """Have WebAssembly's memory grow, which voids JavaScript's views of it."""
        pieces = []
        while any(one._view.data.length for one in copiers()):
            pieces.append(bytearray(8 << 20))
        connection.send(message)
        connection.set_state("echo")


class PassingSleepy(Passing):
    options = {"hibernate": True}


class PassingBlocked(Passing):
    options = {"hibernate": True, "sync_io": True}


def copiers():
    """Those for text and for binary."""
    return [one for one in (copying.text_copier(), copying.buffer_copier()) if one is not None]


def was_copied():
    return current.payload is HELD
