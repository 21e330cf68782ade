import logging

import pytest
from partyserver.rules.levels import method_of


@pytest.mark.parametrize(
    ("level", "method"),
    [
        (logging.DEBUG, "debug"),
        (logging.INFO, "info"),
        (logging.WARNING, "warn"),
        (logging.ERROR, "error"),
        (logging.CRITICAL, "error"),
        (0, "debug"),
        (19, "debug"),
        (25, "info"),
        (35, "warn"),
        (1000, "error"),
    ],
)
def test_a_level_has_a_method_of_the_console(level, method):
    assert method_of(level) == method
