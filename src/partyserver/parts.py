"""Parts: how a capability sees a room's events before or beside the user's hooks.

A mixin defines no hook. It attaches a part, and so a subclass that overrides a hook needs no
`super()` and loses nothing:

    @attach(
        Part(
            name="counting",
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

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from inspect import iscoroutinefunction
from typing import Any, Final, TypeVar

from . import reserved
from .rules.attachment import copy_state, read_state

Class = TypeVar("Class", bound=type)


class Claim(Enum):
    """What `message` and `alarm` of a part answer beside a result."""

    #: The event is not this part's: the next one is asked, and then the user's hook.
    NOT_MINE = "not mine"


NOT_MINE: Final = Claim.NOT_MINE


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Part:
    """What a capability does with the events of a room. Each function takes the server first.

    They fail as a hook fails, and may be async but for `started`, `accepted`, `message` and
    `request`.

    Attributes:
        name: of what it keeps with a connection.
        rank: the order among the parts of a class, lowest first.
        hooks: the mixin's own hooks, and what each is called with. They are no methods for callers
            from outside.
        spellings: other names of what the mixin looks at, as TypeScript's, and what to write
            instead: a class that has one of them is a `TypeError`.
        reserves: values of `type` in the JSON that it sends or takes. No event of a class with the
            part may have one of them.
        options: the mixin's own options: another class that sets one of them is a `TypeError`.
        always: options that are so in each class with the part, whatever it says.
        leaves_text: with the part, text that no part knows is `on_message`'s, and `Events` answers
            it with no error.
        define: called with a class that has the part, when it is created; what it raises, the
            class statement raises, and what it returns, `defined` gives.
        construct: called when an object of the class is constructed; what it returns, `of` gives.
        starting: called after `on_start`, whose failure is its own, too.
        started: called after both, once per life in memory, and before the event that has started
            the room. It is plain.
        connecting: called with a connection and its context before the connection is accepted,
            and before `get_connection_tags`: it hears no broadcast yet.
        accepted: the same when it has been accepted, before `on_connect`. It is plain: what it
            sends goes out before anything newer.
        message: called with a connection and its message. `NOT_MINE` leaves it to others; any
            other result is awaited as a hook's, and the message has been dealt with. It decides at
            once: it is a plain function, which may return a coroutine.
        request: called with an HTTP request, before `on_request`. It is plain.
        closed: called with a connection that had been accepted, its code, its reason and
            `was_clean`, before `on_close`; also where `on_connect` or `on_start` has failed.
        alarm: called with the platform's information when the alarm fires. `NOT_MINE` leaves it to
            others, and then to `on_alarm`. It runs before `on_start`, so that it can keep its
            timers if that fails; it awaits `life_of(server).until_started()` itself.
    """

    name: str
    rank: int
    hooks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    reserves: Collection[str] = ()
    options: Collection[str] = ()
    always: Mapping[str, Any] = field(default_factory=dict)
    leaves_text: bool = False
    define: Callable[[type], Any] | None = None
    construct: Callable[[Any], Any] | None = None
    starting: Callable[[Any], Any] | None = None
    started: Callable[[Any], None] | None = None
    connecting: Callable[..., Any] | None = None
    accepted: Callable[..., Any] | None = None
    message: Callable[..., Any] | None = None
    request: Callable[..., None] | None = None
    closed: Callable[..., Any] | None = None
    alarm: Callable[..., Any] | None = None

    def __post_init__(self) -> None:
        for name in ("started", "accepted", "message", "request"):
            if iscoroutinefunction(getattr(self, name)):
                raise TypeError(f"{name} of a part acts at once: it is no coroutine function")

    def defined(self, cls: type) -> Any:
        """What `define` has returned for this class."""
        return reserved.definition_of(cls).kept_by_parts[self]

    def of(self, server: Any) -> Any:
        """What `construct` has returned for this object."""
        return reserved.life_of(server).kept_by_parts[self]

    def keep(self, connection: Any, value: Any) -> None:
        """Keep a JSON-like value (bytes included) with the connection, also while it sleeps.

        It shares the limit of the connection's state, and fails as `set_state` does. None is
        nothing to keep.
        """
        connection.keep(connection.attachment.with_kept(self.name, copy_state(value)))

    def kept(self, connection: Any) -> Any:
        """What `keep` has stored last, or None. A copy: changing it changes nothing."""
        return read_state(connection.attachment.kept.get(self.name))


Handlers = tuple[Callable[..., Any], ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of one class, by event."""

    all: tuple[Part, ...] = ()
    starting: Handlers = ()
    started: Handlers = ()
    connecting: Handlers = ()
    accepted: Handlers = ()
    message: Handlers = ()
    request: Handlers = ()
    closed: Handlers = ()
    alarm: Handlers = ()
    #: Public methods of the mixins, which are not for callers over RPC.
    hidden: frozenset[str] = field(default_factory=frozenset)

    @property
    def hooks(self) -> dict[str, Sequence[str]]:
        """The hooks that the mixins bring, and what each is called with."""
        return {name: given for part in self.all for name, given in part.hooks.items()}

    @property
    def spellings(self) -> dict[str, str]:
        """Other names of what the mixins look at, and what to write instead."""
        return {name: instead for part in self.all for name, instead in part.spellings.items()}

    @property
    def options(self) -> frozenset[str]:
        """The options that the mixins bring."""
        return frozenset(name for part in self.all for name in part.options)

    @property
    def always(self) -> dict[str, Any]:
        """The options that the mixins do not leave to the class."""
        return {name: value for part in self.all for name, value in part.always.items()}


