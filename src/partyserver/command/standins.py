"""What stands in for modules that are there in the runtime only, so that a worker's module can be
imported elsewhere.

Names of theirs are classes that do nothing: they can be called, derived from, annotated with,
computed with, raised and caught. What comes of a call is empty.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

from ..project.packages import NEWER, PREFIXES, RUNTIME, SOMETIMES
from . import syntax


def install() -> None:
    """Have the runtime's modules be there from now on, in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
        sys.meta_path.append(_Unfound())
        if syntax.IS_OLDER:  # where `string` is no package, in which something could be found
            sys.modules.setdefault("string.templatelib", StandinModule("string.templatelib"))
    # The library asks for the loop when it is imported, and elsewhere there may be none.
    asyncio.set_event_loop(asyncio.new_event_loop())


#: Says of a file whether it is the worker's own, and whether one of these has gone by a value that
#: nobody knows here: whatever fails afterwards, may not in the runtime.
_is_own: Callable[[str], bool] = lambda _: False  # noqa: E731
_have_decided = False


def watch(is_own: Callable[[str], bool]) -> None:
    """From now on, note whether the worker's own lines go by what a stand-in says."""
    global _is_own, _have_decided
    _is_own, _have_decided = is_own, False


def have_decided() -> bool:
    """Whether a line of the worker's own has gone by what a stand-in says."""
    return _have_decided


def _noting(answer: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        global _have_decided
        caller = sys._getframe(1)
        if _is_own(caller.f_code.co_filename):
            _have_decided = True
        return answer(*arguments, **options)

    return noted


class _Nothing(type):
    """Each attribute of such a class is another one."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _standin(name)
        setattr(cls, name, found)
        return found

    def __getitem__(cls, key: Any) -> Any:
        return cls


class _Base(metaclass=_Nothing):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(type(self), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *details: Any) -> None:
        pass


#: What a value decides by itself, or what of it becomes Python's own.
_DECIDING: dict[str, Callable[..., Any]] = {
    "bool": lambda _: True,
    "eq": lambda standin, other: standin is other,
    "ne": lambda standin, other: standin is not other,
    "str": lambda standin: (
        BaseException.__str__(standin)
        if isinstance(standin, BaseException)
        else object.__repr__(standin)
    ),
    "iter": lambda _: iter(()),
    "lt": lambda *_: False,
    "le": lambda *_: False,
    "gt": lambda *_: True,
    "ge": lambda *_: True,
    "int": lambda _: 0,
    "float": lambda _: 0.0,
}


def _itself(standin: Any, *others: Any) -> Any:
    return standin


_OPERATORS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "lshift",
    "rshift",
)
for _name in _OPERATORS:
    for _kind in (_Nothing, _Base):
        setattr(_kind, f"__{_name}__", _itself)
        setattr(_kind, f"__r{_name}__", _itself)
for _kind, _hash in ((_Nothing, type.__hash__), (_Base, object.__hash__)):
    for _name, _answer in _DECIDING.items():
        setattr(_kind, f"__{_name}__", _noting(_answer))
    setattr(_kind, "__hash__", _hash)  # noqa: B010 -- which `__eq__` does not take away so


def _standin(name: str) -> Any:
    is_error = name.endswith(("Exception", "Error"))
    return _Nothing(name, (_Base, Exception) if is_error else (_Base,), {})


class StandinModule(ModuleType):
    """A module that has every name; one that could not be imported becomes it."""

    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return "0"
        if name.startswith("__"):
            raise AttributeError(name)
        found = _standin(name)
        setattr(self, name, found)
        return found


class StandinLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandinModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


def spec_of(name: str) -> ModuleSpec:
    """Of a module that is stood in for, with all modules in it."""
    return ModuleSpec(name, StandinLoader(), is_package=True)


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, _, rest = fullname.partition(".")
        if root not in RUNTIME and not root.startswith(PREFIXES):
            above = sys.modules.get(fullname.rpartition(".")[0]) if rest else None
            if not isinstance(above, StandinModule):
                return None
        return spec_of(fullname)


class _Unfound(MetaPathFinder):
    """After all others: it knows what nobody has found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_there = fullname.partition(".")[0] in (*NEWER, *SOMETIMES)
        return spec_of(fullname) if is_there else None


def are_in(error: BaseException) -> bool:
    """Whether a stand-in had a part in an error, which then may be no fault of the worker's."""
    trace = error.__traceback__
    while trace is not None:
        if any(map(_is_standin, _values_at(trace))):
            return True
        trace = trace.tb_next
    return False


def _values_at(trace: TracebackType) -> Iterator[Any]:
    """What the names on the failing lines of a frame stand for."""
    frame = trace.tb_frame
    positions = list(frame.f_code.co_positions())[trace.tb_lasti // 2]
    first, last = positions[0] or trace.tb_lineno, positions[1] or trace.tb_lineno
    try:
        lines = Path(frame.f_code.co_filename).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    for name in set(re.findall(r"\w+", "\n".join(lines[first - 1 : last]))):
        for names in (frame.f_locals, frame.f_globals):
            if name in names:
                yield names[name]


def _is_standin(value: Any) -> bool:
    """Whether it is one, or is made of one, as the SDK's `env` is."""
    if _is_itself_one(value):
        return True
    if isinstance(value, type | ModuleType):
        return False
    held = getattr(value, "__dict__", None)
    return isinstance(held, dict) and any(map(_is_itself_one, held.values()))


def _is_itself_one(value: Any) -> bool:
    """Classes that are derived from one, as the SDK's `Response`, are none."""
    made = value if isinstance(value, _Nothing) else type(value)
    return isinstance(value, StandinModule) or (
        isinstance(made, _Nothing) and made.__module__ == __name__
    )
