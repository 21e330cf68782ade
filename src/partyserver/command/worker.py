"""A worker's main module, imported outside of the runtime."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

from ..project.errors import CommandError
from ..project.installed import dotted
from ..project.packages import MISSING, PYTHONS, package_of, why_not_there
from . import standins, syntax, tracebacks
from .config import shown
from .modules import Modules

_RUNTIME, _THIS = (dotted(version) for version in (syntax.RUNTIME, sys.version_info[:2]))


class DoubtfulError(CommandError):
    """The worker failed here, and may run in the runtime: a stand-in had a part in it."""


def load(path: Path, *, only_vendored: bool = False, project: Path | None = None) -> ModuleType:
    """Import a worker's main module, in this process. What it prints goes to stderr.

    With `only_vendored`, packages are missing that are not in python_modules/, if that is in use.
    It is that of the folder `project`, where the wrangler config lies, or else the nearest.

    Raises:
        DoubtfulError: it cannot be imported here.
        CommandError: there is none, or it cannot be imported anywhere.
    """
    if path.is_dir():
        raise CommandError(
            f"{path} is a folder: name the worker's main module, as in src/worker.py"
        )
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    if path.suffix != ".py":
        raise CommandError(f"{path.name} is no module of Python")
    path = path.resolve()
    standins.install()
    modules = Modules(path.parent, project, only_vendored=only_vendored)
    standins.watch(modules.is_own)
    try:
        with modules.in_use(), redirect_stdout(sys.stderr):
            return _import(modules, path)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too
        trace = tracebacks.told(error, modules.is_own)
        told = f"{trace}\n\n{shown(path)} cannot be imported"
        if _may_be_newer(error):
            raise DoubtfulError(
                f"{told} here: this is Python {_THIS}, and the name may be new in {_RUNTIME}, in "
                f"which workers run (run the command with {_RUNTIME} to know)"
            ) from None
        if _is_doubtful(error):
            where = "where what only the runtime has is stood in for"
            raise DoubtfulError(f"{told} here, {where}") from None
        raise CommandError(f"{told}{_hint(error, modules)}") from None


def _import(modules: Modules, path: Path) -> ModuleType:
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"_worker_{name}"
    try:
        return _run(modules, name, path)
    except NameError:
        if not syntax.IS_OLDER:
            raise
    # It may be an annotation, which the runtime's Python does not evaluate.
    modules.forget()
    modules.late_annotations = True
    return _run(modules, name, path)


def _run(modules: Modules, name: str, path: Path) -> ModuleType:
    spec = modules.spec_of(name, path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    assert spec.loader
    spec.loader.exec_module(module)
    return module


def _may_be_newer(error: BaseException) -> bool:
    """Whether what is missing is a name in one of Python's own modules."""
    name: str | None = None
    if isinstance(error, AttributeError):
        owner = error.obj if isinstance(error.obj, type | ModuleType) else type(error.obj)
        name = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    elif isinstance(error, ImportError):
        name = error.name
    return syntax.IS_OLDER and (name or "").partition(".")[0] in PYTHONS - {"builtins"}


def _is_doubtful(error: BaseException) -> bool:
    certain = SyntaxError | NameError | ImportError | SystemExit
    return not isinstance(error, certain) and (standins.have_decided() or standins.are_in(error))


def _hint(error: BaseException, modules: Modules) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        package = package_of(name)
        if name in MISSING:
            return f": {why_not_there(name)}"
        if modules.is_native(name):
            return (
                f": {name} is installed for this Python, and python_modules has none for the "
                f"runtime. Run `uv add {package}` if pyproject.toml has it not among its "
                "dependencies, and `uv run pywrangler sync`"
            )
        return (
            f": there is no module {name}. If it is a package, run `uv add {package}`, "
            "unless pyproject.toml lists it, and `uv run pywrangler sync`"
        )
    return older_python(error)


def older_python(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and syntax.IS_OLDER:
        return (
            f". Workers run in Python {_RUNTIME}, and this is {_THIS}, which knows less syntax: "
            f"if that is it, run the command with {_RUNTIME}"
        )
    return ""
