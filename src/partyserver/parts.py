"""Parts: how a capability sees a room's events before or beside the user's hooks.

A mixin defines no hook. It attaches a part, and so a subclass that overrides a hook needs no
`super()` and loses nothing:

    @attach(
        Part(
            rank=500,
            construct=lambda server: Counter(),
            message=lambda server, connection, message: COUNTING.of(server).count(message),
        )
    )
    class Counting: ...

    class Room(Counting, Server): ...

The parts of a class's bases are sorted once, when the class is created, into one tuple for each
event. A class without parts has its hooks called as if there were none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from . import reserved

Class = TypeVar("Class", bound=type)


class Claim(Enum):
    """What `message` and `alarm` of a part answer beside a result."""

    #: The event is not this part's: the next one is asked, and at last the user's hook is called.
    NOT_MINE = "not mine"


NOT_MINE: Final = Claim.NOT_MINE


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Part:
    """What a capability does with the events of a room. Each function takes the server first.

    They may be plain or async where a hook may be, and fail as a hook fails.

    Attributes:
        rank: the order among the parts of a class, lowest first.
        define: called with a class that has the part, when it is created; what it raises, the
            class statement raises.
        construct: called when an object of the class is constructed; what it returns, `of` gives.
        connecting: called with a connection and its context before the connection is accepted,
            and before `get_connection_tags`: it hears no broadcast yet.
        accepted: the same when it has been accepted, before `on_connect`.
        message: called with a connection and its message. `NOT_MINE` leaves it to others; any
            other result is awaited as a hook's, and the message has been dealt with.
        closed: called with a connection that had been accepted, its code, its reason and
            `was_clean`, before `on_close`; also after an `on_connect` that has failed.
        alarm: called when the alarm fires. `NOT_MINE` leaves it to others, and at last to
            `on_alarm`.
    """

    rank: int
    define: Callable[[type], None] | None = None
    construct: Callable[[Any], Any] | None = None
    connecting: Callable[..., Any] | None = None
    accepted: Callable[..., Any] | None = None
    message: Callable[..., Any] | None = None
    closed: Callable[..., Any] | None = None
    alarm: Callable[..., Any] | None = None

    def of(self, server: Any) -> Any:
        """What `construct` has returned for this object."""
        return reserved.life_of(server).kept_by_parts[self]


Handlers = tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one class, by event."""

    all: tuple[Part, ...] = ()
    connecting: Handlers = ()
    accepted: Handlers = ()
    message: Handlers = ()
    closed: Handlers = ()
    alarm: Handlers = ()
    #: Public methods of the mixins, which are not for callers over RPC.
    hidden: frozenset[str] = field(default_factory=frozenset)

    def construct(self, server: Any) -> dict[Part, Any]:
        return {part: part.construct(server) for part in self.all if part.construct is not None}


class _Attached(reserved.Reserved):
    """What stands in a mixin under the reserved name."""


def attach(part: Part) -> Callable[[Class], Class]:
    """Give a mixin's subclasses a part. The mixin itself is no `Server`."""

    def decorate(mixin: Class) -> Class:
        if hasattr(mixin, reserved.NAME):
            raise TypeError(f"{mixin.__name__} is created already: attach its part to a base of it")
        setattr(mixin, reserved.NAME, _Attached(part))
        return mixin

    return decorate


def parts_of(cls: type) -> Parts:
    """The parts that a class has from its bases, lowest rank first."""
    mixins = {base: part for base in cls.__mro__ if (part := _attached_to(base)) is not None}
    if not mixins:
        return Parts()
    ordered = tuple(sorted(dict.fromkeys(mixins.values()), key=lambda part: part.rank))
    return Parts(
        all=ordered,
        connecting=_handlers(part.connecting for part in ordered),
        accepted=_handlers(part.accepted for part in ordered),
        message=_handlers(part.message for part in ordered),
        closed=_handlers(part.closed for part in ordered),
        alarm=_handlers(part.alarm for part in ordered),
        hidden=frozenset(_hidden(cls, mixins)),
    )


def _attached_to(base: type) -> Part | None:
    attached = vars(base).get(reserved.NAME)
    return attached.definition if isinstance(attached, _Attached) else None


def _handlers(functions: Iterable[Callable[..., Any] | None]) -> Handlers:
    return tuple(function for function in functions if function is not None)


def _hidden(cls: type, mixins: Iterable[type]) -> Iterable[str]:
    """The mixins' public names that no class of the user's has taken."""
    for mixin in mixins:
        for name in vars(mixin):
            owner = next(base for base in cls.__mro__ if name in vars(base))
            if owner is mixin and not name.startswith("_"):
                yield name
