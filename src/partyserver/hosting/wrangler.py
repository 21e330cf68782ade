"""A wrangler config becomes a plan."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .modules import modules_of
from .plan import DurableObject, Plan, Variable


def plan_of(data: Mapping[str, Any], folder: Path, *, secrets: tuple[str, ...] = ()) -> Plan:
    """The plan of a config that is merged with its environment already. `folder` is the config's.

    Raises:
        HostingError: it names what cannot be mapped.
    """
    name = data["name"]
    main = folder / data["main"]
    return Plan(
        name=name,
        compatibility_date=data["compatibility_date"],
        compatibility_flags=tuple(data.get("compatibility_flags", ())),
        main=main.name,
        modules=modules_of(data, folder, main),
        vars=tuple(Variable(key, value) for key, value in data.get("vars", {}).items()),
        secrets=secrets,
        durable_objects=_durable_objects(name, data),
    )


def _durable_objects(name: str, data: Mapping[str, Any]) -> tuple[DurableObject, ...]:
    found: dict[str, tuple[str, bool]] = {}  # class -> the key of its storage, SQLite
    for migration in data.get("migrations", ()):
        for class_name in migration.get("new_classes", ()):
            found[class_name] = (class_name, False)
        for class_name in migration.get("new_sqlite_classes", ()):
            found[class_name] = (class_name, True)
        for renamed in migration.get("renamed_classes", ()):
            found[renamed["to"]] = found.pop(renamed["from"])
        for class_name in migration.get("deleted_classes", ()):
            del found[class_name]
    bindings = data.get("durable_objects", {}).get("bindings", ())
    return tuple(
        DurableObject(
            class_name,
            f"{name}-{key}",
            sqlite,
            tuple(one["name"] for one in bindings if one["class_name"] == class_name),
        )
        for class_name, (key, sqlite) in found.items()
    )
