"""The URLs of rooms: `/{prefix}/:party/:room[/...]`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

DEFAULT_PREFIX = "parties"


class PartyUrl(NamedTuple):
    """The party and the room's name, exactly as they stand in the URL.

    Neither is percent-decoded: what differs in the URL is never the same room.
    """

    party: str
    room: str


def match_party_url(url: str, prefix: str = DEFAULT_PREFIX) -> PartyUrl | None:
    """The party and room that an absolute `url` names, or None if it is no party URL."""
    segments = [part for part in path_of(url).split("/") if part]
    base = _segments_of(prefix)
    length = len(base)
    if len(segments) < length + 2 or segments[:length] != base:
        return None
    return PartyUrl(segments[length], segments[length + 1])


def prefix_length(prefix: str) -> int:
    """How many segments of a party's URL stand before the party."""
    return len(_segments_of(prefix))


@lru_cache(maxsize=32)  # a worker has one, or a few
def _segments_of(prefix: str) -> list[str]:
    return [part for part in prefix.split("/") if part] or [DEFAULT_PREFIX]


def path_behind(url: str, segments: int) -> str:
    """What follows the first `segments` of a URL's path, decoded, without slashes before it."""
    path = path_of(url)
    for _ in range(segments):
        path = _SEGMENT.sub("", path, count=1)
    return unquote(path.lstrip("/"))


_SEGMENT = re.compile("/*[^/]+")


def path_of(url: str) -> str:
    """The path of an absolute URL, with its percent-encoding."""
    _, _, after_scheme = url.partition("://")
    _, slash, path = after_scheme.partition("#")[0].partition("?")[0].partition("/")
    return slash + path


def query_value(url: str, key: str) -> str | None:
    """The first value of `key` in the URL's query."""
    _, _, query = url.partition("#")[0].partition("?")
    return next((value for name, value in parse_qsl(query, True) if name == key), None)
