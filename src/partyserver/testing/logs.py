"""The runtime's log, as tests read it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, overload

from .readable import readable

#: Seconds that a wait takes at most, of a log or of a socket.
TIMEOUT = 5.0


class LogLine(NamedTuple):
    """One entry of the log. The traceback of an uncaught exception is one entry of many lines.

    As text it is one to read: of an entry that is a JSON object, as `logs.enable(json=True)` writes
    it, the field `exception` follows in lines of its own.
    """

    level: str
    """`log`, `debug`, `info`, `warn` or `error`."""
    message: str
    timestamp: float
    """Seconds since 1970."""

    def __str__(self) -> str:
        text = readable(self.message)
        return text if self.level == "log" else f"[{self.level}] {text}"


class LogBook:
    """All that the runtime has logged, appended to by one thread and waited for by others."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self._changed = threading.Condition()

    def append(self, line: LogLine) -> None:
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()

    def wait_for(self, text: str, start: int, timeout: float) -> LogLine | None:
        """The first line from `start` on that holds `text`; `None` when the time is over."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for line in self.lines[start:]:
                    if text in line.message:
                        return line
                start = len(self.lines)
                if not self._changed.wait(deadline - time.monotonic()):
                    return None


class Logs(Sequence[LogLine]):
    """What was logged since the test began: a sequence of lines, and a readable `str`.

    `"text" in logs` asks whether any line holds that text.
    """

    def __init__(
        self, book: LogBook, start: int, timeout: float, check: Callable[[], object]
    ) -> None:
        # `timeout` is the default one; `check` raises if the worker that logs has been lost.
        self._book = book
        self._start = start
        self._timeout = timeout
        self._check = check

    def __len__(self) -> int:
        return len(self._book.lines) - self._start

    @overload
    def __getitem__(self, index: int) -> LogLine: ...

    @overload
    def __getitem__(self, index: slice) -> list[LogLine]: ...

    def __getitem__(self, index: int | slice) -> LogLine | list[LogLine]:
        return self._book.lines[self._start :][index]

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._book.lines[self._start :])

    def __contains__(self, item: object) -> bool:
        if isinstance(item, str):
            return any(item in line.message for line in self)
        return any(item == line for line in self)

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def __repr__(self) -> str:
        return f"<Logs: {len(self)} lines>\n{self}"

    def wait_for(self, text: str, timeout: float | None = None) -> LogLine:
        """Wait until a line holds `text`, and return that line.

        `timeout` is in seconds. Default: the ini option `party_timeout`, which is 5.

        Raises:
            TimeoutError: none came within that time; the message holds the log.
            RuntimeLostError: the worker no longer answers.
        """
        timeout = self._timeout if timeout is None else timeout
        line = self._book.wait_for(text, self._start, timeout)
        if line is None:
            self._check()
            raise TimeoutError(f"nothing logged held {text!r} within {timeout:g} s{self.as_note()}")
        return line

    def as_note(self) -> str:
        """The log as the end of an error message."""
        return f"\n\nThe server's log:\n{self}" if len(self) else "\n\nThe server logged nothing."
