"""The classes of Durable Objects that a config's migrations leave, and under which keys they store.

A key is that of the class when it was new, and stays when the class is renamed. A class that is
new under a name that has been used before gets `~1`, `~2`, ... behind it. `workerd serve` and
`workerd deploy` do the same for a project in JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class Classes:
    """The classes, as migrations have left them so far."""

    def __init__(self) -> None:
        #: By the name of the class: the key, and whether it has SQL.
        self.live: dict[str, tuple[str, bool]] = {}
        self._used: dict[str, int] = {}
        self.problems: list[str] = []

    def create(self, name: str, *, sqlite: bool) -> None:
        if name in self.live:
            self.problems.append(f"migrations: the new class {name} is there already")
            return
        count = self._used.get(name, 0)
        self._used[name] = count + 1
        self.live[name] = (f"{name}~{count}" if count else name, sqlite)

    def rename(self, old: str, new: str) -> None:
        if old not in self.live:
            self.problems.append(f"migrations: there is no class {old} to be renamed")
        elif new in self.live:
            self.problems.append(f"migrations: {old} cannot become {new}, which is there already")
        else:
            self.live[new] = self.live.pop(old)

    def delete(self, name: str) -> None:
        if self.live.pop(name, None) is None:
            self.problems.append(f"migrations: there is no class {name} to be deleted")


def replay(migrations: Iterable[Mapping[str, Any]]) -> Classes:
    """What `migrations` of a wrangler config leave. The order within one is workerd's own."""
    classes = Classes()
    for migration in migrations:
        for name in _names(migration, "deleted_classes", classes):
            classes.delete(name)
        for one in _renames(migration, classes):
            classes.rename(*one)
        for name in _names(migration, "new_classes", classes):
            classes.create(name, sqlite=False)
        for name in _names(migration, "new_sqlite_classes", classes):
            classes.create(name, sqlite=True)
        if migration.get("transferred_classes"):
            classes.problems.append(
                "migrations: transferred_classes brings the rooms of another worker, which are "
                "not on this machine: use new_sqlite_classes"
            )
    return classes


def _names(migration: Mapping[str, Any], key: str, classes: Classes) -> list[str]:
    value = migration.get(key) or []
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    classes.problems.append(f"migrations: {key} must be a list of names")
    return []


def _renames(migration: Mapping[str, Any], classes: Classes) -> Iterator[tuple[str, str]]:
    value = migration.get("renamed_classes") or []
    for one in value if isinstance(value, list) else [None]:
        match one:
            case {"from": str(old), "to": str(new)}:
                yield old, new
            case _:
                classes.problems.append(
                    'migrations: renamed_classes must be a list as [{ from = "Old", to = "New" }]'
                )
