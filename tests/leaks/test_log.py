"""The look at the log after every test (tests/conftest.py) sees each mess that it is for."""

from __future__ import annotations

import pytest

from ..conftest import trouble_in

MESSES = {
    "unawaited_coroutine": "coroutine 'Careless.fail' was never awaited",
    "unretrieved_exception": "Unhandled exception in event loop",
    "unretrieved_future": "exception was never retrieved",
    "destroyed_task": "Task was destroyed but it is pending",
    "unhandled_rejection": "unhandled rejection: Error: careless",
    "uncaught_exception": "Uncaught PythonError",
    "borrowed_proxy": "This borrowed proxy was automatically destroyed",
    "destroyed_proxy": "Object has already been destroyed",
}


@pytest.mark.log_may_hold(*MESSES.values())
@pytest.mark.parametrize("mess", MESSES)
def test_a_mess_in_the_log_is_seen(party, mess):
    party.room("Careless", "home").fetch(f"/{mess}")
    party.logs.wait_for(MESSES[mess])
    assert any(MESSES[mess] in line for line in trouble_in(party.logs))


def test_an_error_that_is_only_reported_is_no_mess(party):
    party.room("Careless", "home").fetch("/no_such_mess")
    assert "AttributeError" in str(party.logs)
    assert trouble_in(party.logs) == []
