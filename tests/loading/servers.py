"""Small servers, which do to messages what rooms should not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread

from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.server import serve as serve_in_threads


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


async def each_of(socket: ServerConnection) -> AsyncIterator[tuple[int, str | bytes]]:
    number = 0
    async for message in socket:
        yield number, message
        number += 1


@asynccontextmanager
async def serving(
    handler: Callable[[ServerConnection], Awaitable[None]], **options
) -> AsyncIterator[str]:
    """The URL of a server in this event loop."""
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        scheme = "wss" if "ssl" in options else "ws"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@contextmanager
def serving_in_threads(answer: Callable[[str], str | None]) -> Iterator[str]:
    """The URL of a server beside this thread, which answers each message, or not."""

    def handle(socket):
        for message in socket:
            answered = answer(message)
            if answered is not None:
                socket.send(answered)

    with serve_in_threads(handle, "127.0.0.1", 0, compression=None) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/room"
        finally:
            server.shutdown()
            thread.join()
