"""Chromium for the tests of pages: fixtures that a `conftest.py` imports where they are needed."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from partyserver.testing import Party
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

#: Milliseconds. Only a failing test waits this long.
TIMEOUT = 120_000

OpenPage = Callable[..., Page]


# A running Playwright occupies its thread's event loop: not for longer than a module.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if executable is None:
        pytest.skip(
            "no Chromium: install it with `apt-get install chromium` (Debian, Ubuntu), "
            "or put Chromium or Chrome on the PATH as " + " or ".join(CHROMIUM)
        )
    expect.set_options(timeout=TIMEOUT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=FLAGS, timeout=TIMEOUT
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser, party: Party) -> Iterator[OpenPage]:
    """Opens pages of the worker, each in a profile of its own; an exception in one fails the test.

    The options are those of Playwright's `new_context`.
    """
    contexts = []
    errors: list[object] = []

    def open_page(path: str = "/", **options: Any) -> Page:
        context = browser.new_context(base_url=party.url, locale="en-GB", **options)
        context.set_default_timeout(TIMEOUT)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
