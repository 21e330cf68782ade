"""The pytest plugin: options, and the fixture `party`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from .party import Party
from .runtime import Runtime, RuntimeStartError, Settings, find_config


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("partyserver").addoption(
        "--party-chaos",
        action="store_true",
        help="evict each room from memory between any two events, with its sockets kept open",
    )
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
        "partyserver: folder, from the rootdir, in which the runtime keeps its Python interpreter "
        "once it has downloaded it; a pyodide_dev.capnp.bin there is used instead (and its flags "
        "are added to the worker)",
    )


#: The wrangler configs of the workers in one runtime, the primary one's first.
_Configs = tuple[Path, ...]


#: The marker of tests that `--party-chaos` leaves alone.
CALM = "no_party_chaos"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{CALM}: partyserver: --party-chaos leaves the test alone")


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

    def descriptions(self) -> list[str]:
        """How long each took to start."""
        return [
            f"partyserver: the worker{'s' if len(paths) > 1 else ''} of "
            f"{', '.join(map(str, paths))} started in {runtime.start_seconds:.1f} s "
            f"(wrangler {runtime.wrangler})"
            for paths, runtime in self.started.items()
        ]


_runtimes_key = pytest.StashKey[_Runtimes]()
#: What the processes of pytest-xdist have told the one with the terminal.
_told_key = pytest.StashKey[list[str]]()


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
def party(
    request: pytest.FixtureRequest,
    _party_runtimes: _Runtimes,
    party_config: Path | Sequence[Path],
) -> Iterator[Party]:
    """The project's worker on the real runtime, with empty storage.

    The runtime is started once per session. After each test its sockets are closed, its objects
    evicted, and their storage and alarms deleted.
    """
    configs = [party_config] if isinstance(party_config, Path) else party_config
    runtime = _party_runtimes.get(tuple(path.resolve() for path in configs))
    calm = not request.config.getoption("party_chaos") or request.node.get_closest_marker(CALM)
    party = Party(runtime, chaos=not calm)
    yield party
    party.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    party = getattr(item, "funcargs", {}).get("party")
    if report.when == "call" and report.failed and isinstance(party, Party):
        for title, text in (("Log of the worker", party.logs), ("Evictions", party.losses)):
            if text:
                report.sections.append((title, str(text)))
    return report  # type: ignore[return-value]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    runtimes = config.stash.get(_runtimes_key, None)
    if terminalreporter.verbosity > 0:
        own = runtimes.descriptions() if runtimes else []
        for line in [*own, *config.stash.get(_told_key, [])]:
            terminalreporter.write_line(line)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Under pytest-xdist: the terminal is in another process."""
    runtimes = session.config.stash.get(_runtimes_key, None)
    if runtimes and hasattr(session.config, "workeroutput"):
        session.config.workeroutput["partyserver"] = runtimes.descriptions()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = node.config.stash.setdefault(_told_key, [])
    told += getattr(node, "workeroutput", {}).get("partyserver", [])


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
