"""The pytest plugin: options, and the fixture `party`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .errors import RuntimeLostError, RuntimeStartError
from .installed import find_config, why_no_config
from .keeping import IDLE, LONGEST_IDLE, NoSlotError, Slot
from .logs import TIMEOUT
from .runtime import Runtime
from .starting import Settings
from .tracebacks import shorten

if TYPE_CHECKING:
    from .party import Party


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("partyserver").addoption(
        "--party-chaos",
        action="store_true",
        help="evict each room from memory between any two events, with its sockets kept open",
    )
    reuse = parser.getgroup("partyserver")
    reuse.addoption(
        "--party-reuse",
        action="store_true",
        default=None,
        help="keep the runtime for the next run, which starts at once where the worker is the same",
    )
    reuse.addoption(
        "--no-party-reuse",
        action="store_false",
        dest="party_reuse",
        help="start a runtime for this run alone, whatever the ini option party_reuse says",
    )
    parser.addini(
        "party_reuse",
        "partyserver: whether to keep the runtime for the next run, as --party-reuse does",
        type="bool",
    )
    parser.addini(
        "party_reuse_idle",
        f"partyserver: seconds after which a runtime that is kept and not used ends itself "
        f"(default: {IDLE:g})",
    )
    parser.addini(
        "party_config",
        "partyserver: path of the wrangler config, from the rootdir (default: the rootdir's "
        "wrangler.json, .jsonc or .toml); of further workers that it talks to, one on a line",
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
    parser.addini(
        "party_snapshots",
        "partyserver: folder, from the rootdir, in which start-up snapshots of workers are kept, "
        "with which the next start skips their imports (default: pytest's cache); `off` for none",
    )
    parser.addini(
        "party_timeout",
        f"partyserver: seconds that each wait takes at most that is given no timeout "
        f"(default: {TIMEOUT:g})",
    )


#: The wrangler configs of the workers in one runtime, the primary one's first.
_Configs = tuple[Path, ...]


#: The marker of tests that `--party-chaos` leaves alone.
CALM = "no_party_chaos"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{CALM}: partyserver: --party-chaos leaves the test alone")
    config.stash[_timeout_key] = _seconds(config, "party_timeout", TIMEOUT, threading.TIMEOUT_MAX)
    config.stash[_idle_key] = _seconds(config, "party_reuse_idle", IDLE, LONGEST_IDLE)


class _Runtimes:
    """The session's runtimes, one for each set of wrangler configs that a test asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.started: dict[_Configs, Runtime] = {}
        self._failed: dict[_Configs, str] = {}
        #: Why a runtime that was to be kept cannot be.
        self._not_kept: dict[_Configs, str] = {}

    def get(self, wrangler_configs: _Configs) -> Runtime:
        """The running one, or a new one where there is none or the last was lost."""
        if (known := self.started.get(wrangler_configs)) and known.lost:
            del self.started[wrangler_configs]
        if wrangler_configs not in self.started and wrangler_configs not in self._failed:
            try:
                settings = _settings(self._config, wrangler_configs)
                slot = self._slot(wrangler_configs)
                self.started[wrangler_configs] = Runtime.start(settings, slot)
            except RuntimeStartError as error:
                self._failed[wrangler_configs] = str(error)
        if wrangler_configs in self._failed:
            pytest.fail(self._failed[wrangler_configs], pytrace=False)
        return self.started[wrangler_configs]

    def _slot(self, wrangler_configs: _Configs) -> Slot | None:
        try:
            return _slot(self._config, wrangler_configs)
        except NoSlotError as error:
            self._not_kept[wrangler_configs] = str(error)
            return None

    def stop(self) -> None:
        for runtime in self.started.values():
            runtime.stop()

    def keep(self) -> None:
        """Leave those to the next run that may be left; stop the others."""
        for paths, runtime in self.started.items():
            runtime.keep(self._config.stash[_idle_key])
            if runtime.not_kept:
                self._not_kept[paths] = runtime.not_kept

    def told(self) -> tuple[list[str], list[str]]:
        """What was asked for and could not be done, and how long each took to start."""
        return self._warnings(), self._descriptions()

    def _descriptions(self) -> list[str]:
        return [
            f"partyserver: the {'worker' if len(paths) == 1 else 'workers'} of "
            f"{', '.join(map(str, paths))} {_beginning(runtime)} (wrangler {runtime.wrangler})"
            f"{_why(runtime)}"
            for paths, runtime in self.started.items()
        ]

    def _warnings(self) -> list[str]:
        return [
            f"partyserver: the runtime of {', '.join(map(str, paths))} is not kept for the next "
            f"run: {why}"
            for paths, why in self._not_kept.items()
        ]


