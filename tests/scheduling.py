"""Which tests go to one process of pytest-xdist: `make test` runs two of them."""

from __future__ import annotations

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: Suites that are short: one process runs all of it, and starts its worker once.
TOGETHER = {"agents", "asgi", "http", "interop", "leaks", "partyflare", "partykit", "recipes"}
#: Suites whose tests share nothing, and of which some take long.
APART = {"packaging", "testing"}


class Scheduling(LoadScopeScheduling):
    """A file's tests stay together, in the order in which they stand.

    So a process comes to a suite once, and can stop the suite's runtime when it leaves it. Two
    processes have a runtime each where they share a suite.
    """

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


def scope(nodeid: str) -> str:
    """What a test shares with all others that go to the same process."""
    file = nodeid.partition("::")[0]
    suite = suite_of(file)
    if template := re.search(r"packaging/test_init\.py.*\[(\w+)", nodeid):
        return f"{file}::{template[1]}"  # which is made once: that takes as long as a test of it
    if suite in APART:
        return nodeid
    return suite if suite in TOGETHER else file


def suite_of(file: str) -> str:
    """`contracts`, of `tests/contracts/test_bodies.py`."""
    return file.removeprefix("tests/").partition("/")[0]
