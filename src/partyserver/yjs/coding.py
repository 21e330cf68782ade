"""Numbers, texts and values as Yjs writes them: lib0's encoding, version 1."""

from __future__ import annotations

from math import inf

#: JavaScript's largest exact integer: clients refuse what is larger.
MAX_SAFE_INTEGER = 2**53 - 1
#: How deep a value may be nested. Clients read it by recursion.
MAX_DEPTH = 500
#: What reading an update may cost, in values such as the numbers of a list. It bounds time and
#: memory whatever the update says of itself: 250,000 structs, or six times as many values, take
#: some 5 seconds in the runtime, where an event has 30 seconds of CPU, and 20 MB, where all rooms
#: of a process have 128: https://developers.cloudflare.com/durable-objects/platform/limits/
MAX_COST = 1_500_000
#: What a struct or a range of clocks costs, and a client.
PIECE_COST, CLIENT_COST = 6, 18

_UNDEFINED, _NULL, _INTEGER, _FLOAT32, _FLOAT64, _BIGINT = 127, 126, 125, 124, 123, 122
_FALSE, _TRUE, _TEXT, _OBJECT, _ARRAY, _BYTES = 121, 120, 119, 118, 117, 116
#: Bytes after the tag, of values that are always as long.
_FIXED = {
    _UNDEFINED: 0,
    _NULL: 0,
    _FALSE: 0,
    _TRUE: 0,
    _FLOAT32: 4,
    _FLOAT64: 8,
    _BIGINT: 8,
}


class MalformedError(ValueError):
    """Bytes are not what Yjs would have written. Nothing has been taken from them."""


class Reader:
    """Bytes, from the left to the right.

    Args:
        bounded: whether to read no more than `MAX_COST`. What is not, has been made here.
    """

    __slots__ = ("_left", "data", "position")

    def __init__(self, data: bytes, *, bounded: bool = True) -> None:
        self.data = data
        self.position = 0
        self._left = MAX_COST if bounded else inf

    def integer(self) -> int:
        """An unsigned one.

        Raises:
            MalformedError: the bytes end in it, or it is over `MAX_SAFE_INTEGER`.
        """
        data, position = self.data, self.position
        try:
            value = data[position]
        except IndexError:
            raise _ends_early() from None
        position += 1
        if value < 128:
            self.position = position
            return value
        value -= 128
        shift = 7
        for byte in data[position : position + 7]:  # 8 bytes have 56 bits
            if byte < 128:
                value |= byte << shift
                if value > MAX_SAFE_INTEGER:
                    break
                self.position = position + shift // 7
                return value
            value |= byte - 128 << shift
            shift += 7
        if shift < 56 and value <= MAX_SAFE_INTEGER:
            raise _ends_early()
        raise MalformedError("a number is over 2**53 - 1, or has more bytes than it needs")

    def count(self, cost: int) -> int:
        """How many things follow, each of which costs something.

        Raises:
            MalformedError: so many are not read, and are not said to follow by a client.
        """
        count = self.integer()
        self.pay(count * cost)
        return count

    def pay(self, cost: int) -> None:
        """Do work that so many values would cost, or refuse it."""
        self._left -= cost
        if self._left < 0:
            raise MalformedError("there is more in it than is read at once")

    def byte(self) -> int:
        position = self.position
        try:
            byte = self.data[position]
        except IndexError:
            raise _ends_early() from None
        self.position = position + 1
        return byte

    def take(self, length: int) -> bytes:
        start = self.position
        self.skip(length)
        return self.data[start : self.position]

    def skip(self, length: int) -> None:
        end = self.position + length
        if end > len(self.data):
            raise _ends_early()
        self.position = end

    def text(self) -> bytes:
        """UTF-8, as it stands there; whether it is any has been looked at."""
        data = self.bytes()
        if not data.isascii():
            text_of(data)
        return data

    def skip_value(self) -> None:
        """One of lib0's *any* values: what JSON has, and some more.

        Raises:
            MalformedError: it is none that a client could read.
        """
        remaining, keyed = 1, False  # at this level
        above: list[tuple[int, bool]] = []
        while True:
            while not remaining:
                if not above:
                    return
                remaining, keyed = above.pop()
            remaining -= 1
            if keyed:
                self.text()
            tag = self.byte()
            if tag == _INTEGER:
                self._skip_signed()
            elif tag == _TEXT:
                self.text()
            elif tag in _FIXED:
                self.skip(_FIXED[tag])
            elif tag == _BYTES:
                self.bytes()
            elif tag in (_ARRAY, _OBJECT):
                above.append((remaining, keyed))
                if len(above) >= MAX_DEPTH:
                    raise MalformedError(f"a value is nested more than {MAX_DEPTH} deep")
                remaining, keyed = self.count(1), tag == _OBJECT
            else:
                raise MalformedError(f"there is no value with the tag {tag}")

    def _skip_signed(self) -> None:
        """An integer whose first byte has a sign, and so six bits of it only."""
        for _ in range(5):
            if self.byte() < 128:
                return
        # Yjs writes numbers of more than 31 bits in another way.
        raise MalformedError("an integer has more than 31 bits")

    @property
    def is_at_end(self) -> bool:
        return self.position == len(self.data)

    # The last one, since what follows it could not name the type any more.
    def bytes(self) -> bytes:
        """Their length, and then so many."""
        return self.take(self.integer())


def integer(value: int) -> bytes:
    """The bytes of an unsigned integer."""
    if value < 128:
        return _SMALL[value]
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
    return bytes(written)


_SMALL = [bytes((value,)) for value in range(128)]


def text_of(data: bytes) -> str:
    """
    Raises:
        MalformedError: it is no UTF-8. Clients refuse that, too.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise MalformedError("a text is not UTF-8") from None


def _ends_early() -> MalformedError:
    return MalformedError("the bytes end too early")