def _beginning(runtime: Runtime) -> str:
    took = f"in {runtime.start_seconds:.1f} s"
    return f"ran already, ready {took}" if runtime.is_reused else f"started {took}"


def _why(runtime: Runtime) -> str:
    return f": {runtime.replaces}" if runtime.replaces else ""


_timeout_key = pytest.StashKey[float]()
_idle_key = pytest.StashKey[float]()
_party_key = pytest.StashKey["Party"]()
_runtimes_key = pytest.StashKey[_Runtimes]()
#: What the processes of pytest-xdist have told the one with the terminal: warnings, descriptions.
_told_key = pytest.StashKey[tuple[list[str], list[str]]]()


@pytest.fixture(scope="session")
def _party_runtimes(pytestconfig: pytest.Config) -> Iterator[_Runtimes]:
    runtimes = pytestconfig.stash[_runtimes_key] = _Runtimes(pytestconfig)
    yield runtimes
    runtimes.keep()


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
    try:
        from . import Party
    except ModuleNotFoundError as error:  # without the extra `testing`
        pytest.fail(str(error), pytrace=False)
    paths = [party_config] if isinstance(party_config, Path) else party_config
    configs = tuple(path.resolve() for path in paths)
    calm = not request.config.getoption("party_chaos") or request.node.get_closest_marker(CALM)

    def begin() -> Party:
        timeout = request.config.stash[_timeout_key]
        return Party(_party_runtimes.get(configs), chaos=not calm, timeout=timeout)

    try:
        party = begin()
    except RuntimeLostError:  # since the test before, and this one has nothing to do with it
        party = begin()
    request.node.stash[_party_key] = party
    yield party
    party.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    if call.excinfo and _is_to_shorten(call.excinfo.value, item.config):
        call.excinfo = _shortened(call.excinfo)
    report: pytest.TestReport = yield  # type: ignore[assignment]
    party = item.stash.get(_party_key, None)
    # After the test its rooms are gone, and to ask them would wake them.
    if report.failed and party and (report.when != "teardown" or party.lost):
        report.sections += party.report().items()
        if party.lost and party.lost not in report.longreprtext:
            report.sections.append(("The worker", party.lost))
    return report  # type: ignore[return-value]


def _is_to_shorten(error: BaseException, config: pytest.Config) -> bool:
    """Whoever asks for all of a traceback gets all of it."""
    is_result = isinstance(error, pytest.skip.Exception) or (
        isinstance(error, pytest.fail.Exception) and not error.pytrace
    )
    is_asked_for = config.getoption("fulltrace") or config.getoption("tbstyle") == "long"
    return not is_result and not is_asked_for


