"""JavaScript's values as Python's, and back.

Values may hold what a client chose, as keys and as depth, so two things are minded that Pyodide's
own conversion does not. It takes an object for a plain one by its `constructor`, which may be a
key like any other. And it ends the process where a value is nested too deeply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import js
from pyodide.ffi import JsException, JsProxy, jsnull, to_js

from ..rules.messages import MAX_JSON_DEPTH
from ..rules.plain import SCALARS

#: What a state may have, and the attachment around it.
MAX_DEPTH = MAX_JSON_DEPTH + 2

#: Where JavaScript counts milliseconds from; floats of seconds would lose some.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

CONTAINERS = ("[object Object]", "[object Array]", "[object Map]", "[object Set]")


@cache
def builtin(path: str) -> JsProxy:
    """JavaScript's own "Request" or "JSON.parse": each look-up of one is a call across."""
    value: Any = js
    for name in path.split("."):
        value = getattr(value, name)
    return value  # type: ignore[no-any-return]


@cache
def _kind_function() -> Callable[[Any], str]:
    return js.Function.prototype.call.bind(js.Object.prototype.toString)  # type: ignore[no-any-return]


def kind_of(value: JsProxy) -> str:
    """ "[object Date]" of a Date, "[object Object]" of a plain object, whatever its keys are."""
    return _kind_function()(value)


# --- from JavaScript ------------------------------------------------------------------


def python_value(value: Any) -> Any:
    """A structured clone: dict for an object or a Map, set for a Set, `datetime` for a Date.

    Raises `ValueError` for a value that is nested too deeply, or holds itself.
    """
    if type(value) in SCALARS:
        return value
    if not isinstance(value, JsProxy):
        return _as_python(value)
    try:
        return _as_python(value.to_py(depth=MAX_DEPTH))
    except (JsException, RecursionError):  # "constructor" is null; or the value holds itself
        return by_hand(value)


def _as_python(value: Any) -> Any:
    """What `to_py` has made, with None for null, bytes for buffers, and what it left."""
    if value is jsnull:
        return None
    # Most items are scalars: the call would take longer than the copying.
    if isinstance(value, dict):
        return {
            key: item if type(item) in SCALARS else _as_python(item) for key, item in value.items()
        }
    if isinstance(value, list):
        return [item if type(item) in SCALARS else _as_python(item) for item in value]
    if isinstance(value, memoryview):
        return value.tobytes()
    if isinstance(value, set):
        return {_as_python(item) for item in value}
    if isinstance(value, int) and type(value) is not bool:
        return int(value)  # a BigInt comes as a kind of int
    if isinstance(value, JsProxy):
        return _left_by_pyodide(value)
    return value


def _left_by_pyodide(value: JsProxy) -> Any:
    kind = kind_of(value)
    if kind == "[object Date]":
        return _EPOCH + value.getTime() * _MILLISECOND
    if kind not in CONTAINERS or is_of_a_class(value, kind):
        return value
    if kind == "[object Object]" and has_own_constructor(value):
        return by_hand(value)
    raise too_deep()


def is_evidently_plain(value: Any) -> bool:
    """Whether this is an object or an array of no class, as most are; False if that is not sure."""
    prototype = builtin("Object.getPrototypeOf")(value)
    return prototype is not jsnull and prototype.js_id in _plain_prototypes()


@cache
def _plain_prototypes() -> tuple[int, int]:
    return builtin("Object.prototype").js_id, builtin("Array.prototype").js_id


def is_of_a_class(value: JsProxy, kind: str) -> bool:
    """Whether a value of this kind is no plain object, which may call its keys as it likes."""
    if kind != "[object Object]" or has_own_constructor(value):
        return False
    prototype = builtin("Object.getPrototypeOf")(value)
    return prototype is not jsnull and prototype.js_id != builtin("Object.prototype").js_id


def has_own_constructor(value: JsProxy) -> bool:
    return bool(builtin("Object.hasOwn")(value, "constructor"))


def by_hand(
    value: Any,
    levels: int = MAX_DEPTH,
    *,
    leaf: Callable[[Any], Any] = _as_python,
    mapping: Callable[[dict[Any, Any]], Any] = dict,
    seen: dict[int, Any] | None = None,
) -> Any:
    """As `python_value`, without Pyodide's judgement of what is plain: slow, and seldom needed.

    `seen` are the objects that have been met, and what was made of them.
    """
    if not isinstance(value, JsProxy):
        return leaf(value)
    seen = {} if seen is None else seen
    made: Any = seen.get(value.js_id)
    if made is not None:
        return made
    if value.js_id in seen:
        raise ValueError("a value from JavaScript holds itself")
    kind = kind_of(value)
    if kind not in CONTAINERS or is_of_a_class(value, kind):
        return leaf(value.to_py())
    if not levels:
        raise too_deep()
    seen[value.js_id] = None
    levels -= 1
    # Loops, since each level may take one of Python's frames only.
    if kind in ("[object Array]", "[object Set]"):
        items = []
        for item in value:
            items.append(by_hand(item, levels, leaf=leaf, mapping=mapping, seen=seen))
        made = items if kind == "[object Array]" else set(items)
    else:
        pairs = builtin("Object.entries" if kind == "[object Object]" else "Array.from")(value)
        entries = {}
        for key, item in pairs:
            entries[key] = by_hand(item, levels, leaf=leaf, mapping=mapping, seen=seen)
        made = mapping(entries)
    seen[value.js_id] = made
    return made


def too_deep() -> ValueError:
    return ValueError(f"a value from JavaScript is nested more than {MAX_JSON_DEPTH} levels deep")


# --- to JavaScript --------------------------------------------------------------------


def javascript_value(value: Any) -> Any:
    """What `rules.cloning` has copied, or another JSON-like value with bytes, for JavaScript."""
    return to_js(_with_null(value), dict_converter=builtin("Object.fromEntries"))


def _with_null(value: Any) -> Any:
    if value is None:
        return jsnull
    if isinstance(value, dict):
        return {key: _with_null(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_null(item) for item in value]
    if isinstance(value, datetime):
        return js.Date.new((value - _EPOCH) // _MILLISECOND)
    return value


def string_list(strings: Iterable[str]) -> JsProxy:
    return builtin("Array.of")(*strings)  # type: ignore[no-any-return]


def entries(value: JsProxy) -> list[tuple[str, Any]]:
    return [(key, item) for key, item in js.Object.entries(value)]
