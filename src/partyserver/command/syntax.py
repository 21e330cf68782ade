"""Python's syntax in a worker, which runs in Python 3.14 whatever this Python is."""

from __future__ import annotations
import __future__

import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import CodeType
from typing import NamedTuple

#: The runtime's Python.
RUNTIME = (3, 14)

#: What is newer than this Python can be told from a mistake only where it can be rewritten.
IS_OLDER = sys.version_info < RUNTIME

#: Folders that hold no modules of the worker itself, where it lies in a project's root.
_OTHERS = {"python_modules", "node_modules", "__pycache__"}

_LATE_ANNOTATIONS = __future__.annotations.compiler_flag

_TEMPLATE = re.compile(rb"(?<![\w\"'])(?:[tT]([rR]?)|([rR])[tT])(?=[\"'])")
_EXCEPT = re.compile(
    rb"^(\s*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)([ \t]*:)", re.MULTILINE
)


class Broken(NamedTuple):
    path: Path
    error: SyntaxError | ValueError  # the latter for a null byte


def compiled(source: bytes, path: str, late_annotations: bool = False) -> CodeType:
    """A module's code.

    In a Python that is older than the runtime's, what is newer is made of what it knows: a
    t-string is taken for an f-string, and `late_annotations` leaves annotations unevaluated.
    """
    flags = _LATE_ANNOTATIONS if late_annotations else 0

    def code(source: bytes) -> CodeType:
        made: CodeType = compile(source, path, "exec", flags, dont_inherit=True)
        return made

    try:
        return code(source)
    except SyntaxError:
        if IS_OLDER and (older := _older(source)) != source:
            with suppress(SyntaxError):
                return code(older)
        raise


def _older(source: bytes) -> bytes:
    source = _TEMPLATE.sub(lambda found: b"f" + (found[1] or found[2] or b""), source)
    return _EXCEPT.sub(rb"\1(\2)\3", source)


def broken_in(folder: Path) -> Iterator[Broken]:
    """The modules in a worker's folder, and in the folders below it, that are no Python."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_of_the_worker(Path(place, name)))
        for name in sorted(files):
            # Hidden ones are an editor's or a system's, and no module: `.#rooms.py`, `._rooms.py`.
            if name.endswith(".py") and not name.startswith("."):
                path = Path(place, name)
                try:
                    compiled(path.read_bytes(), str(path))
                except OSError:  # nobody can import it; who does, is told by the import
                    continue
                except (SyntaxError, ValueError) as error:
                    yield Broken(path, error.with_traceback(None))


def _is_of_the_worker(folder: Path) -> bool:
    is_other = folder.name in _OTHERS or folder.name.startswith(".")
    return not is_other and not (folder / "pyvenv.cfg").exists()
