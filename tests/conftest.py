"""The two modes of a room; and after every test, a look at the log of the runtime it used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest
from partyserver.testing import Party, plugin
from partyserver.testing.logs import LogLine
from xdist.remote import Producer

from .hosting.kit import OF_RUNTIME, ServedRuntime
from .scheduling import Scheduling

TROUBLE = re.compile(
    r"never awaited"
    r"|never retrieved"  # "Task exception was ..." and "Future exception was ..."
    r"|Task was destroyed"
    r"|unhandled (promise )?rejection"  # told by the tests' own workers: the runtime does not
    r"|Unhandled exception in event loop"
    r"|uncaught"
    r"|borrowed"  # "This borrowed proxy was automatically destroyed ..."
    r"|already (been )?destroyed"  # "Object has already been destroyed"
    r"|Pyodide has suffered a fatal error"
    r"|Exception ignored",
    re.IGNORECASE,
)

#: The kit itself, when it empties the storage while a request is still on its way.
KIT = "Application called deleteAllDurableObjects()"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--serve",
        action="store_true",
        help="run `party` on `partyserver serve`, which has no clock and no eviction of its own",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("serve"):
        vars(plugin)["Runtime"] = ServedRuntime
    config.addinivalue_line(
        "markers",
        "log_may_hold(*texts): lines of the runtime's log with one of these are no failure",
    )
    config.addinivalue_line(
        "markers", "alone: it measures, and `make test` runs it when nothing else runs"
    )
    config.addinivalue_line(
        "markers",
        "once(why): .ci/run repeats it neither with evictions nor without the shortcuts",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the runtimes of a suite at its end: those of all suites would need 5 GB."""
    try:
        return (yield)
    finally:
        runtimes = item.config.stash.get(plugin._runtimes_key, None)
        if runtimes and nextitem and nextitem.path.parent != item.path.parent:
            runtimes.stop()
            runtimes.started.clear()


@pytest.fixture(params=["in memory", "hibernating"])
def mode(request):
    return request.param


@pytest.fixture
def binding(mode):
    """The name of a class's binding in this mode: `binding("Scripted")`."""
    return lambda name: name if mode == "in memory" else f"{name}Sleepy"


@pytest.fixture
def evict(mode):
    """Evict a room between two events; in memory, where sockets do not outlive it, do nothing."""

    def evict(room):
        if mode == "hibernating":
            room.hibernate()

    return evict


def trouble_in(logs: Iterable[LogLine]) -> list[str]:
    return [str(line) for line in logs if TROUBLE.search(line.message)]


@pytest.fixture(autouse=True)
def _no_trouble_in_the_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """Autouse, and so torn down after `party`: it also sees what the end of the test has caused."""
    yield
    party = getattr(request.node, "funcargs", {}).get("party")
    if not isinstance(party, Party):
        return
    allowed = [
        KIT,
        *([OF_RUNTIME] if request.config.getoption("serve") else []),
        *(text for mark in request.node.iter_markers("log_may_hold") for text in mark.args),
    ]
    trouble = [line for line in trouble_in(party.logs) if not any(text in line for text in allowed)]
    if trouble:
        pytest.fail("the runtime's log holds trouble:\n" + "\n".join(trouble), pytrace=False)
