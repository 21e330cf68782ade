"""The tags of a connection, by which `get_connections` filters."""

from __future__ import annotations

from collections.abc import Iterable

#: https://developers.cloudflare.com/durable-objects/api/state/#acceptwebsocket
MAX_TAGS = 10
MAX_TAG_LENGTH = 256


def prepare_tags(connection_id: str, user_tags: Iterable[str]) -> tuple[str, ...]:
    """The tags as they are attached: the id first, then the user's, each of them once.

    Raises `TypeError` or `ValueError`, naming the tag, for what the platform refuses.
    """
    if isinstance(user_tags, str | bytes):
        raise TypeError(
            f"get_connection_tags must return a list of tags, not {user_tags!r}; "
            f"write [{user_tags!r}]"
        )
    tags = [connection_id]
    for tag in user_tags:
        if not isinstance(tag, str):
            raise TypeError(f"a tag must be a str, not {type(tag).__name__}: {tag!r}")
        if not tag:
            raise ValueError("a tag must not be empty: ''")
        if len(tag) > MAX_TAG_LENGTH:
            raise ValueError(f"a tag has at most {MAX_TAG_LENGTH} characters, not {len(tag)}: {tag!r}")
        if tag not in tags:
            tags.append(tag)
    if len(tags) > MAX_TAGS:
        raise ValueError(
            f"a connection has at most {MAX_TAGS} tags with its id as the first, not {len(tags)}: "
            f"{tags[MAX_TAGS]!r} is one too many"
        )
    return tuple(tags)
