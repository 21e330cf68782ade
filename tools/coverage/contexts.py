"""A plugin of pytest: coverage.py notes what runs under the name of the test module that runs it.

What runs before the tests, the import of all modules, is under no name.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import coverage


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    measured = coverage.Coverage.current()
    assert measured is not None
    module = module_of(item)
    # It writes down what was noted until now, so not for each test.
    if module != getattr(item.session, "_measured", None):
        measured.switch_context(module)
        item.session._measured = module  # type: ignore[attr-defined]
    return (yield)


def module_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
