"""The ASGI tests run tests/asgi/worker on the real runtime."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import pytest

WORKER = Path(__file__).parent / "wrangler.toml"

collect_ignore = ["python_modules", "worker"]


@pytest.fixture
def party_config():
    return WORKER


class Site:
    """One of the worker's apps."""

    def __init__(self, party, name):
        self.party = party
        # Identity: what compresses otherwise is the test runtime, and not the app.
        self.headers = {"x-site": name, "accept-encoding": "identity"}

    def fetch(self, path="/", method="GET", headers=None, **options):
        return self.party.fetch(path, method, headers=self.headers | (headers or {}), **options)

    def connect(self, path, headers=None, **options):
        return self.party.connect(path, headers=self.headers | (headers or {}), **options)

    def stream(self, path, method="GET", **options):
        return self.party._client.stream(
            method, self.party.url + path, headers=self.headers, **options
        )

    def sees(self, *wanted, timeout=60):
        """Wait until the plain app has noted all that is wanted, in that order."""
        seen = []
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            seen += self.fetch("/seen").json()
            if seen == list(wanted):
                return
            time.sleep(0.02)
        raise AssertionError(f"wanted {list(wanted)}, seen {seen}")


@pytest.fixture
def site(party):
    return partial(Site, party)


@pytest.fixture
def plain(site):
    site = site("plain")
    site.fetch("/seen")
    return site