def _shortened(info: pytest.ExceptionInfo[BaseException]) -> pytest.ExceptionInfo[BaseException]:
    error = info.value
    if not shorten(error):
        # As of a fixture of the kit's: no line of the user's has a part in it.
        notes = getattr(error, "__notes__", ())
        message = "\n".join([f"{type(error).__name__}: {error}", *notes])
        error = pytest.fail.Exception(message, pytrace=False).with_traceback(info.tb)
    return pytest.ExceptionInfo.from_exception(error)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    runtimes = config.stash.get(_runtimes_key, None)
    told = config.stash.get(_told_key, ([], []))
    warnings, descriptions = runtimes.told() if runtimes else told
    lines = warnings if terminalreporter.verbosity >= 0 else []
    for line in [*lines, *(descriptions if terminalreporter.verbosity > 0 else [])]:
        terminalreporter.write_line(line)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    runtimes = session.config.stash.get(_runtimes_key, None)
    if runtimes:
        # Where the session was interrupted, its fixtures are torn down after this: they shall not
        # wait for a worker that may be the reason for the interrupt.
        runtimes.keep()
        # Under pytest-xdist, the terminal is in another process.
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["partyserver"] = runtimes.told()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    told = node.config.stash.setdefault(_told_key, ([], []))
    more = getattr(node, "workeroutput", {}).get("partyserver", ([], []))
    for lines, others in zip(told, more, strict=True):
        lines.extend(others)


def _settings(config: pytest.Config, wrangler_configs: _Configs) -> Settings:
    for path in wrangler_configs:
        if not path.is_file():
            raise RuntimeStartError(why_no_config(path))
    root = config.rootpath
    bundle = config.getini("party_pyodide_bundle")
    return Settings(
        configs=wrangler_configs,
        search=(wrangler_configs[0].parent, root, Path.cwd()),
        vars=_variables(config.getini("party_vars")),
        env=config.getini("party_env") or None,
        pyodide_bundle=(root / bundle).resolve() if bundle else None,
        snapshots=_snapshots(config),
    )


def _snapshots(config: pytest.Config) -> Path | None:
    """Where start-up snapshots are kept, if they are."""
    folder: str = config.getini("party_snapshots")
    if folder == "off":
        return None
    if folder:
        return Path(config.rootpath, folder).resolve()
    with contextlib.suppress(OSError):
        return _cache(config) / "snapshots"
    return None


def _slot(config: pytest.Config, wrangler_configs: _Configs) -> Slot | None:
    """Where the runtime is kept, if it is to be.

    Raises:
        NoSlotError: it is to be, and cannot.
    """
    wanted = config.getoption("party_reuse")
    if not (config.getini("party_reuse") if wanted is None else wanted):
        return None
    try:
        folder = _cache(config)
    except OSError as error:
        where = f"{config.rootpath} cannot be written to"
        raise NoSlotError(f"{where}: {error.strerror}") from None
    return Slot.take(folder, wrangler_configs)


def _cache(config: pytest.Config) -> Path:
    """The kit's folder in pytest's cache, for what the next run is to find.

    Raises:
        OSError: the rootdir cannot be written to.
    """
    cache: pytest.Cache | None = getattr(config, "cache", None)  # not with -p no:cacheprovider
    return cache.mkdir("partyserver") if cache else _own_cache(config.rootpath)


def _own_cache(root: Path) -> Path:
    """The folder that pytest's own plugin would make."""
    cache = root / ".pytest_cache"
    folder = cache / "d" / "partyserver"
    if not cache.exists():
        folder.mkdir(parents=True, exist_ok=True)  # a process of pytest-xdist is not alone
        (cache / ".gitignore").write_text("*\n")
    return folder


def _seconds(config: pytest.Config, option: str, default: float, longest: float) -> float:
    text = config.getini(option) or str(default)
    with contextlib.suppress(ValueError):
        if 0 < float(text) <= longest:
            return float(text)
    raise pytest.UsageError(f"{option}: {text!r} is not a number of seconds")


def _variables(lines: list[str]) -> dict[str, str]:
    variables = {}
    for line in lines:
        name, separator, value = line.partition("=")
        if not separator:
            raise RuntimeStartError(f"party_vars: {line!r} is not KEY=VALUE")
        variables[name.strip()] = value.strip()
    return variables
