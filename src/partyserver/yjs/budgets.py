"""How many bytes somebody is told for the asking."""

from __future__ import annotations

#: Bytes of an answer that costs nothing: who has almost all may ask as often as it likes.
SMALL = 16 * 1024
#: Bytes that one connection is told at once, and in each second. A first answer may be longer: it
#: has the whole document.
AT_ONCE, PER_SECOND = 16_000_000, 250_000


class Budget:
    """What one connection may still be told: bytes, which come back with time.

    An answer's length is known when it has been made. So what is left may be less than nothing, and
    the next question has to wait until it is more again.
    """

    __slots__ = ("_at", "_left")

    def __init__(self, now: float) -> None:
        self._left: float = AT_ONCE
        self._at = now

    def is_left(self, now: float) -> bool:
        """Whether a question is answered. `now` is in seconds."""
        elapsed = max(0.0, now - self._at)  # clocks may be set back
        self._at = now
        self._left = min(AT_ONCE, self._left + elapsed * PER_SECOND)
        return self._left > 0

    def pay(self, size: int) -> None:
        """Count an answer."""
        if size > SMALL:
            self._left -= size