@dataclass(frozen=True, eq=False, slots=True)
class Mark:
    """On a function that a decorator has made one of those that a part calls, as a hook is called.

    Such a method is not for callers over RPC, unless it `is_public`. Without the part it is a
    `TypeError`.
    """

    part: Part
    #: For people: the decorator, and the mixin that it needs.
    decorator: str
    mixin: str
    #: What the decorator has found out.
    value: Any = None
    #: It is a method as any other, too.
    is_public: bool = False

    def put_on(self, function: Any) -> None:
        """Raises `TypeError` where a decorator of another part's stands."""
        other = mark_of(function)
        if other is not None and other.part is not self.part:
            raise TypeError(
                f"{function.__qualname__} has {other.decorator}, and cannot have {self.decorator}, "
                "too: write a method for each, one of which calls the other"
            )
        setattr(function, reserved.NAME, self)


def mark_of(member: Any) -> Mark | None:
    """The mark on a member of a class, also where further decorators were put on it."""
    mark = getattr(member, "__dict__", {}).get(reserved.NAME)
    return mark if isinstance(mark, Mark) else None


def marked_names(cls: type, parts: Parts) -> frozenset[str]:
    """The methods that parts call since they were decorated so, in the class or a base of it."""
    names = set()
    for base in cls.__mro__:
        for name, member in vars(base).items():
            mark = mark_of(member)
            if mark is None:
                continue
            if mark.part not in parts.all:
                raise TypeError(
                    f"{cls.__name__}.{name} has {mark.decorator}, which would never call it "
                    f"without {mark.mixin}: class {cls.__name__}({mark.mixin}, Server)"
                )
            if not mark.is_public:
                names.add(name)
    return frozenset(names)


class _Attached(reserved.Reserved):
    """What stands in a mixin under the reserved name."""


def attach(part: Part) -> Callable[[Class], Class]:
    """Give a mixin's subclasses a part. The mixin itself is no `Server`."""

    def decorate(mixin: Class) -> Class:
        if reserved.NAME in vars(mixin) or issubclass(mixin, reserved.LifeHolder):
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
        starting=_handlers(part.starting for part in ordered),
        started=_handlers(part.started for part in ordered),
        connecting=_handlers(part.connecting for part in ordered),
        accepted=_handlers(part.accepted for part in ordered),
        message=_handlers(part.message for part in ordered),
        request=_handlers(part.request for part in ordered),
        closed=_handlers(part.closed for part in ordered),
        alarm=_handlers(part.alarm for part in ordered),
        hidden=frozenset(_hidden(cls, mixins)),
    )


def mixins_of(cls: type) -> tuple[type, ...]:
    """The bases of a class that a part is attached to."""
    return tuple(base for base in cls.__mro__ if _attached_to(base) is not None)


def _attached_to(base: type) -> Part | None:
    attached = vars(base).get(reserved.NAME)
    return attached.definition if isinstance(attached, _Attached) else None


def _handlers(functions: Iterable[Callable[..., Any] | None]) -> Handlers:
    return tuple(function for function in functions if function is not None)


def _hidden(cls: type, mixins: Iterable[type]) -> Iterable[str]:
    """The mixins' public names, and those of their bases, that no class of the user's has taken."""
    ours = {base for mixin in mixins for base in mixin.__mro__ if base is not object}
    for base in ours:
        for name in vars(base):
            owner = next(one for one in cls.__mro__ if name in vars(one))
            if owner in ours and not name.startswith("_"):
                yield name
