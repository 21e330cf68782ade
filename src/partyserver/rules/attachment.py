"""What survives hibernation with a socket, in npm partyserver's layout.

{"__pk": {"id": str, "tags": [str], "uri": str | None}, "__user": state}

What this library keeps beyond that stands in one further key, `__py`, by the names of its parts.
Keys that are unknown here survive what is written, as `__py` survives npm's `setState`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from json import encoder
from types import MappingProxyType
from typing import Any, NamedTuple

from .cloning import STATE, copy, read
from .messages import plain_json
from .plain import is_plain

#: The platform's limit for a serialized attachment, in bytes.
#: https://developers.cloudflare.com/durable-objects/api/websockets/
MAX_SIZE = 16_384

#: The name by which an identity is kept, as JSON.
AUTH = "auth"

_KEYS = frozenset(("__pk", "__user", "__py"))
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Attachment(NamedTuple):
    """A connection as its socket remembers it."""

    id: str
    tags: tuple[str, ...]
    uri: str | None
    state: Any
    #: What parts keep, by their names.
    kept: Mapping[str, Any] = _NOTHING
    #: The attachment as it was found, if it has keys that are unknown here.
    foreign: Any = None

    @property
    def auth(self) -> str | None:
        """Who the connection is from, as JSON."""
        auth = self.kept.get(AUTH)
        return auth if isinstance(auth, str) else None

    def with_tags(self, tags: tuple[str, ...]) -> Attachment:
        return self._replace(tags=tags)

    def with_state(self, state: Any) -> Attachment:
        id, tags, uri, _, kept, foreign = self
        return tuple.__new__(Attachment, (id, tags, uri, state, kept, foreign))

    def with_kept(self, name: str, value: Any) -> Attachment:
        """The same, where the part of this name keeps `value`; None is nothing to keep."""
        others = {other: kept for other, kept in self.kept.items() if other != name}
        return self._replace(kept=others if value is None else others | {name: value})

    @property
    def json(self) -> str | None:
        """It all as JSON, in ASCII; None where that would not keep all of it, or be slower."""
        identity = _identity_json(self.id, self.tags, self.uri)
        state = "null" if self.state is None else _state_json(self.state)
        if identity is None or state is None or self.foreign is not None:
            return None
        if not self.kept:
            return f'{{"__pk":{identity},"__user":{state}}}'
        kept = _exact_json(dict(self.kept))
        return kept and f'{{"__pk":{identity},"__user":{state},"__py":{kept}}}'

    def pack(self) -> dict[str, Any]:
        packed = {"__pk": _identity(self.id, self.tags, self.uri), "__user": self.state}
        if self.kept or self.foreign is not None:
            packed["__py"] = dict(self.kept)
        return packed

    def shares(self) -> dict[str, int]:
        """Roughly how many bytes each share takes of what the platform lets a socket keep."""
        return {
            "id, tags and URL": _size(_identity(self.id, self.tags, self.uri)),
            "state": _size(self.state),
            **{name: _size(value) for name, value in self.kept.items()},
        }


#: A text as JSON, in ASCII.
_text_json = encoder.encode_basestring_ascii


def _identity(id: str, tags: tuple[str, ...], uri: str | None) -> dict[str, Any]:
    return {"id": id, "tags": list(tags), "uri": uri}


@lru_cache(maxsize=1024)
def _identity_json(id: str, tags: tuple[str, ...], uri: str | None) -> str | None:
    """It stays the same while states are written, and is longer than most of them."""
    try:
        labels = ",".join(map(_text_json, tags))
    except TypeError:  # a tag that somebody else has written, and that is no text
        return None
    address = "null" if uri is None else _text_json(uri)
    return f'{{"id":{_text_json(id)},"tags":[{labels}],"uri":{address}}}'


def _state_json(state: Any) -> str | None:
    for value in state.values() if type(state) is dict else (state,):
        if type(value) is str and len(value) > _LONG_TEXT:
            return None
    return _exact_json(state)


#: Characters. JSON looks at each of them, which Pyodide's conversion does not.
_LONG_TEXT = 1024


def _exact_json(value: Any) -> str | None:
    return plain_json(value) if is_plain(value) else None


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode(errors="surrogatepass"))
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return 1


def unpack(value: Any, found: Any = None) -> Attachment | None:
    """Read an attachment; None for the sockets that are not this library's.

    `found` is what the value was made of, and is kept if it has keys that are unknown here.
    """
    identity = identity_in(value)
    if identity is None:
        return None
    uri = value["__pk"].get("uri")
    return Attachment(
        *identity,
        uri=uri if isinstance(uri, str) else None,
        state=value.get("__user"),
        kept=value["__py"] if isinstance(value.get("__py"), dict) else _NOTHING,
        foreign=None if value.keys() <= _KEYS else found,
    )


#: The keys of an attachment that `identity_in` reads.
IDENTITY_KEYS = ("__pk", "id", "tags")


def identity_in(value: Any) -> tuple[str, tuple[str, ...]] | None:
    """The id and the tags in an attachment; None for the sockets that are not this library's."""
    if not isinstance(value, dict) or not isinstance(value.get("__pk"), dict):
        return None
    identity = value["__pk"]
    id, tags = identity.get("id"), identity.get("tags")
    if not isinstance(id, str):
        return None
    return id, tuple(tags) if isinstance(tags, list) else ()


def copy_state(value: Any) -> Any:
    """A deep copy of a JSON-like value (with bytes) as it will be read back after a sleep.

    Raises:
        TypeError: the value is not JSON-like.
        ValueError: it is nested more than 500 levels deep, or holds itself.
    """
    return copy(value, STATE)


#: A deep copy of what `copy_state` has made.
read_state = read
