"""The messages that the library has for its users: those of its source, and those of a page."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[2] / "src" / "partyserver"

#: Calls whose first argument is a line of the log, or of what a command prints.
TELLING = {"log_error", "log_warning", "log_info", "Finding", "CommandError", "LoadError"}
#: Where hosting collects what is wrong with a config, to tell all of it at once.
COLLECTING = {"self.problems.append", "classes.problems.append"}
#: What is raised for users, or for whoever awaits it.
RAISED = re.compile(r"(\w+\.)*\w*Error")

#: What stands where a message has something else each time.
HOLE = "{}"
#: A template with fewer letters of its own says nothing: what is put into it does.
FEW = 8


class Message(NamedTuple):
    file: str
    line: int
    text: str


def _plain(text: str) -> str:
    """A text in which each hole is a NUL, as it is compared: one line, without other braces."""
    return " ".join(re.sub(r"[{}]", "", text).split()).replace("\0", HOLE)


def shown(text: str) -> str:
    """A message of a page, where `{name}` stands for something else each time."""
    return _plain(re.sub(r"\{[\w…]+\}", "\0", text))


def template(node: ast.expr) -> str | None:
    """A literal, an f-string, or what is added up of these."""
    text = _template(node)
    return None if text is None else shown(text)  # which may have braces of its own


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        parts = node.values
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "\0" for p in parts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _template(node.left), _template(node.right)
        if left is not None or right is not None:
            return ("\0" if left is None else left) + ("\0" if right is None else right)
    return None


@cache
def _trees() -> dict[str, ast.Module]:
    files = sorted(path for path in SOURCE.rglob("*.py") if "templates" not in path.parts)
    return {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text()) for path in files}


@cache
def texts() -> frozenset[str]:
    """All literals and templates of the source, whatever they are for."""
    nodes = (node for tree in _trees().values() for node in ast.walk(tree))
    found = (template(node) for node in nodes if isinstance(node, ast.expr))
    return frozenset(text for text in found if text)


@cache
def told() -> tuple[Message, ...]:
    """What users can meet: what is raised, logged, or printed by a command."""
    found: dict[str, Message] = {}
    for file, tree in _trees().items():
        for node in ast.walk(tree):
            for argument in _arguments(node):
                for text in _possible(argument):
                    if len(text.replace(HOLE, "")) >= FEW:
                        found.setdefault(text, Message(file, argument.lineno, text))
    return tuple(found.values())


def _arguments(node: ast.AST) -> list[ast.expr]:
    """The expressions of a statement or a call that become a message."""
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        # `raise _missing(name)` has its message in that function.
        is_error = RAISED.fullmatch(ast.unparse(node.exc.func))
        return node.exc.args if is_error else [node.exc]
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called in COLLECTING or called == "super().__init__" or _name(called) in TELLING:
            return node.args[:1]
    return []


def _name(dotted: str) -> str:
    return dotted.rpartition(".")[2]


@cache
def _values() -> dict[str, list[ast.expr]]:
    """What constants are, and what functions return, by their names."""
    found: dict[str, list[ast.expr]] = {}
    for tree in _trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                returns = [one for one in ast.walk(node) if isinstance(one, ast.Return)]
                values = [one.value for one in returns if one.value is not None]
                found.setdefault(node.name, []).extend(values)
        for statement in tree.body:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                found.setdefault(statement.targets[0].id, []).append(statement.value)
    return found


def _possible(node: ast.expr, seen: frozenset[str] = frozenset()) -> list[str]:
    """The templates that an expression can be, also where a function or a constant has them."""
    text = template(node)
    if text is not None:
        return [text]
    if isinstance(node, ast.IfExp):
        return _possible(node.body, seen) + _possible(node.orelse, seen)
    if isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Name | ast.Attribute):
        name = _name(ast.unparse(node))
        is_maker = name.startswith(("_", "of_")) or name.isupper()
        if is_maker and name not in seen:
            values = _values().get(name, [])
            return [text for value in values for text in _possible(value, seen | {name})]
    return []


class Entry(NamedTuple):
    """A message of a page, and what stands below it."""

    message: str
    below: str


#: A heading, or an item of a list, that is a message and nothing else.
_ENTRY = re.compile(r"(?:####|-) (?:`` (.+) ``|`([^`]+)`)")


def entries(page: str) -> list[Entry]:
    """Messages that share what is below them follow each other."""
    found: list[Entry] = []
    waiting: list[str] = []
    below: list[str] = []

    def end() -> None:
        if below:
            found.extend(Entry(message, " ".join(below)) for message in waiting)
            waiting.clear()
            below.clear()

    for line in page.splitlines():
        if match := _ENTRY.fullmatch(line):
            end()
            if line.startswith("-"):
                found.append(Entry(match[1] or match[2], ""))
            else:
                waiting.append(match[1] or match[2])
        elif line.startswith("#"):
            end()
            found.extend(Entry(message, "") for message in waiting)
            waiting.clear()
        elif line and waiting:
            below.append(line)
    end()
    return found + [Entry(message, "") for message in waiting]
