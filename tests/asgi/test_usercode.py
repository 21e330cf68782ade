"""User code is called in one way: the places of `partyserver.asgi`.

See tests/contracts/test_usercode.py, whose table this goes on with.
"""

from __future__ import annotations

import pytest

from ..contracts.scripted import eventually
from ..contracts.test_usercode import FAILS, RETURNS, told
from .conftest import Site

HOWS = [*FAILS, *RETURNS]


@pytest.fixture
def site(party):
    return Site(party, "acting")


def done(site, name):
    return eventually(lambda: "done" in site.fetch("/notes/x").json().get(name, ()))


@pytest.mark.parametrize("how", HOWS)
def test_an_app_that_has_answered(party, site, how):
    assert site.fetch(f"/app/{how}").json() == "answered"
    if how in FAILS:
        assert told(party, FAILS[how])
    else:
        assert done(site, f"app.{how}")
    assert site.fetch("/app/none").json() == "answered"


@pytest.mark.parametrize("how", FAILS)
def test_an_app_that_has_not_answered(party, how):
    site = Site(party, "acting-before")
    assert site.fetch(f"/app/{how}").status_code == 500
    assert told(party, FAILS[how])


@pytest.mark.parametrize("how", HOWS)
def test_on_error(party, how):
    site = Site(party, "acting-on-error")
    response = site.fetch(f"/on_error/{how}")
    if how in FAILS:
        assert response.status_code == 500
        assert eventually(lambda: FAILS[how] in str(party.logs))
    else:
        assert (response.status_code, response.text) == (418, "answered")
    assert site.fetch("/app/none").json() == "answered"


@pytest.mark.parametrize("how", HOWS)
def test_a_lifespan(party, how):
    """One that acts and says nothing counts as none; the app is asked all the same."""
    notes = Site(party, f"starting-{how}").fetch("/").json()[f"lifespan.{how}"]
    assert notes[0] == "began"
    assert (how in RETURNS) == ("done" in notes)
