"""A worker's main module, imported outside of the runtime."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from . import standins
from .errors import CommandError

#: Where packages for the runtime lie. Those in plain Python serve here, too.
MODULES = "python_modules"

#: The runtime's Python.
RUNTIME = (3, 14)


def load(path: Path) -> ModuleType:
    """Import a worker's main module, in this process. What it prints goes to stderr.

    Raises:
        CommandError: there is none, or it cannot be imported.
    """
    if path.is_dir():
        raise CommandError(
            f"{path} is a folder: name the worker's main module, as in src/worker.py"
        )
    if not path.is_file():
        raise CommandError(f"there is no file {path}")
    path = path.resolve()
    standins.install()
    # As in the runtime: the modules beside it by their bare names.
    sys.path.insert(0, str(path.parent))
    sys.path += [str(folder / MODULES) for folder in path.parents if (folder / MODULES).is_dir()]
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"_worker_{name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise CommandError(f"{path.name} is no module of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        with redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too
        told = f"{_traceback(error, path).rstrip()}\n\n{path.name} cannot be imported{_hint(error)}"
        raise CommandError(told) from None
    return module


def _traceback(error: BaseException, path: Path) -> str:
    """From the worker's own module on."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != str(path):
        frame = frame.tb_next
    return "".join(traceback.format_exception(type(error), error, frame))


def _hint(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f": install {error.name} for {sys.executable}, which imports the worker here"
    if isinstance(error, SyntaxError | NameError) and sys.version_info < RUNTIME:
        runtime, this = (".".join(map(str, one[:2])) for one in (RUNTIME, sys.version_info))
        return f". Workers run in Python {runtime}, and this is {this}: run the command with that"
    return ""
