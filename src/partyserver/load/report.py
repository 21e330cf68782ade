"""What came of a load, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .accounts import Mode
from .samples import Summary

#: From here on the generator's own part in what was measured is told: how late its event loop is
#: (of one wait in ten), in milliseconds, and its CPU time, of one core.
LATE, BUSY = 10.0, 0.85


@dataclass(frozen=True)
class Progress:
    """After so many seconds. `p99` is of the latencies in the last second, in milliseconds."""

    seconds: int
    connections: int
    open: int
    failures: int
    reconnects: int
    sent: int
    received: int
    under_way: int
    p99: float | None

    def line(self) -> str:
        parts = [
            f"{self.seconds:>4} s",
            f"open {self.open:,}/{self.connections:,}",
            *([f"failures {self.failures:,}"] if self.failures else ()),
            *([f"reconnects {self.reconnects:,}"] if self.reconnects else ()),
            f"sent {self.sent:,}",
            f"received {self.received:,}",
            f"under way {self.under_way:,}",
            *([] if self.p99 is None else [f"p99 {self.p99:,.1f} ms"]),
        ]
        return "  ".join(parts)


@dataclass(frozen=True)
class Limits:
    """What is no failure. Without a `p99` (in milliseconds), no latency is one."""

    lost: int = 0
    duplicated: int = 0
    disordered: int = 0
    failed: int = 0
    p99: float | None = None


@dataclass(frozen=True)
class Report:
    """Numbers of connections and messages; rates a second; times in milliseconds.

    Attributes:
        failed: connections that were never open.
        ended: those that were no longer open at the end.
        failures, closes: how many attempts to connect failed, and how many connections ended
            before the end, by the reason.
        asked: messages that were due, of which so many were `sent`.
        expected: for each message sent, the connections to which it was to come.
        under_way: what was not waited for, after an interruption.
        own: messages received by their senders.
        other: messages that are not of this load.
        lag: how late the generator's event loop was.
        cpu: the generator's share of one core.
    """

    url: str
    mode: Mode
    rooms: int
    is_interrupted: bool
    connections: int
    opened: int
    failed: int
    ended: int
    reconnects: int
    failures: Mapping[str, int]
    closes: Mapping[str, int]
    asked: int
    sent: int
    rate_asked: float
    rate_reached: float
    expected: int
    received: int
    lost: int
    under_way: int
    duplicated: int
    disordered: int
    unexpected: int
    own: int
    other: int
    latency: Summary | None
    connecting: Summary | None
    lag: Summary | None
    cpu: float

    def problems(self, limits: Limits) -> list[str]:
        """What is beyond the limits, in a sentence each."""
        latency = self.latency.p99 if self.latency else 0
        found = [
            (self.lost, limits.lost, "{:,} messages are lost"),
            (self.asked - self.sent, limits.lost, "{:,} messages could not be sent"),
            (self.duplicated, limits.duplicated, "{:,} messages came twice"),
            (self.disordered, limits.disordered, "{:,} messages came out of order"),
            (self.failed, limits.failed, "{:,} connections failed"),
            (self.ended, limits.failed, "{:,} connections ended before the end"),
            (latency, limits.p99, "the latency has a p99 of {:,.1f} ms"),
        ]
        return [
            f"{told.format(count)}: {most:,} allowed"
            for count, most, told in found
            if most is not None and count > most
        ]

    def hints(self) -> list[str]:
        """What the numbers do not say by themselves."""
        found = []
        late = self.lag.p90 if self.lag else 0
        if late >= LATE or self.cpu >= BUSY:
            found.append(
                f"The generator itself was late: it used {self.cpu:.0%} of a core, and one time in "
                f"ten its turn came {late:,.1f} ms late or more. The latencies have this in them, "
                "and the server may do better. Ask for less, or use a machine that has nothing "
                "else to do, or several processes with a part of the load each."
            )
        if self.sent and not self.received and not self.unexpected:
            found.append(
                "None of the messages came back: does the room take them (see --payload), and does "
                "it answer as --mode says?"
            )
        if self.mode is Mode.ECHO and self.unexpected:
            found.append(
                "Connections got messages of others: is this a room that broadcasts? Then say "
                "--mode broadcast, or --mode others if nobody gets their own."
            )
        if self.mode is Mode.BROADCAST and self.received and not self.own:
            found.append(
                "Nobody got their own messages: if that is as it should be, say --mode others."
            )
        if self.mode is Mode.OTHERS and self.unexpected:
            found.append(
                "Connections got messages that were not for them: if the room sends also to the "
                "sender, say --mode broadcast."
            )
        if self.is_interrupted:
            found.append("It was interrupted: the numbers are of the time until then.")
        return found

    def text(self) -> str:
        rows = [
            ("connections", self._connections()),
            *(("  failed", f"{reason}: {count:,}") for reason, count in self.failures.items()),
            *(("  closed", f"{reason}: {count:,}") for reason, count in self.closes.items()),
            ("connecting", _times(self.connecting)),
        ]
        if self.mode is not Mode.CONNECT:
            rows += [
                ("messages", f"{self.sent:,} sent of {self.asked:,}"),
                ("  a second", f"{self.rate_reached:,.1f} of {self.rate_asked:,.1f}"),
                ("  expected", f"{self.expected:,}"),
                ("  received", f"{self.received:,}"),
                ("  lost", f"{self.lost:,}"),
                *([("  under way", f"{self.under_way:,}")] if self.under_way else []),
                ("  duplicated", f"{self.duplicated:,}"),
                ("  out of order", f"{self.disordered:,}"),
                *([("  not expected", f"{self.unexpected:,}")] if self.unexpected else []),
                *([("  of others", f"{self.other:,}")] if self.other else []),
                ("latency", _times(self.latency)),
            ]
        rows.append(("generator", f"CPU {self.cpu:.0%} of a core, late by {_times(self.lag)}"))
        title = f"{self.url}, mode {self.mode}, {self.rooms:,} room{'s' * (self.rooms > 1)}"
        return "\n".join([title, *(f"{name:<16}{value}" for name, value in rows)])

    def _connections(self) -> str:
        parts = [f"{self.opened:,} opened of {self.connections:,}"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if self.ended:
            parts.append(f"{self.ended:,} ended before the end")
        if self.reconnects:
            parts.append(f"{self.reconnects:,} reconnects")
        return ", ".join(parts)

    def data(self) -> dict[str, Any]:
        """What JSON can hold: the attributes, and the hints."""
        return asdict(self) | {"hints": self.hints()}


def _times(times: Summary | None) -> str:
    if times is None:
        return "-"
    return (
        f"p50 {times.p50:,.1f}  p90 {times.p90:,.1f}  p99 {times.p99:,.1f}  max {times.max:,.1f} ms"
    )
