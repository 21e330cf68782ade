"""What may be sent: text that is UTF-8 on the wire, and binary."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import accumulate, chain, takewhile
from json import encoder as encoding
from math import isfinite
from typing import Any, NoReturn


def well_formed(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair, as browsers send it.

    The platform would send the half as it is, which is no UTF-8, and every client that got
    the message would drop its connection.
    """
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


#: None where Python comes without its modules in C.
_c_make_encoder = getattr(encoding, "c_make_encoder", None)


def encoder(*, ensure_ascii: bool, make: Any = _c_make_encoder) -> Callable[[Any], str]:
    """`json.dumps` for values whose depth is known, as compact JSON.

    `JSONEncoder.encode` makes what does its work, and what notices circles, for each call anew. For
    small values that takes most of the time, so it is made once.
    """
    usual = json.JSONEncoder(separators=(",", ":"), ensure_ascii=ensure_ascii, allow_nan=False)
    of_text = encoding.encode_basestring_ascii if ensure_ascii else encoding.encode_basestring
    if make is None:  # Python's own is slower anyway
        return usual.encode
    iterate = make(None, usual.default, of_text, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(iterate(value, 0))


_encode = encoder(ensure_ascii=False)
_encode_ascii = encoder(ensure_ascii=True)


def plain_json(value: Any) -> str:
    """JSON, in ASCII, of a value that `plain.is_plain`."""
    return _encode_ascii(value)


def compact_json(value: Any) -> str:
    """JSON without spaces; half surrogate pairs are escaped, and so arrive as they are.

    Raises `ValueError` for NaN and infinity, which JSON has not, and names their path; and for more
    than 500 levels, which nobody could read.
    """
    check_levels(value, _ANY)
    return _compact(value)


def _compact(value: Any) -> str:
    text = _json(_encode, value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return _encode_ascii(value)
    return text


def ascii_json(value: Any) -> str:
    """The same JSON in ASCII."""
    check_levels(value, _ANY)
    return _json(_encode_ascii, value)


_ANY = "a value for JSON"


def _json(encode: Callable[[Any], str], value: Any) -> str:
    """The JSON of a value whose depth has been checked."""
    try:
        return encode(value)
    except ValueError:
        for path, number in _not_in_json(value, "$"):
            raise ValueError(f"{number} is not JSON compliant: it is at {path}") from None
        raise


def _not_in_json(value: Any, path: str) -> Iterator[tuple[str, float]]:
    """The NaN and infinite numbers in a value that has been refused, and where they are."""
    if isinstance(value, float) and not isfinite(value):
        yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _not_in_json(key, f"a key of {path}")
            yield from _not_in_json(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _not_in_json(item, f"{path}[{index}]")


def bounded_json(value: Any, what: str, levels: int | None = None) -> str:
    """`compact_json` of a value that is kept as JSON, with errors that say `what` it is.

    Raises:
        TypeError: JSON has no such values.
        ValueError: JSON has no such numbers, or the value is nested too deeply, or holds itself.
    """
    check_levels(value, what, levels)
    try:
        return _compact(value)
    except TypeError as error:
        raise TypeError(f"{what} is a value that JSON has: {error}") from error


def stored_json(value: Any, what: str, *, limit: int, instead: str, was_json: bool = False) -> str:
    """`bounded_json` of a value that is stored, and read again, as it is.

    So it has no keys that would come back as texts, which one that `was_json` need not be asked,
    and at most `limit` bytes; `instead` goes on with what to do with more.

    Raises:
        TypeError: JSON has no such values, or no such keys.
        ValueError: JSON has no such numbers; or the value is nested too deeply, holds itself, or is
            too large.
    """
    text = bounded_json(value, what)
    if not was_json:
        _check_keys(value, what)
    check_json(text)  # what could not be read again
    if len(text) > limit // 4 and (size := len(text.encode())) > limit:
        raise ValueError(f"{what} has at most {limit:,} bytes as JSON, not {size:,}{instead}")
    return text


def _check_keys(value: Any, what: str) -> None:
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{what}'s dicts have str keys only, not {key!r}")
    # A loop, since each level may take one of Python's frames only.
    for item in items_of(value) or ():
        _check_keys(item, what)


def items_of(value: Any) -> Iterable[Any] | None:
    """What a container holds, a msgspec struct and a dataclass among them; None of all else."""
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    for names in ("__struct_fields__", "__dataclass_fields__"):
        if (fields := getattr(type(value), names, None)) is not None:
            return [getattr(value, name, None) for name in fields]
    return None


def check_levels(value: Any, what: str, levels: int | None = None) -> None:
    """Raise `ValueError` for what would end the whole process, with all of its rooms.

    Encoders, too, overflow WebAssembly's stack at about 5,000 levels, where Python cannot notice.
    So a value is not encoded before its depth is known: at most 500 `levels`, as those of what is
    read. `what` is the value, for people.
    """
    if isinstance(value, dict) and _PLAIN.issuperset(map(type, value.values())):
        return  # as most messages are, for which the rest would take longer than their encoding
    levels = MAX_JSON_DEPTH if levels is None else levels
    level, kinds = [value], {type(value)}
    for _ in range(levels):
        if kinds == _DICTS:
            held = list(chain.from_iterable(map(dict.values, level)))
        elif kinds == _LISTS:
            held = list(chain.from_iterable(level))
        else:
            held = [item for container in level for item in items_of(container) or ()]
        kinds = set(map(type, held))
        if kinds <= _PLAIN:
            return
        level = [item for item in held if type(item) not in _PLAIN] if kinds & _PLAIN else held
        kinds -= _PLAIN
        if len(level) > _FEW:
            # By identity: values that hold others twice on each level would be too many.
            level = list({id(item): item for item in level}.values())
    if any(items_of(one) is not None for one in level):
        raise ValueError(
            f"{what} is nested at most {levels} levels deep, and does not hold itself"
            + (" (Circular reference detected)" if _holds_itself(value) else "")
        )


def _holds_itself(value: Any) -> bool:
    """Whether a container is among what it holds, at whatever depth."""
    above = {id(value): iter(items_of(value) or ())}
    done: set[int] = set()
    while above:
        for item in next(reversed(above.values())):
            if id(item) in above:
                return True
            if id(item) not in done and (held := items_of(item)) is not None:
                above[id(item)] = iter(held)
                break
        else:
            done.add(above.popitem()[0])
    return False


#: What holds nothing.
_PLAIN = frozenset((str, int, float, bool, bytes, type(None)))


_DICTS, _LISTS = {dict}, {list}
#: Values; to look at some of them twice takes no longer than to find that out.
_FEW = 100

#: Levels of lists and objects. Far above what people nest, and far below what breaks.
MAX_JSON_DEPTH = 500


def parse_json(text: str | bytes) -> Any:
    """`json.loads` for what clients send: whatever is wrong with it is a `ValueError`.

        def on_message(self, connection, message):
            try:
                event = parse_json(message)
            except ValueError:
                connection.send_json({"error": "not JSON"})
                return

    That includes what Python reads and JSON cannot hold, so that it does not reach other
    clients: `NaN`, `Infinity`, numbers such as `1e999` that no browser has, and more than 500
    levels of brackets.
    """
    if isinstance(text, bytes):
        text = text.decode()
    check_depth(text)
    return _decode_checked(text) if _may_overflow(text) else _decode(text)


def parse_own_json(text: str) -> Any:
    """JSON that the library has had made, of what is nested less deeply than what breaks."""
    return _decode(text)


def check_json(text: str) -> None:
    """Raise `ValueError` for JSON that other decoders read, and `parse_json` refuses.

    These are nesting, and numbers that no browser has. What is no JSON at all may pass.
    """
    check_depth(text)
    if _may_overflow(text):
        with suppress(json.JSONDecodeError):
            _decode_checked(text)


def _may_overflow(text: str) -> bool:
    """Whether a number has an exponent of three digits, or so many that one of two would do."""
    if _EXPONENT.search(text):
        return True
    # 200 digits in a row have one in each 200th place.
    return _DIGIT.search(text[199::200]) is not None and _LONG.search(text) is not None


_EXPONENT = re.compile(r"[0-9][eE]\+?[0-9]{3}")
_DIGIT = re.compile("[0-9]")
_LONG = re.compile(r"(?<![0-9])[0-9]{200}")


def _finite_float(number: str) -> float:
    value = float(number)
    if not isfinite(value):
        raise ValueError(f"{number[:20]} is larger than numbers get")
    return value


def _finite_int(number: str) -> int:
    if len(number) > _DIGITS:
        _finite_float(number)
    return int(number)


#: Of the largest number that JavaScript, and so a browser, has.
_DIGITS = 308


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class _Decoder(json.JSONDecoder):
    # Taken before it is guarded for the whole isolate: the depth has been checked.
    raw_decode = json.JSONDecoder.raw_decode


# Made once, as the encoders.
_decode = _Decoder(parse_constant=_refuse).decode
_decode_checked = _Decoder(
    parse_constant=_refuse, parse_float=_finite_float, parse_int=_finite_int
).decode


def check_depth(text: str, start: int = 0) -> None:
    """Raise `ValueError` for JSON that would end the whole process, with all of its rooms.

    About 5,000 brackets inside each other, in 5 KB, overflow WebAssembly's stack in Python's
    decoder, where Python cannot notice (Pyodide 314.0.6).

    The value that begins at `start` is measured, and not what follows it.
    """
    if start <= _FEW_SPACES and text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return
    if _CONTAINER.match(text, start) is None:
        return
    depth = 0
    in_string = False
    size = 1024  # characters: growing, since most texts that hold many values hold short ones
    while start < len(text):
        end = start + size
        part = text[start:end]
        if (len(part) - len(part.rstrip("\\"))) % 2:  # it ends in the middle of an escape
            end += 1
            part = text[start:end]
        brackets, in_string = _brackets(part, in_string)
        depths = accumulate(map(_STEPS.__getitem__, brackets), initial=depth)
        next(depths)
        deepest = max(takewhile(bool, depths), default=0)
        if deepest > MAX_JSON_DEPTH:
            message = f"JSON nested more than {MAX_JSON_DEPTH} levels deep"
            raise json.JSONDecodeError(message, text, start)
        depth += sum(map(_STEPS.__getitem__, brackets))
        if depth <= 0 or next(depths, None) is not None:
            return  # the value's last bracket
        start, size = end, min(size * 4, 65536)


#: Before a value that is all of its text.
_FEW_SPACES = 16
_CONTAINER = re.compile(r"\s*[\[{]")
_ESCAPES = re.compile(rb"\\.", re.DOTALL)
_STRINGS = re.compile(rb'"[^"]*"?')
_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _brackets(part: str, in_string: bool) -> tuple[bytes, bool]:
    """The brackets in a part of JSON but for those in strings, and whether it ends in a string.

    Each step is a call that Python does not have to loop over, for the sake of speed.
    """
    code = part.encode(errors="surrogatepass")
    if in_string:
        code = b'"' + code
    if b"\\" in code:
        code = _ESCAPES.sub(b"", code)
    code = code.translate(None, _OTHERS)
    return _STRINGS.sub(b"", code), code.count(b'"') % 2 == 1
