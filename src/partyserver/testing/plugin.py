"""The pytest plugin: options, and the fixture `party`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .party import Party
from .runtime import Runtime, RuntimeStartError, Settings, find_config


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "party_config",
        "partyserver: path of the wrangler config, from the rootdir (default: the rootdir's "
        "wrangler.jsonc, .json or .toml)",
    )
    parser.addini("party_vars", "partyserver: variables for the worker, KEY=VALUE", type="linelist")
    parser.addini("party_env", "partyserver: the wrangler environment to run")
    parser.addini(
        "party_pyodide_bundle",
        "partyserver: folder with the runtime's Pyodide bundle, from the rootdir, where the "
        "runtime cannot download it (adds the flags of the development bundle to the worker)",
    )


class _Runtimes:
    """The session's runtimes, one for each wrangler config that a test asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.started: dict[Path, Runtime] = {}
        self._failed: dict[Path, str] = {}

    def get(self, wrangler_config: Path) -> Runtime:
        if wrangler_config not in self.started and wrangler_config not in self._failed:
            try:
                settings = _settings(self._config, wrangler_config)
                self.started[wrangler_config] = Runtime.start(settings)
            except RuntimeStartError as error:
                self._failed[wrangler_config] = str(error)
        if wrangler_config in self._failed:
            pytest.fail(self._failed[wrangler_config], pytrace=False)
        return self.started[wrangler_config]


_runtimes_key = pytest.StashKey[_Runtimes]()


@pytest.fixture(scope="session")
def _party_runtimes(pytestconfig: pytest.Config) -> Iterator[_Runtimes]:
    runtimes = pytestconfig.stash[_runtimes_key] = _Runtimes(pytestconfig)
    yield runtimes
    for runtime in runtimes.started.values():
        runtime.stop()


@pytest.fixture
def party_config(pytestconfig: pytest.Config) -> Path:
    """The wrangler config that `party` runs: the ini option of the same name.

    A test module or a `conftest.py` may override it, and so run a worker of its own.
    """
    path = pytestconfig.getini("party_config")
    return pytestconfig.rootpath / path if path else find_config(pytestconfig.rootpath)


@pytest.fixture
def party(_party_runtimes: _Runtimes, party_config: Path) -> Iterator[Party]:
    """The project's worker on the real runtime, with empty storage.

    The runtime is started once per session. After each test its sockets are closed, its objects
    evicted, and their storage and alarms deleted.
    """
    party = Party(_party_runtimes.get(party_config.resolve()))
    yield party
    party.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    party = getattr(item, "funcargs", {}).get("party")
    if report.when == "call" and report.failed and isinstance(party, Party) and party.logs:
        report.sections.append(("Log of the worker", str(party.logs)))
    return report  # type: ignore[return-value]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    runtimes = config.stash.get(_runtimes_key, None)
    if runtimes and terminalreporter.verbosity > 0:
        for path, runtime in runtimes.started.items():
            terminalreporter.write_line(
                f"partyserver: the worker of {path} started in {runtime.start_seconds:.1f} s "
                f"(wrangler {runtime.wrangler})"
            )


def _settings(config: pytest.Config, wrangler_config: Path) -> Settings:
    if not wrangler_config.is_file():
        raise RuntimeStartError(
            f"there is no wrangler config {wrangler_config}: set the ini option party_config to "
            "the path of yours"
        )
    root = config.rootpath
    bundle = config.getini("party_pyodide_bundle")
    return Settings(
        config=wrangler_config,
        search=(wrangler_config.parent, root, Path.cwd()),
        vars=_variables(config.getini("party_vars")),
        env=config.getini("party_env") or None,
        pyodide_bundle=(root / bundle).resolve() if bundle else None,
    )


def _variables(lines: list[str]) -> dict[str, str]:
    variables = {}
    for line in lines:
        name, separator, value = line.partition("=")
        if not separator:
            raise RuntimeStartError(f"party_vars: {line!r} is not KEY=VALUE")
        variables[name.strip()] = value.strip()
    return variables
