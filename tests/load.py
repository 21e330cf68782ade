"""WebSocket clients that cost next to nothing, for the load of thousands.

They write frames made beforehand (with a mask of zeros, so that a payload is its own masked form)
and count the bytes of the answers, whose length is known.
"""

from __future__ import annotations

import asyncio
import struct
from urllib.parse import urlsplit

TEXT, BINARY, CLOSE = 0x81, 0x82, 0x88


def client_frame(opcode: int, payload: bytes) -> bytes:
    return _header(opcode, payload, masked=0x80) + bytes(4) + payload


def server_frame(opcode: int, payload: bytes) -> bytes:
    return _header(opcode, payload, masked=0) + payload


def _header(opcode: int, payload: bytes, masked: int) -> bytes:
    size = len(payload)
    if size < 126:
        return struct.pack("!BB", opcode, masked | size)
    if size < 2**16:
        return struct.pack("!BBH", opcode, masked | 126, size)
    return struct.pack("!BBQ", opcode, masked | 127, size)


CLOSE_1000 = struct.pack("!H", 1000)


class Client:
    """An open WebSocket, whose first message has been read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, url: str, welcome: bytes | None = None, limit: int = 2**16) -> Client:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=limit)
        target = address.path + (f"?{address.query}" if address.query else "")
        writer.write(
            f"GET {target} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101"), answer
        client = cls(reader, writer)
        if welcome is not None:
            await client.expect(server_frame(TEXT, welcome))
        return client

    def send(self, frames: bytes) -> None:
        self.writer.write(frames)

    async def expect(self, frames: bytes) -> None:
        received = await self.reader.readexactly(len(frames))
        assert received == frames, received

    async def skip(self, size: int) -> None:
        """Read that many bytes, whatever they are."""
        while size:
            data = await self.reader.read(min(size, 2**16))
            assert data, f"the server hung up with {size} bytes to come"
            size -= len(data)

    async def close(self) -> None:
        """The close handshake, from its first frame to its last."""
        self.send(client_frame(CLOSE, CLOSE_1000))
        await self.expect(server_frame(CLOSE, CLOSE_1000))
        self.drop()

    def drop(self) -> None:
        self.writer.close()
