"""How a runtime is started: by what command, with what, and why it was not."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from .. import __version__
from ..project.installed import wranglers
from . import imports
from .errors import RuntimeCommandError
from .installed import find_node, find_wrangler
from .keeping import FOLDER_PREFIX, lasting
from .logs import LogLine

_TRACEBACK = "Traceback (most recent call last):"
_FRAME = re.compile(
    r'  File "([^"]*)", line \d+, in .*\n(?: {4}.*\n)*(?:  \[Previous line repeated .*\n)?'
)
#: Frames of Python's own, Pyodide's among them, by which the main module is imported; and of this
#: library and the SDK, whose errors are the worker's.
_LIBRARY = re.compile(
    r"/lib/|<frozen |/session/metadata/python_modules/(partyserver|workers|asgi)/"
)
_IN_RUNTIME = re.compile(r'"/session/metadata/([^"]+)"')
_NO_INTERPRETER = "Request for Pyodide bundle failed"


@dataclass(frozen=True)
class Settings:
    """What to run, and how."""

    configs: tuple[Path, ...]
    """The wrangler configs: first the primary worker's, then those of the workers it talks to."""
    search: tuple[Path, ...]
    """Folders from which node and wrangler are looked for, upward."""
    vars: Mapping[str, str]
    env: str | None = None
    pyodide_bundle: Path | None = None
    """A folder with the interpreter, or for the runtime to keep it in once it has downloaded it."""
    snapshots: Path | None = None
    """The folder of the start-up snapshots that earlier starts have left behind, if they do."""


def started_node(settings: Settings) -> tuple[subprocess.Popen[str], str]:
    """A Node process that has read what it is to run, and the folder that it may write to."""
    node = find_node(settings.search)
    wrangler = find_wrangler(settings.search)
    folder = tempfile.mkdtemp(prefix=FOLDER_PREFIX)
    options = {
        "wranglerPackage": str(wrangler),
        "configs": [str(config) for config in settings.configs],
        "env": settings.env,
        "persist": str(Path(folder, "storage")),
        "temporary": folder,
        "pyodideBundle": settings.pyodide_bundle and str(settings.pyodide_bundle),
        "snapshots": settings.snapshots and str(settings.snapshots),
    }
    process = subprocess.Popen(
        [node, str(Path(__file__).with_name("harness.mjs")), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=settings.configs[0].parent,
        env=os.environ | _QUIET | {"PARTYSERVER_TESTING_FOLDER": folder},
        encoding="utf-8",
        errors="replace",
        # Its own group: Ctrl-C is for pytest alone, which then stops it in order.
        start_new_session=True,
    )
    return process, folder


class Folder:
    """A temporary folder, which may outlive this process."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cleanup(self) -> None:
        shutil.rmtree(self.name, ignore_errors=True)


def identity_of(settings: Settings) -> dict[str, Any]:
    """What a runtime is started with, beside the files of the worker."""
    return {
        "settings": {
            "party_config": [str(config) for config in settings.configs],
            "party_env": settings.env,
            "party_vars": dict(settings.vars),
            "party_pyodide_bundle": settings.pyodide_bundle and str(settings.pyodide_bundle),
            "wrangler": str(next(wranglers(settings.search), None)),
            "the version of partyserver": __version__,
        },
        "environment": lasting(os.environ),
    }


#: Nothing of wrangler's may reach for the network, run beside the worker, or colour what ends up in
#: error messages.
_QUIET = {
    "WRANGLER_SEND_METRICS": "false",
    "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    "X_LOCAL_EXPLORER": "false",
    "X_LOCAL_OBSERVABILITY": "false",
    "FORCE_COLOR": "0",
}


def bundle_of(
    folder: str,
    main: str,
    names: list[str],
    vendored: list[str],
    python_modules: str,
    classes: list[list[str]],
) -> imports.Bundle:
    return imports.Bundle(
        Path(folder),
        main,
        frozenset(names),
        frozenset(vendored),
        Path(python_modules),
        tuple((binding, name) for binding, name in classes),
    )


def why_not_started(error: Exception, log: list[LogLine], settings: Settings) -> str:
    """The traceback of the user's own module, if there is one; else all that was said."""
    if isinstance(error, RuntimeCommandError) and error.kind == "build":
        return f"the worker does not start: {error}"
    for line in log:
        if _NO_INTERPRETER in line.message:
            return (
                "the worker does not start: the runtime could not download its Python interpreter. "
                "Connect this machine to the Internet once, with the ini option "
                "party_pyodide_bundle set to a folder to keep it in\n"
                f"{line.message}"
            )
        _, mark, traceback = line.message.partition(_TRACEBACK)
        if mark:
            vendored = settings.configs[0].with_name("python_modules")
            hint = imports.hint(traceback, vendored)
            shown = _without_library(f"{mark}{traceback}")
            return f"the worker does not start:\n{shown}{hint}"
    said = "".join(f"\n{line.message}" for line in log)
    return f"the worker does not start: {error}{said}"


def _without_library(traceback: str) -> str:
    """The lines of the user's and of their packages alone, if there is one.

    That of a `SyntaxError` belongs to no frame.
    """

    def kept(frame: re.Match[str]) -> str:
        return "" if _LIBRARY.match(frame[1]) else frame[0]

    shown = _FRAME.sub(kept, traceback)
    return shown if '  File "' in shown else traceback


def in_files(message: str, bundles: Sequence[imports.Bundle]) -> str:
    """Tracebacks with the names of files on disk, as editors know them."""

    def path(match: re.Match[str]) -> str:
        file = match[1]
        for bundle in bundles:
            if file in bundle.names:
                return f'"{bundle.folder / file}"'
            if file.startswith("python_modules/"):
                return f'"{bundle.python_modules.parent / file}"'
        return match[0]

    return _IN_RUNTIME.sub(path, message)


@contextlib.contextmanager
def one_build_at_a_time(config: Path) -> Iterator[None]:
    """Under pytest-xdist each process starts the worker, and builds share the user's folder."""
    if "PYTEST_XDIST_WORKER" not in os.environ or sys.platform == "win32":
        yield
        return
    import fcntl

    key = sha256(str(config).encode()).hexdigest()[:16]
    with Path(tempfile.gettempdir(), f"partyserver-testing-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
