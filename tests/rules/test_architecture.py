"""What `lint-imports` cannot say of the package. docs/pages/internals.md tells why."""

from __future__ import annotations

import ast
from pathlib import Path

import partyserver
import pytest
from partyserver.rules.contract import HOOKS, HOOKS_OF_MIXINS

PACKAGE = Path(partyserver.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 450


def name_of(path):
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_a_module_is_one_noun_and_no_longer_than_one_can_read(module):
    assert len(module.read_text().splitlines()) <= MOST_LINES


def calls_on(tree, *names):
    """The attributes that are asked for on expressions that end so: `server`, `self.server`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith(names):
            yield node.attr


@pytest.mark.parametrize(
    "module",
    [
        *["life", "reporting", "upgrade", "connections", "sql", "kv", "migrations"],
        *["presence", "history"],
    ],
)
def test_the_machinery_calls_nothing_but_hooks_on_the_users_object(module):
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    # Options are no call: an object may set its own in `__init__`.
    assert set(calls_on(tree, "server", "_receiver")) <= HOOKS | HOOKS_OF_MIXINS.keys() | {
        "options"
    }


def test_the_public_api_reaches_the_life_and_nothing_of_itself():
    """What the API calls on `self` could be a user's method of the same name."""
    tree = ast.parse((PACKAGE / "server.py").read_text())
    assert set(calls_on(tree, "self")) <= {"ctx"}
