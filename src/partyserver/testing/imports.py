"""Whether a worker has what it needs to start: told from its files, before the runtime starts."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ..project.packages import MISSING, PROVIDED, package_of, why_not_there

#: Those of the SDK are looked for at its own start. Names with an underscore count so, too.
_PROVIDED = PROVIDED | {"asgi", "workers"}

_NOT_FOUND = re.compile(r"^ModuleNotFoundError: No module named '([^']+)'", re.MULTILINE)


@dataclass(frozen=True)
class Bundle:
    """The modules of one worker, as wrangler has gathered them."""

    folder: Path
    """Where its main module is: the names of modules begin there."""
    main: str
    names: frozenset[str]
    """Files, with `/` between folders; of vendored packages only the first part."""
    vendored: frozenset[str]
    python_modules: Path
    """Where vendored packages are, or would be."""
    classes: tuple[tuple[str, str], ...] = ()
    """The Durable Object bindings to its own classes, and the names of these."""


class Import(NamedTuple):
    """One module that is imported as soon as another is."""

    module: str
    file: str
    line: int


def why_no_import(bundle: Bundle) -> str | None:
    """Says of an import that would fail when the worker starts, if one surely would, what to do.

    Not looked at is what an `if`, a `try` or a function may leave out, and what vendored packages
    import.
    """
    with _no_warnings():
        try:
            found = next(_missing(bundle, bundle.main, set()), None)
        except _Unsure:
            return None
    if found is None:
        return None
    where = f"the worker imports {found.module} ({found.file}, line {found.line})"
    name = found.module.partition(".")[0]
    return f"{where}, but {_what_to_do(name, bundle.python_modules)}"


@contextmanager
def _no_warnings() -> Iterator[None]:
    """The compiler has some of strings that the user has written."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def hint(error: str, python_modules: Path) -> str:
    """What to do about a module that the worker has not found, at the end of its traceback."""
    found = _NOT_FOUND.findall(error)
    if not found:
        return ""
    name = found[-1].partition(".")[0]
    return f"\n\n{name}: {_what_to_do(name, python_modules)}"


def why_no_class(bundle: Bundle) -> str | None:
    """Says of a class that the config names and the worker surely does not have, what to do.

    The runtime starts without it, and answers with internal errors.
    """
    with _no_warnings():
        tree = _parsed(bundle, bundle.main)
    if tree is None:
        return None
    names: set[str] = set()
    for node in ast.walk(tree):  # wherever a name may come from
        match node:
            case ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.alias(name="*") | ast.Name(id="globals" | "setattr" | "exec"):
                return None
            case ast.alias(name=name, asname=other):
                names.add(other or name)
    for binding, wanted in bundle.classes:
        if wanted not in names:
            has = ", ".join(_classes(bundle, tree))
            return (
                f"the wrangler config binds {binding} to the class {wanted}, which {bundle.main} "
                f"neither has nor imports (its classes: {has or 'none'}): mend class_name there, "
                "and in the migrations"
            )
    return None


def _classes(bundle: Bundle, tree: ast.Module) -> Iterator[str]:
    """The main module's classes, and what it imports from other modules of the worker by such
    names as classes have."""
    for statement in tree.body:
        match statement:
            case ast.ClassDef(name=name):
                yield name
            case ast.ImportFrom(module=str(module), level=0) if any(_own_files(bundle, module)):
                names = (alias.asname or alias.name for alias in statement.names)
                yield from (name for name in names if name[:1].isupper() and not name.isupper())


def _what_to_do(name: str, python_modules: Path) -> str:
    if name in MISSING:
        return why_not_there(name)
    sync = "run `uv run pywrangler sync`"
    if not python_modules.is_dir():
        return (
            f"nothing is vendored: there is no {python_modules}. To have the dependencies of "
            f"pyproject.toml there, {sync}; it is needed before the tests, and after each change "
            "of the dependencies"
        )
    return (
        f"it is neither a module of the worker nor vendored in {python_modules}. If it is a "
        "package, list it in the dependencies of pyproject.toml "
        f"(`uv add {package_of(name)}`) and {sync}"
    )


def _missing(bundle: Bundle, file: str, seen: set[str]) -> Iterator[Import]:
    """As Python would run into them: what a module imports comes before its own next import."""
    seen.add(file)
    tree = _parsed(bundle, file)
    if tree is not None and _changes_imports(tree):
        raise _Unsure
    for module, line in _imports(tree, file) if tree else ():
        own = list(_own_files(bundle, module))
        for other in own:
            if other not in seen:
                yield from _missing(bundle, other, seen)
        name = module.partition(".")[0]
        if not own and not _is_known(bundle, name):
            yield Import(module, file, line)


class _Unsure(Exception):
    """Where modules come from is the worker's own matter."""


def _changes_imports(tree: ast.Module) -> bool:
    names = {"path", "modules", "meta_path", "path_hooks"}
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in names:
                return True
            case ast.ImportFrom(module="sys", names=imported):
                if any(alias.name in names for alias in imported):
                    return True
    return False


def _parsed(bundle: Bundle, file: str) -> ast.Module | None:
    """Nothing of what is wrong, or newer: the runtime tells, whose Python is another."""
    try:
        return ast.parse((bundle.folder / file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None


def _is_known(bundle: Bundle, name: str) -> bool:
    return (
        name.startswith("_")
        or name in _PROVIDED
        or name in bundle.vendored
        # A folder without `__init__.py`, or a module that is not Python's.
        or any(file.split("/")[0].split(".")[0] == name for file in bundle.names)
    )


def _own_files(bundle: Bundle, module: str) -> Iterator[str]:
    """The files of the worker itself that are run when a module is imported."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        path = "/".join(parts[:end])
        for file in (f"{path}/__init__.py", f"{path}.py"):
            if file in bundle.names:
                yield file


def _imports(tree: ast.Module, file: str) -> Iterator[tuple[str, int]]:
    """The modules that a module surely imports, and in which line."""
    package = PurePosixPath(file).parent.parts
    for statement in tree.body:
        match statement:
            case ast.Import(names=names):
                for alias in names:
                    yield alias.name, statement.lineno
            case ast.ImportFrom(module=module, level=0) if module:
                yield module, statement.lineno
                yield from _submodules(module, statement)
            case ast.ImportFrom(module=module, level=level) if 0 < level <= len(package):
                base = [*package[: len(package) - level + 1], *(module or "").split(".")]
                parent = ".".join(filter(None, base))
                if parent:
                    yield parent, statement.lineno
                    yield from _submodules(parent, statement)


def _submodules(parent: str, statement: ast.ImportFrom) -> Iterator[tuple[str, int]]:
    """`from a import b` imports the module `a.b` if there is one."""
    for alias in statement.names:
        yield f"{parent}.{alias.name}", statement.lineno
