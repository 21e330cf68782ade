"""What survives hibernation with a socket, in npm partyserver's layout.

{"__pk": {"id": str, "tags": [str], "uri": str | None}, "__user": state}
"""

from __future__ import annotations

from typing import Any, NamedTuple

#: The platform's limit for a serialized attachment, in bytes.
#: https://developers.cloudflare.com/durable-objects/api/websockets/
MAX_SIZE = 16_384


class Attachment(NamedTuple):
    """A connection as its socket remembers it."""

    id: str
    tags: tuple[str, ...]
    uri: str | None
    state: Any

    def pack(self) -> dict[str, Any]:
        identity = {"id": self.id, "tags": list(self.tags), "uri": self.uri}
        return {"__pk": identity, "__user": self.state}


def unpack(value: Any) -> Attachment | None:
    """Read an attachment; None for the sockets that are not this library's."""
    if not isinstance(value, dict) or not isinstance(value.get("__pk"), dict):
        return None
    identity = value["__pk"]
    if not isinstance(identity.get("id"), str):
        return None
    tags = identity.get("tags")
    uri = identity.get("uri")
    return Attachment(
        id=identity["id"],
        tags=tuple(tags) if isinstance(tags, list) else (),
        uri=uri if isinstance(uri, str) else None,
        state=value.get("__user"),
    )


def copy_state(value: Any) -> Any:
    """A deep copy of a JSON-like value (with bytes); `TypeError` for anything else.

    Tuples become lists, as they will be after hibernation.
    """
    kind = type(value)
    if kind in (str, int, float, bool, bytes) or value is None:
        return value
    if kind is dict:
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"a connection's state has str keys only, not {key!r}")
        return {str.__str__(key): copy_state(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [copy_state(item) for item in value]
    # Subclasses (JsDict, IntEnum, defaultdict) are read back as what they are a kind of.
    if isinstance(value, str):
        return str.__str__(value)  # an enum's own would be its name
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, dict):
        return copy_state(dict(value))
    if isinstance(value, list | tuple):
        return copy_state(list(value))
    raise TypeError(
        "a connection's state is made of dict, list, str, int, float, bool, None and bytes, "
        f"not {kind.__name__}: {value!r}"
    )
