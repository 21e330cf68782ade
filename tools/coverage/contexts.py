"""A plugin of pytest: coverage.py notes what runs under the name of the test module that runs it.

Who imports a module first runs its lines, for all who import it later. So the modules that are
measured are imported before anything else, under no name.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator

import pytest

import coverage

#: Names the modules to import, with spaces between them.
VARIABLE = "PARTYSERVER_MEASURED"

_module = pytest.StashKey[str]()


def pytest_sessionstart() -> None:
    for name in os.environ[VARIABLE].split():
        with contextlib.suppress(ImportError):  # its test module imports it in another way
            importlib.import_module(name)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Iterator[None]:
    if isinstance(collector, pytest.Module):
        _note(collector)
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    _note(item)
    return (yield)


def _note(node: pytest.Item | pytest.Collector) -> None:
    """What runs from now on is of the test module of this node."""
    measured = coverage.Coverage.current()
    assert measured is not None
    module = node.nodeid.partition("::")[0]
    # It writes down what was noted until now, so not for each test.
    if module != node.session.stash.get(_module, None):
        measured.switch_context(module)
        node.session.stash[_module] = module
