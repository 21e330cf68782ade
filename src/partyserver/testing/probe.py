"""What the kit adds to the worker under test: it asks objects for their attributes and alarms.

The harness hands this module to the runtime beside the user's own and appends a call of `install`
to their main module, in memory: nothing of it exists in a worker that the kit has not started. It
knows the platform only, and so serves Durable Objects with and without partyserver.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import re
import sys
import time
import traceback
from collections.abc import Callable
from functools import wraps
from inspect import isawaitable
from itertools import count
from typing import Any

from workers import DurableObject

#: Where an object keeps its `_Life`.
_LIFE = "_partyserver_testing_life"
#: What partyserver itself keeps on it.
_RESERVED = "_partyserver"

_DEEPEST = 4
_LONGEST = 10_000
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

_lives = count(1)


class _Life:
    """One life of an object in memory."""

    def __init__(self) -> None:
        self.number = next(_lives)
        #: The attributes that it began with, once `__init__` and `on_start` are done.
        self.birth: dict[str, str] | None = None
        #: The names of attributes that are not the user's.
        self.foreign = {_LIFE}
        #: What waits for the next alarm, and is told how it went.
        self.alarm: asyncio.Future[str | None] | None = None


def install() -> None:
    """Prepare all Durable Object classes that there are."""
    # Methods of this kind can be called over RPC.
    DurableObject._partyserver_testing_attributes = attributes  # type: ignore[attr-defined]
    DurableObject._partyserver_testing_run_alarm = run_alarm  # type: ignore[attr-defined]
    DurableObject._partyserver_testing_run_due = run_due  # type: ignore[attr-defined]
    classes: list[type] = [DurableObject]
    for cls in classes:
        _watch(cls)
        derived: list[type] = type.__subclasses__(cls)
        classes += (new for new in derived if new not in classes)
    # A start-up snapshot has Python's objects, and not the files that they have open. Who asks for
    # an installed package, as pydantic does, leaves some to a cache and to the collector: their end
    # would fail at any time afterwards, and the log would have it.
    importlib.invalidate_caches()
    gc.collect()


async def attributes(self: Any) -> str:
    """What the object holds, and what it held when this life of it began, as JSON."""
    life = _life_of(self)
    options = getattr(self, "options", None)
    return json.dumps(
        {
            "life": life.number,
            "hibernates": options.get("hibernate") if isinstance(options, dict) else None,
            "birth": life.birth,
            "now": _attributes(self, life),
        }
    )


async def run_alarm(self: Any) -> str:
    """Make the pending alarm due, and wait until the runtime has delivered it.

    Where timers have the alarm, run what is due first instead, whenever that is.
    """
    timers = _timers_of(self)
    if timers is not None:
        report, error = await _reported(timers.run_next())
        shown = [error] if error else (report or {}).get("errors", [])
        return json.dumps({"pending": bool(report or error), "error": "\n".join(shown) or None})
    storage = self.ctx.storage
    if await storage.getAlarm() is None:
        return json.dumps({"pending": False})
    delivered: asyncio.Future[str | None] = asyncio.get_event_loop().create_future()
    _life_of(self).alarm = delivered
    await storage.setAlarm(int(time.time() * 1000))
    return json.dumps({"pending": True, "error": await delivered})


async def run_due(self: Any, order: str) -> str:
    """Run the timers that are due at a time, as the alarm would, and tell how it went, as JSON."""
    timers = _timers_of(self)
    if timers is None:
        return json.dumps({"timers": False})
    report, error = await _reported(timers.run_due(**json.loads(order)))
    return json.dumps({"timers": True, "error": error, **(report or {})})


def _timers_of(self: Any) -> Any:
    """The timers of an object whose class has some, by a module that its worker has imported."""
    module = sys.modules.get("partyserver.schedule")
    return None if module is None else module._timers_of(self)


async def _reported(work: Any) -> tuple[Any, str | None]:
    """What comes of it, and why it has failed, as where `on_start` does."""
    try:
        return await work, None
    except Exception as error:
        return None, "".join(traceback.format_exception(error))


def _watch(cls: type) -> None:
    """Note what an object holds at the end of each `__init__` and `on_start`, and how alarms went.

    Of several such methods in an object's classes the outermost one ends last, and its note stands.
    """
    for name, noting in (
        ("__init__", _noting_init),
        ("on_start", _noting_start),
        ("alarm", _noting_alarm),
    ):
        if name in vars(cls):
            setattr(cls, name, noting(cls, vars(cls)[name]))


def _noting_init(cls: type, method: Callable[..., None]) -> Callable[..., None]:
    @wraps(method)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        before = set(vars(self))
        method(self, *args, **kwargs)
        life = _life_of(self)
        if _library(cls):
            life.foreign |= set(vars(self)) - before
        if not _has_on_start(self):
            life.birth = _attributes(self, life)

    return construct


def _noting_start(_: type, method: Callable[..., Any]) -> Callable[..., Any]:
    def note(self: Any) -> None:
        if _has_on_start(self):
            life = _life_of(self)
            life.birth = _attributes(self, life)

    async def finish(self: Any, result: Any) -> Any:
        result = await result
        note(self)
        return result

    @wraps(method)
    def start(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = method(self, *args, **kwargs)
        if isawaitable(result):
            return finish(self, result)
        note(self)
        return result

    return start


def _noting_alarm(_: type, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    async def alarm(self: Any, *info: Any) -> None:
        life = _life_of(self)
        delivered, life.alarm = life.alarm, None
        try:
            result = method(self, *info)
            if isawaitable(result):
                await result
        except BaseException as error:
            if delivered is not None:
                stack = error.__traceback__ and error.__traceback__.tb_next
                shown = traceback.format_exception(error.with_traceback(stack))
                delivered.set_result("".join(shown))
            raise
        if delivered is not None:
            delivered.set_result(None)

    return alarm


def _library(cls: type) -> str | None:
    package = cls.__module__.partition(".")[0]
    return package if package in ("partyserver", "workers") else None


def _has_on_start(self: Any) -> bool:
    """Whether `on_start` is a hook of this class, and not a method that only has the name."""
    return any(_library(base) == "partyserver" for base in type(self).__mro__)


def _life_of(self: Any) -> _Life:
    if _LIFE not in vars(self):
        setattr(self, _LIFE, _Life())
    life: _Life = getattr(self, _LIFE)
    return life


def _attributes(self: Any, life: _Life) -> dict[str, str]:
    # A class in PartyKit's style stands behind a host, which is the platform's Durable Object.
    party = vars(self).get("_party")
    hosted = isinstance(party, DurableObject)
    held, foreign = (vars(party), {_LIFE, _RESERVED}) if hosted else (vars(self), life.foreign)
    return {name: _description(value) for name, value in held.items() if name not in foreign}


def _description(value: Any) -> str:
    text = _describe(value, _DEEPEST)
    # The end tells apart what differs only behind the limit.
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"


def _describe(value: Any, depth: int) -> str:
    """Like `repr`, with what objects hold instead of where they are in memory."""
    if depth == 0:
        return "..."
    match value:
        case dict():
            items = (
                f"{_describe(k, depth - 1)}: {_describe(v, depth - 1)}" for k, v in value.items()
            )
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(_describe(item, depth - 1) for item in value)}]"
        case tuple():
            return f"({', '.join(_describe(item, depth - 1) for item in value)})"
        case set() | frozenset():
            return f"{{{', '.join(sorted(_describe(item, depth - 1) for item in value))}}}"
    cls: Any = type(value)
    if cls.__repr__ is object.__repr__ and hasattr(value, "__dict__") and not _library(cls):
        held = (f"{name}={_describe(item, depth - 1)}" for name, item in vars(value).items())
        return f"{cls.__name__}({', '.join(held)})"
    try:
        return _ADDRESS.sub("", repr(value))
    except Exception as error:
        return f"<a {cls.__name__} whose repr raises {type(error).__name__}>"
