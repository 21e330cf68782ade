"""What wrangler's own schema says of a config: as much of JSON Schema as that needs."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from .pages import ROOT

TYPES: dict[str, Any] = {
    "string": str,
    "array": list,
    "object": dict,
    "boolean": bool,
    "number": (int, float),
    "integer": int,
    "null": type(None),
}


@cache
def schema() -> Any:
    return json.loads((ROOT / "node_modules/wrangler/config-schema.json").read_text())


def check(config: dict[str, Any]) -> None:
    """An `AssertionError` that names what wrangler would not take."""
    complaints = list(wrong(config, {"$ref": "#/definitions/RawConfig"}, ""))
    assert not complaints, complaints[0]


def wrong(value: Any, rule: Any, place: str) -> Any:
    """What is wrong with a value, each with its place."""
    if "$ref" in rule:
        rule = schema()["definitions"][rule["$ref"].rpartition("/")[2]]
    if options := rule.get("anyOf") or rule.get("oneOf"):
        tried = [list(wrong(value, option, place)) for option in options]
        if all(tried):
            yield min(tried, key=len)[0]
        return
    for one in rule.get("allOf", []):
        yield from wrong(value, one, place)
    if "const" in rule and value != rule["const"]:
        yield f"{place} is {value!r}, and not {rule['const']!r}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{place} is {value!r}, and none of {rule['enum']}"
    if kind := rule.get("type"):
        kinds = [kind] if isinstance(kind, str) else kind
        if not any(isinstance(value, TYPES[one]) for one in kinds) or (
            isinstance(value, bool) and "boolean" not in kinds
        ):
            yield f"{place} is {value!r}, and no {' or '.join(kinds)}"
            return
    if isinstance(value, list) and isinstance(items := rule.get("items"), dict):
        for one in value:
            yield from wrong(one, items, place)
    if isinstance(value, dict):
        properties, others = rule.get("properties", {}), rule.get("additionalProperties", True)
        for name in rule.get("required", []):
            if name not in value:
                yield f"{place} has no {name}"
        for name, one in value.items():
            inner = f"{place}.{name}".lstrip(".")
            if name in properties:
                yield from wrong(one, properties[name], inner)
            elif others is False:
                yield f"wrangler does not know {inner}"
            elif isinstance(others, dict):
                yield from wrong(one, others, inner)
