"""The pytest plugin: options, and the fixture `party`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .party import Party
from .runtime import Runtime, RuntimeStartError, Settings, find_config

_runtime_key = pytest.StashKey[Runtime]()


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


@pytest.fixture(scope="session")
def _party_runtime(pytestconfig: pytest.Config) -> Iterator[Runtime]:
    failure = ""
    try:
        runtime = Runtime.start(_settings(pytestconfig))
    except RuntimeStartError as error:
        failure = str(error)
    if failure:  # Outside of the except clause, or pytest shows both exceptions.
        pytest.fail(failure, pytrace=False)
    pytestconfig.stash[_runtime_key] = runtime
    yield runtime
    runtime.stop()


@pytest.fixture
def party(_party_runtime: Runtime) -> Iterator[Party]:
    """The project's worker on the real runtime, with empty storage.

    The runtime is started once per session. After each test its sockets are closed, its objects
    evicted, and their storage and alarms deleted.
    """
    party = Party(_party_runtime)
    yield party
    party.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[misc, assignment]
    party = getattr(item, "funcargs", {}).get("party")
    if report.when == "call" and report.failed and isinstance(party, Party) and party.logs:
        report.sections.append(("Log of the worker", str(party.logs)))
    return report  # type: ignore[return-value]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    runtime = config.stash.get(_runtime_key, None)
    if runtime and terminalreporter.verbosity > 0:
        terminalreporter.write_line(
            f"partyserver: the worker started in {runtime.start_seconds:.1f} s "
            f"(wrangler {runtime.wrangler})"
        )


def _settings(config: pytest.Config) -> Settings:
    root = config.rootpath
    path = config.getini("party_config")
    wrangler_config = root / path if path else find_config(root)
    if not wrangler_config.is_file():
        raise RuntimeStartError(f"the ini option party_config names {path}, which does not exist")
    bundle = config.getini("party_pyodide_bundle")
    return Settings(
        config=wrangler_config.resolve(),
        search=(wrangler_config.resolve().parent, root, Path.cwd()),
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
