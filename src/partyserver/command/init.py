"""`partyserver init`: a project that runs, passes its tests and deploys."""

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from .. import __version__
from ..project.errors import CommandError
from .config import shown

NAME = "init"
HELP = "make a project: a worker with a room, its tests, a page, what is needed to deploy it"
DESCRIPTION = (
    "Makes a folder NAME with a project in it that runs, passes its tests and deploys. "
    "It needs uv, and Node.js 22.12 or newer."
)

#: The templates, and what the worker of each needs beside this library.
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "chat": (),
    "fastapi": ("fastapi",),
    "agent": ("msgspec",),
    "yjs": (),
}

#: What the tests of each need, in pyproject.toml.
_TESTS = {
    "agent": 'party_vars = "OPENAI_API_KEY=" # none: the tests ask no real model\n',
}

#: What `npm install` brings.
_NPM = {
    "agent": "wrangler, esbuild, React, the SDK's client",
    "yjs": "wrangler, esbuild, CodeMirror, Yjs",
}

#: The folders that each is made of. A file of a later one takes the place of an earlier one's.
_PARTS = {
    "chat": ("common", "room", "chat"),
    "fastapi": ("common", "room", "fastapi"),
    "agent": ("common", "agent"),
    "yjs": ("common", "yjs"),
}

#: By their own names, git, npm and Python's tools would heed them here, and pytest would run the
#: tests among each worker's python_modules.
_NAMES = {
    "github": ".github",
    "gitignore": ".gitignore",
    "npmrc": ".npmrc",
    "project.toml": "pyproject.toml",
    "test_website.py.txt": "test_website.py",
    "test_worker.py.txt": "test_worker.py",
}

#: As Cloudflare has it for a part of a host name.
_GOOD = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")

#: What `uv sync` and `npm install` bring into a project, which cannot have the same name. Of the
#: library's extras, too, which may be added later. Of npm's, those that a project names itself.
_TAKEN = {
    *("agents", "esbuild", "react", "react-dom", "typescript"),
    *("annotated-doc", "annotated-types", "anyio", "ast-serialize", "certifi"),
    *("charset-normalizer", "click", "colorama", "cronsim", "fastapi", "h11", "httpcore"),
    *("httpx", "idna", "iniconfig", "librt", "markdown-it-py", "mdurl", "msgspec", "mypy"),
    *("mypy-extensions", "nodeenv", "opentelemetry-api", "packaging", "partyserver"),
    *("pathspec", "pluggy", "pydantic", "pydantic-core", "pygments", "pyjson5", "pyodide-cli"),
    *("pyodide-http", "pyodide-py", "pyright", "pytest", "requests", "rich", "shellingham"),
    *("sniffio", "starlette", "typer", "typing-extensions", "typing-inspection", "urllib3"),
    *("websockets", "workers-py", "workers-runtime-sdk", "wrangler"),
    *("y-indexeddb", "y-partyserver", "y-protocols", "yjs"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "name",
        metavar="NAME",
        help="of the folder, and of the worker: my-app; . for the current folder, if it is empty",
    )
    parser.add_argument(
        "--template",
        choices=TEMPLATES,
        default="chat",
        help="chat: a room and its page; fastapi: the same with a FastAPI app beside it; agent: an "
        "assistant that streams its answers, and its page with React; yjs: notes that several "
        "people write at once, and their page (default: chat)",
    )


def run(options: argparse.Namespace) -> int:
    is_here = options.name == "."
    folder = Path.cwd() if is_here else Path.cwd() / options.name
    name = folder.name if is_here else options.name
    try:
        check_name(name)
        make(folder, files_of(options.template, name))
    except CommandError as error:
        if is_here:
            raise CommandError(f"{error}. {_NOT_HERE}") from None
        raise
    go = "" if is_here else f"\n  cd {name}"
    npm = _NPM.get(options.template, "wrangler")
    print(_NEXT.format(name=name, template=options.template, go=go, npm=npm))
    return 0


_NOT_HERE = "From one folder up you can name the project: partyserver init NAME"

_NEXT = """\
{name} is ready, made from the template {template}. What comes next:
{go}
  npm install               # {npm}; needs Node.js 22.12 or newer
  uv run pywrangler sync    # the library, and what else the worker needs
  uv run pytest
  uv run pywrangler dev     # on http://localhost:8787"""


def check_name(name: str) -> None:
    """
    Raises:
        CommandError: it cannot be the name of a worker and of a project.
    """
    if not _GOOD.fullmatch(name):
        better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63].strip("-")
        hint = f": {better} would do" if better and better not in _TAKEN else ""
        raise CommandError(
            f"{name!r} cannot be the name of a worker, which has 1 to 63 of the characters a-z, "
            f"0-9 and -, the last not at an end{hint}"
        )
    if name in _TAKEN:
        raise CommandError(
            f"{name!r} is a package that the project needs, and cannot be its name: take another, "
            "as my-app"
        )


def files_of(template: str, name: str) -> dict[str, str]:
    """The files of a new project, by their paths in it."""
    needed = [f"partyserver>={__version__}", *TEMPLATES[template]]
    values = {
        "@name@": name,
        "@dependencies@": '", "'.join(needed),
        "@tests@": _TESTS.get(template, ""),
    }
    folder = resources.files(__package__) / "templates"
    files = {}
    for part in _PARTS[template]:
        for path, file in _walk(folder / part):
            text = file.read_text(encoding="utf-8")
            for mark, value in values.items():
                text = text.replace(mark, value)
            files[path] = text
    return files


def _walk(folder: Traversable, above: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        path = above + _NAMES.get(entry.name, entry.name)
        if entry.is_file() and not path.endswith(".pyc"):
            yield path, entry
        elif entry.is_dir() and entry.name != "__pycache__":
            yield from _walk(entry, f"{path}/")


def make(folder: Path, files: Mapping[str, str]) -> None:
    """Write files into a new folder, or into one that is there and empty: all of them, or nothing.

    Raises:
        CommandError: something is there already, or it cannot be written.
    """
    made: list[Path] = []
    try:
        if not folder.is_dir():
            if folder.is_symlink() or folder.exists():
                raise CommandError(
                    f"{shown(folder)} is there already, and no folder: take another name"
                )
            folder.mkdir()
            made.append(folder)
        elif any(folder.iterdir()):
            raise CommandError(
                f"the folder {shown(folder)} is not empty: take another name, or empty it first"
            )
        for path, text in files.items():
            for above in reversed(Path(path).parents[:-1]):
                if not (folder / above).is_dir():
                    (folder / above).mkdir()
                    made.append(folder / above)
            with (folder / path).open("x", encoding="utf-8", newline="\n") as file:
                made.append(folder / path)
                file.write(text)
    except BaseException as error:
        for own in reversed(made):
            with contextlib.suppress(OSError):
                own.rmdir() if own.is_dir() else own.unlink()
        if isinstance(error, OSError):
            reason = f"{shown(folder)} cannot be made: {error.strerror}"
            raise CommandError(reason) from None
        raise
