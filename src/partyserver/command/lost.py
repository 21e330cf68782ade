"""Changes of a state that are lost: `connection.state` is a copy, and so is an agent's own."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from .stubs import is_agent

#: Hooks whose first parameter is a connection.
_HOOKS = {
    "get_connection_tags",
    "on_close",
    "on_connect",
    "on_error",
    "on_message",
    "on_rate_limited",
}
#: Methods of lists, dicts and sets that change them.
_CHANGING = {
    *("add", "append", "clear", "discard", "extend", "insert", "pop", "popitem", "remove"),
    *("reverse", "setdefault", "sort", "update"),
}
_CONNECTION = re.compile(r"\bConnection\b")
#: The decorator of `partyserver.events`.
_ON = re.compile(r"(\w+\.)*on$")

#: Folders of packages, where a worker lies in a project's root.
_PACKAGES = {"python_modules", "site-packages"}

_Function = ast.FunctionDef | ast.AsyncFunctionDef


class Lost(NamedTuple):
    path: Path
    line: int
    #: The variable that has the connection, and the code that changes its state.
    name: str
    code: str
    #: The variable has an agent, and no connection.
    is_agent: bool

    def __str__(self) -> str:
        instead = (
            f"change it by `with {self.name}.change() as state:`"
            if self.is_agent
            else f"pass the changed value to {self.name}.set_state(...)"
        )
        return f"`{self.code}` is lost, since {self.name}.state is a copy: {instead}"


def lost_changes(classes: Iterable[type], folder: Path) -> list[Lost]:
    """What the methods of these classes would lose, of those that a worker's own folder has."""
    wanted: dict[str, dict[str, bool]] = {}
    for one in classes:
        file = getattr(sys.modules.get(one.__module__), "__file__", None)
        if isinstance(file, str) and _is_own(Path(file), folder):
            wanted.setdefault(file, {})[one.__name__] = is_agent(one)
    found: list[Lost] = []
    for file, names in sorted(wanted.items()):
        try:
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError, RecursionError):  # as where Python is older
            continue
        lost = {
            Lost(Path(file), node.lineno, *change)
            for cls in ast.walk(tree)
            if isinstance(cls, ast.ClassDef) and cls.name in names
            for method in cls.body
            if isinstance(method, _Function)
            for node, change in _in_method(method, of_agent=names[cls.name])
        }
        found += sorted(lost)
    return found


def _is_own(file: Path, folder: Path) -> bool:
    return file.is_relative_to(folder) and not _PACKAGES & {*file.relative_to(folder).parts}


def _in_method(
    method: _Function, *, of_agent: bool
) -> Iterator[tuple[ast.stmt | ast.expr, tuple[str, str, bool]]]:
    #: The variables, and whether each has an agent.
    names = dict.fromkeys(_connections(method), False)
    if of_agent and (arguments := [*method.args.posonlyargs, *method.args.args]):
        names[arguments[0].arg] = True
    for node in ast.walk(method):
        match node:
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                pass
            case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                targets = [target]
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if attr in _CHANGING:
                name = _holder(value)
                if name in names:
                    yield node, (name, _shown(f"{ast.unparse(node.func)}(...)"), names[name])
                continue
            case _:
                continue
        for one in targets:
            if isinstance(one, ast.Subscript) and (name := _holder(one)) in names:
                yield node, (name, _shown(ast.unparse(node)), names[name])


def _connections(method: _Function) -> Iterator[str]:
    """The variables of a method that hold a connection."""
    is_handler = any(_ON.match(ast.unparse(one)) for one in method.decorator_list)
    for index, argument in enumerate([*method.args.posonlyargs, *method.args.args]):
        annotation = ast.unparse(argument.annotation) if argument.annotation else ""
        is_first = index == 1 and (is_handler or method.name in _HOOKS)
        if is_first or argument.arg == "connection" or _CONNECTION.search(annotation):
            yield argument.arg
    for node in ast.walk(method):
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Attribute(attr=attr))):
                if attr == "get_connections":
                    yield name
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr=attr))
            ) if attr == "get_connection":
                yield name


def _holder(node: ast.expr) -> str:
    """Of `NAME.state`, and of what is inside of it, the name; else nothing."""
    while isinstance(node, ast.Subscript):
        node = node.value
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr="state"):
            return name
    return ""


def _shown(code: str) -> str:
    line = " ".join(code.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
