import pytest
from partyserver.load.errors import LoadError
from partyserver.load.files import OTHERS, allow


class Resource:
    """As Python's module of that name."""

    RLIMIT_NOFILE = 7
    RLIM_INFINITY = -1

    def __init__(self, soft, hard, error=None):
        self.limits, self.error = (soft, hard), error

    def getrlimit(self, which):
        assert which == self.RLIMIT_NOFILE
        return self.limits

    def setrlimit(self, which, limits):
        assert which == self.RLIMIT_NOFILE
        if self.error:
            raise self.error
        self.limits = limits


def test_windows_has_no_such_limit():
    allow(10**6, None)


@pytest.mark.parametrize("soft", [1000 + OTHERS, -1])
def test_a_limit_that_is_enough_stays(soft):
    resource = Resource(soft, -1)
    allow(1000, resource)
    assert resource.limits == (soft, -1)


@pytest.mark.parametrize("hard", [1000 + OTHERS, -1])
def test_the_limit_is_raised_as_far_as_needed(hard):
    resource = Resource(256, hard)
    allow(1000, resource)
    assert resource.limits == (1000 + OTHERS, hard)


def test_a_hard_limit_that_is_too_low_is_told():
    resource = Resource(256, 1063)
    with pytest.raises(
        LoadError, match=r"^1000 connections need 1064 open files, .* may have 1063"
    ):
        allow(1000, resource)
    assert resource.limits == (256, 1063)


@pytest.mark.parametrize("error", [OSError("no"), ValueError("no")])
def test_a_limit_that_cannot_be_raised_is_told(error):
    with pytest.raises(LoadError, match=r"\(no\): run `ulimit -n 1064` before"):
        allow(1000, Resource(256, -1, error))
