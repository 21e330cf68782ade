"""What stands in for the runtime's modules, so that a worker's module can be imported elsewhere.

Names of theirs are classes that do nothing: they can be called, derived from, annotated with,
raised and caught. What comes of a call is empty.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

#: Modules that the runtime has by itself, and how others of them begin. The SDK is an ordinary
#: package on top of these.
NAMES = ("js", "pyodide", "pyodide_js")
PREFIXES = ("_pyodide", "_cloudflare")


def install() -> None:
    """Have the runtime's modules be there from now on, in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    # The library asks for the loop when it is imported, and elsewhere there may be none.
    asyncio.set_event_loop(asyncio.new_event_loop())


class _Nothing(type):
    """Each attribute of such a class is another one."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _standin(name)
        setattr(cls, name, found)
        return found

    def __iter__(cls) -> Iterator[Any]:
        return iter(())

    def __getitem__(cls, key: Any) -> Any:
        return cls


class _Base(metaclass=_Nothing):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(type(self), name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __getitem__(self, key: Any) -> Any:
        return self


def _standin(name: str) -> Any:
    is_error = name.endswith(("Exception", "Error"))
    return _Nothing(name, (_Base, Exception) if is_error else (_Base,), {})


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = _standin(name)
        setattr(self, name, found)
        return found


class _Finder(MetaPathFinder, Loader):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root = fullname.partition(".")[0]
        if root not in NAMES and not root.startswith(PREFIXES):
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass
