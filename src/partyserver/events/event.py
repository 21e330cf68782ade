"""Event: a message with a type, and its JSON."""

from __future__ import annotations

from math import isfinite
from typing import Any

import msgspec

from ..rules.messages import compact_json, items_of
from ..rules.names import snake_case


def _name_on_the_wire(name: str) -> str:
    return snake_case(name.rpartition(".")[2])  # of a class in a class


class Event(msgspec.Struct, tag_field="type", tag=_name_on_the_wire):
    """A typed message: a struct whose fields are those of a JSON object.

        class PlayerMoved(Event):
            x: int
            y: int = 0

    is `{"type": "player_moved", "x": 1, "y": 0}`: the type is the class's name in snake_case, or
    what `class Moved(Event, tag="moved")` says. Fields without a default must be sent; others than
    these are ignored. msgspec has the types that fields may have, and the class's other options:
    https://jcristharif.com/msgspec/structs.html

    Constraints are `Annotated[str, Meta(max_length=20)]`. What they cannot say, `__post_init__` may
    check: the text of a `ValueError` is told to the client that has sent the event.

    Events can be made, compared, and read by any Python, so tests may import them.
    """


#: Where an event's type stands.
TYPE = "type"


def type_of(cls: type[Event]) -> str:
    """The `type` of an event class on the wire; `TypeError` if there is none."""
    config = cls.__struct_config__
    if config.array_like or config.tag_field != TYPE or not isinstance(config.tag, str):
        raise TypeError(
            f'{cls.__name__} is an object with a text for "type" on the wire: it may have a tag of '
            "its own, as in tag='moved', but neither array_like nor a tag_field, and no other tag"
        )
    if not config.tag:
        raise TypeError(f"{cls.__name__} has an empty tag")
    return config.tag


def encode(event: Event) -> str:
    """An event as JSON text. Its depth has been checked.

    Raises:
        TypeError: a field holds what JSON cannot.
        ValueError: NaN or infinity among others, of which the message has the path.
    """
    try:
        encoded = _encode(event)
    except UnicodeEncodeError:  # half of a surrogate pair, which is escaped
        return compact_json(msgspec.to_builtins(event, str_keys=True))
    if b"null" in encoded and _has_infinite(value := msgspec.to_builtins(event, str_keys=True)):
        return compact_json(value)
    return encoded.decode()


_encode = msgspec.json.Encoder().encode


def _has_infinite(value: Any) -> bool:
    """Whether msgspec has written a null for NaN or infinity, which JSON has not."""
    level = [value]
    while level:
        held = [item for one in level for item in items_of(one) or ()]
        if not all(map(isfinite, (item for item in held if type(item) is float))):
            return True
        level = [item for item in held if isinstance(item, dict | list | tuple)]
    return False
