"""What is known of the events of a class: which method gets which, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

import msgspec

from ..rules.events import ERROR
from ..rules.messages import check_levels
from .annotations import class_of, is_event
from .event import TYPE, encode, type_of
from .fields import check_fields, may_be_deep
from .handlers import handlers_of


class Table:
    """The events of one class of rooms.

    Attributes:
        methods: for each class of events the name of the method that gets it.
        received: their types, and the classes as annotations have them.
        sends: the classes that `sends` of the class and its bases list, with their types.
        leaves_text: a text that is no event goes to `on_message`, without an error.
        decode: from text to event; `ValueError` for what is none. It may give something else. None
            where there is no method.
    """

    __slots__ = (
        "_may_be_deep",
        "_reserved",
        "decode",
        "leaves_text",
        "methods",
        "received",
        "sends",
    )

    def __init__(self, cls: type, reserved: Mapping[str, str], *, leaves_text: bool) -> None:
        self._reserved = {ERROR: "what clients are told of errors", **reserved}
        self.leaves_text = leaves_text
        self.methods: dict[type, str] = {}
        self.received: dict[str, Any] = {}
        for name, events in handlers_of(cls):
            for event in events:
                self._receive(f"{cls.__name__}.{name}", name, event)
        self.sends: dict[str, Any] = {}
        for event in _sends(cls):
            kind = self._type_of(event, f"{cls.__name__}.sends")
            if self.sends.setdefault(kind, event) is not event:
                raise TypeError(f"{cls.__name__}.sends has two events of the type {kind!r}")
        #: Whether its events may be nested deeply, for each class that was sent before.
        self._may_be_deep: dict[type, bool] = {}
        check_fields(cls.__name__, [*self.received.values(), *self.sends.values()])
        self.decode = _decoder(cls, self.received) if self.received else None

    def _receive(self, where: str, name: str, event: Any) -> None:
        kind = self._type_of(event, where)
        if kind in self.received:
            other = self.methods[class_of(self.received[kind])]
            raise TypeError(
                f"{where} gets events of the type {kind!r}, and so does {other}: one method gets "
                "all of a type, and two classes with one name need a tag, as in "
                f"class {class_of(event).__name__}(Event, tag='my_{kind}')"
            )
        self.received[kind] = event
        self.methods[class_of(event)] = name

    def _type_of(self, event: Any, where: str) -> str:
        cls = class_of(event)
        kind = type_of(cls)
        if kind in self._reserved:
            raise TypeError(
                f"{where}: {cls.__name__} is of the type {kind!r}, which is that of "
                f"{self._reserved[kind]}: name the class otherwise, or give it a tag, as in "
                f"class {cls.__name__}(Event, tag='my_{kind}')"
            )
        return kind

    def text_of(self, event: Any) -> str:
        """An event as `emit` sends it; `TypeError` or `ValueError` for what it cannot send."""
        if self._may_be_deep.get(type(event)) is not False:
            self._check_sendable(event)
        return encode(event)

    def _check_sendable(self, event: Any) -> None:
        """Look at a class that was not sent before, and at each event that may be deep."""
        cls = type(event)
        if cls not in self._may_be_deep:
            if not is_event(cls):
                given = f"the class {event.__name__}" if isinstance(event, type) else cls.__name__
                raise TypeError(
                    f"emit takes an object of a class that derives from Event, not {given}"
                )
            self._type_of(cls, "emit")
            check_fields("emit", [cls])
            self._may_be_deep[cls] = may_be_deep(cls)
        if self._may_be_deep[cls]:
            check_levels(event, type(event).__name__)


def _sends(cls: type) -> Iterator[Any]:
    """What `sends` lists, of the bases first; each once."""
    found: dict[Any, None] = {}
    for base in reversed(cls.__mro__):
        listed = vars(base).get("sends", ())
        if not isinstance(listed, tuple | list):
            raise TypeError(
                f"{base.__name__}.sends is a tuple of event classes, as in sends = (Said,), "
                f"not {listed!r}"
            )
        for event in listed:
            if not is_event(class_of(event)):
                raise TypeError(f"{base.__name__}.sends has event classes in it, and not {event!r}")
        found.update(dict.fromkeys(listed))
    yield from found


class _Nothing(msgspec.Struct, tag_field=TYPE, tag=""):
    """Beside a single event: of a union only does msgspec demand the type."""


def _decoder(cls: type, received: Mapping[str, Any]) -> Callable[[str], Any]:
    try:
        return msgspec.json.Decoder(Union[(_Nothing, *received.values())]).decode
    except Exception as error:  # of whatever a field has for its type
        raise TypeError(f"{cls.__name__}: {error}") from error


class _Typed(msgspec.Struct):
    type: Any = None


_decode_typed = msgspec.json.Decoder(_Typed).decode


def sent_type(text: str) -> str | None:
    """The `type` in a text whose depth was checked; None if there is none, or it is no text."""
    try:
        kind = _decode_typed(text).type
    except ValueError:
        return None
    return kind if isinstance(kind, str) else None
