"""Which messages were to come, and which have come: lost, twice, out of order."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from enum import StrEnum


class Mode(StrEnum):
    """Who is to get a message: its sender, all of the room, all but the sender, or nobody."""

    ECHO = "echo"
    BROADCAST = "broadcast"
    OTHERS = "others"
    CONNECT = "connect"


class Accounts:
    """Of all messages of all connections. Those expect one who are open when it is sent.

    Attributes:
        sent, expected, received, duplicated, disordered: messages. What is received is the first of
            each that was expected; disordered ones come after a later one of the same sender.
        unexpected: those of senders that the receiver was not to hear of: in mode `echo` those of
            others, and those from before the receiver was open.
        own: of those received, how many have come to their senders.
        latencies: of what was received, in seconds, from when each was due.
    """

    # No object for each message: Python's garbage collector would look at all of them, again and
    # again. A set of receivers is a number, with a bit for each connection of the room.

    def __init__(self, rooms: Sequence[int], mode: Mode) -> None:
        """
        Args:
            rooms: the room of each connection.
        """
        self.sent = self.expected = self.received = 0
        self.duplicated = self.disordered = self.unexpected = self.own = 0
        self.latencies = array("d")
        self._mode = mode
        self._rooms = rooms
        self._bits: list[int] = []
        self._open = [0] * (max(rooms) + 1)
        sizes = [0] * len(self._open)
        for room in rooms:
            self._bits.append(1 << sizes[room])
            sizes[room] += 1
        # Of each sender, by the number of the message:
        self._due = [array("d") for _ in rooms]
        self._receivers: list[list[int]] = [[] for _ in rooms]
        self._seen: list[list[int]] = [[] for _ in rooms]
        #: Of each receiver, the last number by each sender.
        self._last: list[dict[int, int]] = [{} for _ in rooms]

    def opened(self, connection: int) -> None:
        self._open[self._rooms[connection]] |= self._bits[connection]

    def closed(self, connection: int) -> None:
        self._open[self._rooms[connection]] &= ~self._bits[connection]

    def send(self, sender: int, due: float) -> int:
        """The message's number."""
        receivers = self._bits[sender]
        if self._mode is not Mode.ECHO:
            everyone = self._open[self._rooms[sender]]
            receivers = everyone if self._mode is Mode.BROADCAST else everyone & ~receivers
        self._due[sender].append(due)
        self._receivers[sender].append(receivers)
        self._seen[sender].append(0)
        self.sent += 1
        self.expected += receivers.bit_count()
        return len(self._due[sender]) - 1

    def receive(self, receiver: int, sender: int, number: int, now: float) -> None:
        if (
            sender >= len(self._rooms)
            or number >= len(self._due[sender])
            or self._rooms[sender] != self._rooms[receiver]
            or not self._receivers[sender][number] & self._bits[receiver]
        ):
            self.unexpected += 1
            return
        seen, bit = self._seen[sender], self._bits[receiver]
        if seen[number] & bit:
            self.duplicated += 1
            return
        seen[number] |= bit
        self.received += 1
        self.own += sender == receiver
        self.latencies.append(now - self._due[sender][number])
        last = self._last[receiver]
        if number < last.get(sender, -1):
            self.disordered += 1
        else:
            last[sender] = number

    @property
    def under_way(self) -> int:
        """What has not come yet, and may be lost."""
        return self.expected - self.received

    def lost(self, before: float = math.inf) -> int:
        """What has not come of the messages that were due before that time."""
        return sum(
            (receivers & ~seen).bit_count()
            for sender, dues in enumerate(self._due)
            for due, receivers, seen in zip(
                dues, self._receivers[sender], self._seen[sender], strict=True
            )
            if due < before
        )
