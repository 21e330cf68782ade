"""The tags of a connection, by which `get_connections` filters."""

from __future__ import annotations

from collections.abc import Iterable

#: https://developers.cloudflare.com/durable-objects/api/state/#acceptwebsocket
MAX_TAGS = 10
#: In bytes of UTF-8: the platform says "characters", but that is what it counts.
MAX_TAG_SIZE = 256


def tag_size(tag: str) -> int:
    return len(tag.encode(errors="surrogatepass"))


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
        if tag_size(tag) > MAX_TAG_SIZE:
            raise ValueError(
                f"a tag has at most {MAX_TAG_SIZE} bytes of UTF-8, not {tag_size(tag)}: {tag!r}"
            )
        if tag not in tags:
            tags.append(tag)
    if len(tags) > MAX_TAGS:
        raise ValueError(
            f"a connection has at most {MAX_TAGS} tags with its id as the first, not {len(tags)}: "
            f"{tags[MAX_TAGS]!r} is one too many"
        )
    return tuple(tags)
