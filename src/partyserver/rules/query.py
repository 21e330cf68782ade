"""The query of a URL, as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl


class Query(Mapping[str, str]):
    """What stands behind the question mark of a URL: names, and the last value of each.

    ctx.query.get("color", "black")
    ctx.query.get_all("tag")            # ?tag=a&tag=b
    """

    __slots__ = ("_values",)

    def __init__(self, url: str | None) -> None:
        _, _, query = (url or "").partition("#")[0].partition("?")
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            self._values.setdefault(name, []).append(value)

    def get_all(self, name: str) -> list[str]:
        """All values of a name, in the order of the URL; an empty list if it has none."""
        return list(self._values.get(name, ()))

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Query({dict(self)!r})"
