"""Evictions: rooms leave memory between two events, and what they lost by it is told."""

from __future__ import annotations

import contextlib
from collections.abc import Container
from typing import Any, NamedTuple

from .errors import RuntimeCommandError, RuntimeLostError
from .runtime import RoomClass, Runtime

#: Milliseconds that a room is given to come to rest before `--party-chaos` leaves it alone.
CHAOS_MS = 500

#: Characters of a lost value that a report shows.
_SHOWN = 200


class Address(NamedTuple):
    """Which Durable Object."""

    room_class: RoomClass
    name: str


class _Left(NamedTuple):
    """What an object held when it was last seen, and had not begun that life with."""

    life: int
    attributes: dict[str, str]


class Evictions:
    """The evictions of one test.

    An attribute counts as lost if it was set or changed after the object's start, and the object's
    next life does not begin with the same value.
    """

    def __init__(self, runtime: Runtime, *, chaos: bool) -> None:
        self._runtime = runtime
        self._chaos = chaos
        self._used: set[Address] = set()
        self._left: dict[Address, _Left] = {}
        self._lost: dict[tuple[Address, str], str] = {}
        self._by_chaos = 0

    def before_event(self, room: Address | None, with_sockets: Container[Address]) -> None:
        """Under `--party-chaos`, evict the room that an event is for; if unknown, every room.

        `with_sockets` are the rooms that the test has open sockets to.
        """
        if self._chaos and self._runtime.is_alive:
            for other in self._used if room is None else self._used & {room}:
                self._evict_if_possible(other, has_sockets=other in with_sockets)
        if room:
            self._used.add(room)

    def hibernate(self, room: Address) -> None:
        self._look(room)
        self._runtime.hibernate(*room)

    def evict(self, room: Address) -> None:
        self._look(room)
        self._runtime.evict(*room)

    def forget(self) -> None:
        """All rooms are gone from memory, and nobody has looked at what they held."""
        self._left.clear()

    def report(self) -> str:
        """What was lost, for a test that has failed."""
        with contextlib.suppress(RuntimeLostError):
            for room in list(self._left):
                self._look(room)
        lines = list(self._lost.values())
        if self._chaos and not lines:
            lines = [f"--party-chaos: {self._by_chaos} evictions, and no attribute was lost"]
        return "\n".join(lines)

    def _evict_if_possible(self, room: Address, *, has_sockets: bool) -> None:
        sleeps = self._runtime.sleeps
        if has_sockets and sleeps.get(room.room_class) is False:
            return
        held = self._look(room)
        if held and held["hibernates"] is not None:
            sleeps[room.room_class] = held["hibernates"]
            if has_sockets and not held["hibernates"]:
                return
        try:
            self._runtime.hibernate(*room, timeout=CHAOS_MS)
            self._by_chaos += 1
        except RuntimeCommandError:
            # Either its sockets keep it in memory, for good, or it was busy just now.
            if has_sockets:
                sleeps.setdefault(room.room_class, False)

    def _look(self, room: Address) -> dict[str, Any] | None:
        """Compare what the room began this life with to what it held at the end of the last."""
        # To look at a room is to load it: one that no event was sent to stays as it is.
        held = self._runtime.attributes(*room) if room in self._used else None
        if held is None or held["birth"] is None:
            return held
        left = self._left.get(room)
        if left and left.life != held["life"]:
            for attribute, value in left.attributes.items():
                after = held["birth"].get(attribute)
                if after != value:
                    loss = _describe_loss(room, attribute, value, after)
                    self._lost.setdefault((room, attribute), loss)
        changed = {
            attribute: value
            for attribute, value in held["now"].items()
            if held["birth"].get(attribute) != value
        }
        self._left[room] = _Left(held["life"], changed)
        return held


def _describe_loss(room: Address, attribute: str, before: str, after: str | None) -> str:
    wake = "gone after the wake" if after is None else f"after the wake: {_shortened(after)}"
    return (
        f"lost in the eviction: {room.room_class.class_name}.{attribute} = {_shortened(before)} "
        f"(room {room.name!r}, {wake})"
    )


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
