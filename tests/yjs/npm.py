"""npm's yjs, run by Node.js: see peers/documents.mjs."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.node import Node

PEER = Path(__file__).parent / "peers" / "documents.mjs"


class Npm:
    """Asks one after the other; updates are bytes here, and hex there."""

    def __init__(self, node: Node) -> None:
        self._ask = node

    def log(self, seed: int, **options: Any) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
        """What people wrote; and state vectors with all that those had who had them."""
        found = self._ask("log", seed, options)
        moments = [(_bytes(vector), _bytes(update)) for vector, update in found["moments"]]
        return [_bytes(update) for update in found["updates"]], moments

    def merged(self, updates: Iterable[bytes]) -> dict[str, Any]:
        """One update of many, by Yjs; its state vector; and what the document says."""
        found = self._ask("merged", _hex(updates))
        return {
            "update": _bytes(found["update"]),
            "vector": _bytes(found["vector"]),
            "content": found["content"],
        }

    def contents(self, lists: Iterable[Iterable[bytes]], *, gc: bool = True) -> list[str]:
        """What the documents say of those who get these updates one by one."""
        return self._ask("contents", [_hex(updates) for updates in lists], gc)

    def applied(self, updates: Iterable[bytes]) -> list[dict[str, str]]:
        """The content of each alone, or the failure."""
        return self._ask("applied", _hex(updates))

    def size(self, updates: Iterable[bytes]) -> int:
        """How many bytes Yjs' own encoding of the document has."""
        return self._ask("size", _hex(updates))


@contextmanager
def running() -> Iterator[Npm]:
    node = Node(PEER)
    try:
        yield Npm(node)
    finally:
        node.stop()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


def _hex(updates: Iterable[bytes]) -> list[str]:
    return [update.hex() for update in updates]
