"""The load generator, `load.mjs`, as an object."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from types import TracebackType
from typing import Any

from .machine import CLIENT_CORE, on_core
from .paths import BENCH, NODE


@dataclass(frozen=True)
class Took:
    """What a command took, in seconds: on the clock, and of the generator's CPU."""

    seconds: float
    cpu: float


@dataclass(frozen=True)
class Message:
    """What is sent (by default of this size), what comes back (the same), and to how many.

    With `answers` these are JSON, and may be more than one: what comes back to the sender, and to
    each of the `others`.
    """

    size: int = 32
    binary: bool = False
    fanout: int = 1
    reply: str | None = None
    text: str | None = None
    answers: tuple[str, ...] | None = None
    others: tuple[str, ...] = ()

    def fields(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Document:
    """One of about so many bytes, as Yjs encodes it.

    Attributes:
        kind: "typed" by three people, with much going back and forth; or "pasted" in one go.
    """

    size: int
    kind: str = "typed"


@dataclass(frozen=True)
class Paced:
    """What came of messages that were sent at a pace."""

    sent: int
    received: int
    #: So many of these came before the last one was sent.
    in_time: int
    #: So many times were seen, and how long these messages were under way, in milliseconds.
    watched: int
    median: float
    p95: float


class Load:
    def __enter__(self) -> Load:
        self._process = subprocess.Popen(
            [NODE, BENCH / "load.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=partial(on_core, CLIENT_CORE),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def open(self, group: str, port: int, paths: Sequence[str], *, greeting: int = 0) -> Took:
        """Connections, to each of which so many messages come at once."""
        return self._do("open", group=group, port=port, paths=paths, greeting=greeting)

    def probe(self, group: str, message: Message) -> None:
        self._do("probe", group=group, **message.fields())

    def run(self, group: str, messages: int, message: Message, *, window: int) -> Took:
        return self._do("run", group=group, messages=messages, window=window, **message.fields())

    def pace(
        self,
        group: str,
        text: str,
        *,
        senders: int,
        rate: float,
        seconds: float,
        watched: int,
    ) -> Took:
        """So many of the sockets send `rate` messages a second each, whatever comes back."""
        return self._do(
            "pace",
            group=group,
            text=text,
            senders=senders,
            rate=rate,
            seconds=seconds,
            watched=watched,
        )

    def rest(self, group: str, fanout: int = 0) -> Paced:
        """Wait until each message that `pace` has sent has come so many times."""
        found = self._ask("rest", group=group, fanout=fanout)
        return Paced(**{field.name: found[field.name] for field in fields(Paced)})

    def write(self, group: str, document: Document, *, rooms: int = 1) -> None:
        """Bring a document to so many rooms, by the first of their sockets each."""
        self._ask("write", group=group, document=asdict(document), rooms=rooms)

    def listen(self, group: str, *, rooms: int = 1) -> None:
        """One keystroke in each room: what the others hear has to be what was typed."""
        self._ask("listen", group=group, rooms=rooms)

    def type(self, group: str, keystrokes: int, *, window: int = 1, backspaces: float = 0) -> Took:
        """Keystrokes in the document of one room, by its sockets in turn."""
        return self._do(
            "type", group=group, keystrokes=keystrokes, window=window, backspaces=backspaces
        )

    def encoded_size(self, group: str) -> int:
        """How many bytes Yjs itself needs for all that was typed."""
        return int(self._ask("size", group=group)["size"])

    def newcomers(
        self, group: str, port: int, path: str, count: int, *, is_checked: bool = False
    ) -> Took:
        """One after the other, each until it has the document; its sockets become the group's."""
        return self._do(
            "newcomers", group=group, port=port, path=path, count=count, is_checked=is_checked
        )

    def wake(self, group: str, *, rooms: int) -> Took:
        """A keystroke in each of so many rooms, one after the other."""
        return self._do("wake", group=group, rooms=rooms)

    def close(self, group: str, *, handshake: bool = False) -> Took:
        return self._do("close", group=group, handshake=handshake)

    def http(self, port: int, paths: Sequence[str], count: int, *, concurrency: int = 8) -> Took:
        return self._do("http", port=port, paths=paths, count=count, concurrency=concurrency)

    def _do(self, op: str, **options: Any) -> Took:
        found = self._ask(op, **options)
        return Took(found["seconds"], found["cpu"])

    def _ask(self, op: str, **options: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        result: dict[str, Any] = (
            json.loads(line) if line else {"error": "the load generator has died"}
        )
        if "error" in result:
            raise RuntimeError(f"{op} {options.get('group', '')}: {result['error']}")
        return result
