"""Where a worker's modules are found outside of the runtime, and how they are run here.

A worker has its own modules, the packages in python_modules/, and Python's. Those packages are
builds for the runtime: where this Python has the same package, that serves; one in plain Python is
taken from python_modules/; and what can run in the runtime alone is stood in for.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import cache_from_source, spec_from_file_location
from itertools import islice
from linecache import getline
from pathlib import Path
from types import CodeType, ModuleType

from ..project.packages import MISSING, VENDORED
from . import standins, syntax

#: What is this library's, and the SDK's: their errors are the worker's.
LIBRARY = ("partyserver", "workers", "asgi")


class Modules(MetaPathFinder):
    """The modules of one worker."""

    def __init__(self, folder: Path, project: Path | None, *, only_vendored: bool) -> None:
        self.folder = str(folder)
        places = (folder, *folder.parents) if project is None else (project.resolve(),)
        there = (str(place / VENDORED) for place in places if (place / VENDORED).is_dir())
        #: The one folder of packages for the runtime, if it is there.
        self.vendored = [*islice(there, 1)]
        own = sys.path if sys.flags.safe_path else sys.path[1:]
        self._python = [place for place in own if _is_pythons(place)]
        #: Where this Python's packages lie. The worker's folder is there if it is installed itself.
        self._native = [p for p in own if not _is_pythons(p) and p != self.folder]
        self._inside = [place for place in self._native if _is_in(place, [self.folder])]
        #: Whether others than the packages in python_modules are missing, as in the runtime.
        self.only_vendored = only_vendored and any(
            Path(place, "partyserver").is_dir() for place in self.vendored
        )
        self.late_annotations = False

    @property
    def path(self) -> list[str]:
        """What `sys.path` has to be."""
        if self.only_vendored:
            return [self.folder, *self._python]
        return [self.folder, *self._python, *self._native, *self.vendored]

    def is_own(self, path: str) -> bool:
        """Whether a file is one of the worker's own."""
        return _is_in(path, [self.folder]) and not _is_in(path, [*self.vendored, *self._inside])

    def is_native(self, name: str) -> bool:
        """Whether this Python has a package that python_modules/ has not."""
        return self.only_vendored and PathFinder.find_spec(name, self._native) is not None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        places = self._places(fullname) if path is None else [path]
        if path is None and fullname in sys.stdlib_module_names:
            places = [[self.folder], *([self.vendored] if fullname in MISSING else [])]
        for place in places:
            spec = PathFinder.find_spec(fullname, place, target)
            if spec is not None and (spec.loader is not None or path is not None):
                return self._adapted(spec)
        name = fullname.rpartition(".")[2]
        folders = [folder for place in places for folder in place]
        if any(_has_build(folder, name) for folder in folders if _is_in(folder, self.vendored)):
            return standins.spec_of(fullname)
        if path is None and (spec := PathFinder.find_spec(fullname, self.vendored, target)):
            return spec  # a package without __init__.py
        return None

    def _places(self, name: str) -> list[Sequence[str]]:
        is_vendored = any(
            Path(place, name).is_dir()
            or Path(place, f"{name}.py").is_file()
            or _has_build(place, name)
            for place in self.vendored
        )
        if self.only_vendored and not is_vendored and name not in LIBRARY:
            return [[self.folder]]
        return [[self.folder], self._native, self.vendored]

    def _adapted(self, spec: ModuleSpec) -> ModuleSpec:
        """With a loader as the file is to be run here."""
        path, root = spec.origin or "", spec.name.partition(".")[0]
        is_vendored = _is_in(path, self.vendored)
        if is_vendored and isinstance(spec.loader, ExtensionFileLoader):
            return standins.spec_of(spec.name)
        if type(spec.loader) is SourceFileLoader:
            if self.is_own(path):
                spec.loader = _OwnLoader(self, spec.name, path)
            else:
                is_lenient = root not in LIBRARY and (is_vendored or self.only_vendored)
                loader = _LenientLoader if is_lenient else _CachedLoader
                spec.loader = loader(spec.name, path)
        return spec

    def spec_of(self, name: str, path: Path) -> ModuleSpec:
        """Of the worker's main module, which is imported by its path."""
        spec = spec_from_file_location(name, path, loader=_OwnLoader(self, name, str(path)))
        assert spec
        return spec

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Have this process find modules so. Nothing is written into the project."""
        before = sys.path, sys.dont_write_bytecode
        sys.path, sys.dont_write_bytecode = self.path, True
        known = {name: sys.modules.pop(name) for name in MISSING & sys.modules.keys()}
        missing = _Missing(self)
        sys.meta_path.insert(0, missing)
        sys.meta_path.insert(sys.meta_path.index(PathFinder), self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            sys.meta_path.remove(missing)
            sys.modules.update(known)
            sys.path, sys.dont_write_bytecode = before

    def forget(self) -> None:
        """Have the worker's own modules be imported anew."""
        for name, module in list(sys.modules.items()):
            if isinstance(path := getattr(module, "__file__", None), str) and self.is_own(path):
                del sys.modules[name]


class _Missing(MetaPathFinder):
    """Of Python's own modules, those that the runtime has not: the worker's lines miss them here.

    Others do not, and neither do lines that an `if` or a `try` may leave out in the runtime.
    """

    def __init__(self, modules: Modules) -> None:
        self._modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname not in MISSING:
            return None
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename.startswith("<frozen importlib"):
            frame = frame.f_back
        file = frame.f_code.co_filename
        is_sure = getline(file, frame.f_lineno).startswith(("import ", "from "))
        spec = self._modules.find_spec(fullname, None)
        if spec is None and is_sure and self._modules.is_own(file):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return spec


class _OwnLoader(SourceFileLoader):
    """Of the worker's own modules, which change all the time: their code is kept nowhere."""

    def __init__(self, modules: Modules, name: str, path: str) -> None:
        super().__init__(name, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        return syntax.compiled(self.get_data(self.path), self.path, self._modules.late_annotations)


class _CachedLoader(SourceFileLoader):
    """Of packages: what is not compiled where it lies is compiled into a folder of the user's."""

    def get_code(self, fullname: str) -> CodeType | None:
        folder = None if Path(cache_from_source(self.path)).exists() else _cache()
        if folder is None:
            return super().get_code(fullname)
        before = sys.pycache_prefix, sys.dont_write_bytecode
        sys.pycache_prefix, sys.dont_write_bytecode = folder, False
        try:
            return super().get_code(fullname)
        finally:
            sys.pycache_prefix, sys.dont_write_bytecode = before


class _LenientLoader(_CachedLoader):
    """Of the packages of others: one that fails here may run in the runtime."""

    def exec_module(self, module: ModuleType) -> None:
        try:
            super().exec_module(module)
        except Exception:
            module.__class__ = standins.StandinModule


def _is_pythons(place: str) -> bool:
    """Whether Python's own modules lie there."""
    own = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib")}
    return place in own or place.endswith(("lib-dynload", ".zip", "DLLs"))


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder + os.sep) for folder in folders)


def _has_build(folder: str, name: str) -> bool:
    """Whether a module is there as a build for the runtime."""
    return any(Path(folder).glob(f"{name}.*so"))


def _cache() -> str | None:
    """A folder for compiled modules. It is this user's alone, since code is run from it."""
    if base := os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA"):
        return os.path.join(base, "partyserver", "compiled")
    home = os.path.expanduser("~")
    return os.path.join(home, ".cache", "partyserver", "compiled") if home != "~" else None
