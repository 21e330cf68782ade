"""The states of the tutorial's code, docs/tutorial/*, as workers that run."""

from __future__ import annotations

import functools
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from partyserver.testing import plugin
from playwright.sync_api import Page

from ..chromium import OpenPage, browser, open_page

__all__ = ["OpenPage", "browser", "open_page"]

ROOT = Path(__file__).parents[2]
STATES = ROOT / "docs" / "tutorial"
PAGES = ROOT / "docs" / "pages" / "tutorial"

Make = Callable[..., Path]


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `pywrangler sync` would bring into python_modules/, from the checkout's examples."""
    folder = tmp_path_factory.mktemp("packages") / "python_modules"
    shutil.copytree(ROOT / "python_modules", folder)
    for path in (ROOT / "fixtures/fastapi/python_modules").glob("*jwt*"):
        shutil.copytree(path, folder / path.name)
    return folder


@pytest.fixture(scope="session")
def make(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a step's project, as its reader has it."""

    def make(step: str) -> Path:
        folder = tmp_path_factory.mktemp("tutorial") / step
        shutil.copytree(STATES / step, folder)
        (folder / "python_modules").symlink_to(packages)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        (folder / ".dev.vars").write_text("\n".join(variables(folder)))
        return folder

    return make


def variables(project: Path) -> list[str]:
    """Those of the project's own tests, where its reader has secrets."""
    settings = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["pytest"]
    return settings["ini_options"].get("party_vars", [])


@pytest.fixture(scope="session")
def projects(make: Make) -> Make:
    """The same, once for each step."""
    return functools.cache(make)


@pytest.fixture
def project(step: str, projects: Make) -> Path:
    return projects(step)


@pytest.fixture
def party_config(project: Path, request: pytest.FixtureRequest) -> Path:
    """One step's runtime at a time: they are many."""
    config = project / "wrangler.toml"
    runtimes = request.config.stash.get(plugin._runtimes_key, None)
    if runtimes and runtimes.started and (config.resolve(),) not in runtimes.started:
        runtimes.stop()
        runtimes.started.clear()
    return config


def picture(page: Page, name: str) -> None:
    """For the page of the tutorial, with PARTY_PICTURES=1."""
    if os.environ.get("PARTY_PICTURES"):
        page.screenshot(path=PAGES / f"{name}.png", animations="disabled")
