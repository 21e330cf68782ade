"""The pytest plugin: options, and the fixture `party`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from .party import Party
from .runtime import Runtime, RuntimeStartError, Settings, find_config


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "party_config",
        "partyserver: path of the wrangler config, from the rootdir (default: the rootdir's "
        "wrangler.jsonc, .json or .toml); of further workers that it talks to, one on a line",
        type="linelist",
    )
    parser.addini("party_vars", "partyserver: variables for the worker, KEY=VALUE", type="linelist")
    parser.addini("party_env", "partyserver: the wrangler environment to run")
    parser.addini(
        "party_pyodide_bundle",
        "partyserver: folder with the runtime's Pyodide bundle, from the rootdir, where the "
        "runtime cannot download it (adds the flags of the development bundle to the worker)",
    )


#: The wrangler configs of the workers in one runtime, the primary one's first.
_Configs = tuple[Path, ...]


class _Runtimes:
    """The session's runtimes, one for each set of wrangler configs that a test asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.started: dict[_Configs, Runtime] = {}
        self._failed: dict[_Configs, str] = {}

    def get(self, wrangler_configs: _Configs) -> Runtime:
        if wrangler_configs not in self.started and wrangler_configs not in self._failed:
            try:
                settings = _settings(self._config, wrangler_configs)
                self.started[wrangler_configs] = Runtime.start(settings)
            except RuntimeStartError as error:
                self._failed[wrangler_configs] = str(error)
        if wrangler_configs in self._failed:
            pytest.fail(self._failed[wrangler_configs], pytrace=False)
        return self.started[wrangler_configs]


_runtimes_key = pytest.StashKey[_Runtimes]()


@pytest.fixture(scope="session")
def _party_runtimes(pytestconfig: pytest.Config) -> Iterator[_Runtimes]:
    runtimes = pytestconfig.stash[_runtimes_key] = _Runtimes(pytestconfig)
    yield runtimes
    for runtime in runtimes.started.values():
        runtime.stop()


@pytest.fixture
def party_config(pytestconfig: pytest.Config) -> Path | Sequence[Path]:
    """The wrangler config that `party` runs: the ini option of the same name.

    A test module or a `conftest.py` may override it, and so run a worker of its own. Several
    configs run in one runtime: the first is the worker that `party` reaches, the others are those
    that it talks to over service bindings and Durable Object bindings with a `script_name`.
    """
    paths = [pytestconfig.rootpath / path for path in pytestconfig.getini("party_config")]
    return paths or find_config(pytestconfig.rootpath)


@pytest.fixture
def party(_party_runtimes: _Runtimes, party_config: Path | Sequence[Path]) -> Iterator[Party]:
    """The project's worker on the real runtime, with empty storage.

    The runtime is started once per session. After each test its sockets are closed, its objects
    evicted, and their storage and alarms deleted.
    """
    configs = [party_config] if isinstance(party_config, Path) else party_config
    party = Party(_party_runtimes.get(tuple(path.resolve() for path in configs)))
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
        for paths, runtime in runtimes.started.items():
            noun = "worker" if len(paths) == 1 else "workers"
            terminalreporter.write_line(
                f"partyserver: the {noun} of {', '.join(map(str, paths))} started in "
                f"{runtime.start_seconds:.1f} s "
                f"(wrangler {runtime.wrangler})"
            )


def _settings(config: pytest.Config, wrangler_configs: _Configs) -> Settings:
    for path in wrangler_configs:
        if not path.is_file():
            raise RuntimeStartError(
                f"there is no wrangler config {path}: set the ini option party_config to the path "
                "of yours"
            )
    root = config.rootpath
    bundle = config.getini("party_pyodide_bundle")
    return Settings(
        configs=wrangler_configs,
        search=(wrangler_configs[0].parent, root, Path.cwd()),
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
