"""After every test on the real runtime, its log is searched for what no working server leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from partyserver.testing import Party

TROUBLE = re.compile(
    r"never awaited"
    r"|never retrieved"  # "Task exception was ..." and "Future exception was ..."
    r"|Task was destroyed"
    r"|unhandled ?(promise)? ?rejection"
    r"|uncaught"
    r"|borrowed"  # "This borrowed proxy was automatically destroyed ..."
    r"|already (been )?destroyed"  # "Object has already been destroyed"
    r"|Pyodide has suffered a fatal error"
    r"|Exception ignored",
    re.IGNORECASE,
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "log_may_hold(*texts): lines of the runtime's log with one of these are no failure",
    )


@pytest.fixture(autouse=True)
def _no_trouble_in_the_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Autouse, and so torn down after `party`: it also sees what the end of the test has caused."""
    yield
    party = getattr(request.node, "funcargs", {}).get("party")
    if not isinstance(party, Party):
        return
    allowed = [text for mark in request.node.iter_markers("log_may_hold") for text in mark.args]
    trouble = [
        str(line)
        for line in party.logs
        if TROUBLE.search(line.message) and not any(text in line.message for text in allowed)
    ]
    if trouble:
        pytest.fail("the runtime's log holds trouble:\n" + "\n".join(trouble), pytrace=False)
