"""A room's key-value storage, as a mapping."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import Any, TypeVar, overload

from .errors import SQLError
from .rules.storage import (
    checked_key,
    checked_value,
    is_possible_key,
    is_stored_as_it_is,
    list_options,
)
from .runtime import JsException, JsProxy, values

T = TypeVar("T")

#: How many entries are read at once where all are: of the largest values, 32 MiB.
_PAGE = 16

Entries = list[list[Any]]


class KeyValues(MutableMapping[str, Any]):
    """The entries of a room, in the order of their keys' UTF-8; what is written outlives all.

    Iteration reads entries in portions, and what it has not come to may change meanwhile.
    """

    __slots__ = ("_get", "_put", "_raw")

    def __init__(self, ctx: Any) -> None:
        self._raw: Any = ctx.storage.kv
        # Looked up once: each look-up of a method is a call into JavaScript, and an object.
        self._get: Any = self._raw.get
        self._put: Any = self._raw.put

    def __getitem__(self, key: str) -> Any:
        value = self._find(key)
        if value is None:
            raise KeyError(key)
        return values.python_value(value)

    def __setitem__(self, key: str, value: Any) -> None:
        key = checked_key(key)
        if not is_stored_as_it_is(value):
            value = values.javascript_value(checked_value(key, value))
        self._store(key, value)

    @overload
    def get(self, key: str, default: None = None) -> Any | None: ...
    @overload
    def get(self, key: str, default: T) -> Any | T: ...
    def get(self, key: str, default: Any = None) -> Any:
        """As a mapping's own, which catches an exception for a key that is not there."""
        value = self._find(key)
        return default if value is None else values.python_value(value)

    def __delitem__(self, key: str) -> None:
        if not is_possible_key(key) or not self._call("delete", self._raw.delete, key):
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._pairs())

    def items(self) -> ItemsView[str, Any]:
        return _Items(self, self._pairs)

    def values(self) -> ValuesView[Any]:
        return _Values(self, self._pairs)

    def _pairs(self) -> Iterator[list[Any]]:
        """All keys with their values, which the platform reads with them."""
        page = self._entries({"limit": _PAGE})
        while page:
            yield from (pair for pair in page if is_possible_key(pair[0]))
            page = self._entries({"limit": _PAGE, "startAfter": page[-1][0]})

    def __len__(self) -> int:
        """It reads all entries."""
        return sum(1 for _ in self)

    def list(
        self,
        *,
        prefix: str | None = None,
        start: str | None = None,
        end: str | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> dict[str, Any]:
        """All keys and values in the order of the keys, or those that the options choose.

        It is one call to the platform, and they are all in memory at once.

        Args:
            prefix: what the keys begin with.
            start: the first key.
            end: the key after the last one.
            limit: how many at most.
            reverse: begin at the end.
        """
        options = list_options(prefix, start, end, limit, reverse)
        if limit == 0:
            return {}
        found = self._entries(options)
        visible = {key: value for key, value in found if is_possible_key(key)}
        if len(visible) < len(found) == limit:  # one more, for the one that is not shown
            found = self._entries({**options, "limit": limit + 1})
            visible = {key: value for key, value in found if is_possible_key(key)}
        return visible

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]  # as it is read back

    def update(self, *arguments: Any, **more: Any) -> None:
        """Store all values, or none if one of them cannot be stored."""
        checked = {}
        for key, value in dict(*arguments, **more).items():
            checked[checked_key(key)] = checked_value(key, value)
        for key, value in checked.items():
            self._store(key, values.javascript_value(value))

    def clear(self) -> None:
        for key in self:
            self._call("delete", self._raw.delete, key)

    def __repr__(self) -> str:
        return "<the room's key-value storage>"

    def _find(self, key: Any) -> Any:
        """The value in JavaScript, in which a stored None is another than none."""
        return self._call("get", self._get, key) if is_possible_key(key) else None

    def _store(self, key: str, value: Any) -> None:
        self._call("put", self._put, key, value)

    def _entries(self, options: Mapping[str, Any]) -> Entries:
        return values.python_value(  # type: ignore[no-any-return]
            self._call("list", self._list, values.javascript_value(options))
        )

    def _list(self, options: JsProxy) -> JsProxy:
        # At once: the platform has one listing of an object at a time.
        return values.builtin("Array.from")(self._raw.list(options))  # type: ignore[no-any-return]

    def _call(self, name: str, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except JsException as error:
            raise SQLError(error.message or str(error), f"kv.{name}") from error


class _Items(ItemsView[str, Any]):
    """Of pages that hold the values already: each entry is read once."""

    def __init__(self, entries: KeyValues, pairs: Callable[[], Iterator[list[Any]]]) -> None:
        super().__init__(entries)
        self._pairs = pairs

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return ((key, value) for key, value in self._pairs())


class _Values(ValuesView[Any]):
    def __init__(self, entries: KeyValues, pairs: Callable[[], Iterator[list[Any]]]) -> None:
        super().__init__(entries)
        self._pairs = pairs

    def __iter__(self) -> Iterator[Any]:
        return (value for _, value in self._pairs())
