"""A worker is served by one process: from its plan to the exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ..project.errors import CommandError
from . import cluster, health, watchdog, workerd
from .data import Data, write_private
from .plan import Cluster, Plan
from .process import Child, Listener, Signals, answers, notify, unless_asked
from .program import Program
from .snapshot import Snapshots

#: In the folder of `--pyodide-bundle`; workerd takes it with its development flags only.
BUNDLE = "pyodide_dev.capnp.bin"
_CONFIG = "config.capnp"
#: What stands for the folder of static files in the name of a snapshot. There is no such folder.
_NO_ASSETS = Path("/nowhere/assets")
#: Seconds within which a worker must answer after workerd's start. It takes one from a snapshot,
#: and some ten without.
STARTING = 300.0


@dataclass(frozen=True)
class Settings:
    """Where and how a worker is served."""

    data: Path
    program: Program
    host: str = "127.0.0.1"
    #: 0 is a free one, which the line that says that it is ready has.
    port: int = 8787
    #: Host and port at which load balancers ask whether the worker answers.
    health: tuple[str, int] | None = None
    #: A folder with a Python interpreter for workerd; without one it downloads its own.
    bundle: Path | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: Seconds that open connections are given when it ends.
    grace: float = 2.0
    snapshot: bool = True
    #: Whether the worker's log is lines of JSON.
    json_logs: bool = False
    network: tuple[str, ...] = workerd.NETWORK
    #: What the worker's cluster is to this process, if it is one of its nodes.
    node: cluster.Node | None = None
    #: Further ones of workerd's.
    arguments: tuple[str, ...] = ()


def serve(plan: Plan, settings: Settings) -> int:
    """Serve a worker until a signal comes; the exit status.

    Raises:
        CommandError: it cannot be started, or has ended by itself.
    """
    if settings.node and settings.grace <= cluster.HAND_OVER:
        raise CommandError(
            f"--grace {settings.grace:g} is too short for a node of a cluster, which takes up to "
            f"{cluster.HAND_OVER:g} s to hand its rooms over: give it 10, and let the supervisor "
            "wait for 15"
        )
    _refuse_among_assets(settings.data, plan)
    with ExitStack() as stack:
        signals = stack.enter_context(Signals())
        data = Data.open(settings.data, plan.name, cluster=_bucket(settings))
        stack.callback(data.close)
        # Before what takes long: a port may be in use.
        port = stack.enter_context(Listener(settings.host, settings.port))
        place = settings.health or ("127.0.0.1", 0)
        if place[1] and place[1] == port.address[1]:
            raise CommandError(f"--port and --health are both {place[1]}: give each its own")
        probe = stack.enter_context(Listener(*place, option="--health"))
        if settings.node:
            Listener(*settings.node.peer, option="--peer").close()  # workerd listens there itself
            if not unless_asked(signals, partial(settings.node.check, plan.name)):
                return 0
        plan = _fitted(plan, settings)
        snapshots = Snapshots(data.snapshots)
        snapshot = None
        if settings.snapshot:
            snapshot = _snapshot(snapshots, plan, settings, data, signals)
        if signals.asked:
            return 0
        config = data.run / _CONFIG
        stack.callback(config.unlink, missing_ok=True)
        child = stack.enter_context(_started(plan, settings, data, snapshot, port, probe))
        told = answers(child, probe.address, signals, STARTING)
        if told is None:
            config.unlink()  # it holds the secrets, and was read
            snapshots.prune()
            _say_ready(plan, port, probe, settings)
            # A supervisor may have sent the signal to both.
            if watchdog.wait(child, probe.address, signals) and not signals.asked:
                raise CommandError(f"workerd has ended by itself, with {_status(child)}")
            notify("STOPPING=1")
            child.end(signals, settings.grace)
        elif not signals.asked:
            if snapshot and child.status is None:
                snapshots.remove(snapshot.stem)  # it may be why: the next start makes another
            raise CommandError(_why_not_started(child, told))
    return 0


def prepare(plan: Plan, settings: Settings) -> int:
    """Make the start-up snapshot of a worker, so that its next start need not; the exit status.

    Another process may serve from the data folder meanwhile, and goes on.

    Raises:
        CommandError: it cannot be made, or a signal to end came before it was.
    """
    if not settings.snapshot:
        raise CommandError("--prepare makes the snapshot that --no-snapshot does without")
    _refuse_among_assets(settings.data, plan)
    with Signals() as signals:
        data = Data.beside(settings.data, plan.name, cluster=_bucket(settings))
        snapshots = Snapshots(data.snapshots)
        plan = _fitted(plan, settings)
        found = _snapshot(snapshots, plan, settings, data, signals, use=False)
        if found is None:
            raise CommandError("ended by a signal, before the start-up snapshot was made")
    print(f"partyserver: {plan.name} is prepared: start it from the same data folder", flush=True)
    return 0


def _bucket(settings: Settings) -> str | None:
    return str(settings.node.bucket) if settings.node else None


def _fitted(plan: Plan, settings: Settings) -> Plan:
    return settings.node.fitted(plan) if settings.node else plan


def _refuse_among_assets(data: Path, plan: Plan) -> None:
    data = data.resolve()
    if plan.assets and data.is_relative_to(plan.assets.directory):
        raise CommandError(
            f"{data} lies among the assets, which everybody can read: name another folder"
        )


def _started(
    plan: Plan,
    settings: Settings,
    data: Data,
    snapshot: Path | None,
    port: Listener,
    probe: Listener,
) -> Child:
    """workerd, which has the listeners from now on."""
    config = data.run / _CONFIG
    part = settings.node.part() if settings.node else None
    write_private(config, _config(plan, settings, part).encode())
    command = [
        *(str(settings.program.path), "serve", str(config)),
        *_arguments(settings, data),
        *_folders(plan, part, data.path),
        *settings.arguments,
    ]
    if snapshot:
        command += [
            f"--python-load-snapshot={snapshot.name}",
            f"--python-snapshot-dir={snapshot.parent}",
        ]
    listeners = {workerd.SOCKET: port, health.SOCKET: probe}
    for name, listener in listeners.items():
        listener.listen()
        command.append(f"--socket-fd={name}={listener.descriptor}")
    inherited = [data.lock, *(listener.descriptor for listener in listeners.values())]
    child = Child(command, inherited=inherited, environ=_environ(settings))
    for listener in listeners.values():
        listener.close()
    return child


def _config(
    plan: Plan, settings: Settings, part: Cluster | None, *, with_sockets: bool = True
) -> str:
    structure = workerd.structure_of(
        plan,
        secrets=settings.secrets,
        development=_bundle_in(settings) is not None,
        cluster=part,
        network=settings.network,
    )
    health.add_to(structure, plan.name)
    if not with_sockets:
        structure["sockets"] = []
    elif settings.json_logs:
        structure["logging"] = {"structuredLogging": True}
    return workerd.text_of(structure)


def _bundle_in(settings: Settings) -> Path | None:
    if settings.bundle is None:
        return None
    bundle = settings.bundle / BUNDLE
    return bundle.absolute() if bundle.is_file() else None


def _arguments(settings: Settings, data: Data) -> list[str]:
    """Those of workerd that the making of a snapshot has, too."""
    folder = data.pyodide if settings.bundle is None else settings.bundle.absolute()
    return ["--experimental", f"--pyodide-bundle-disk-cache-dir={folder}"]


def _folders(plan: Plan, part: Cluster | None, root: Path) -> list[str]:
    return [
        f"--directory-path={name}={root / folder}"
        for name, folder in workerd.folders(plan, part).items()
    ]


def _snapshot(
    snapshots: Snapshots,
    plan: Plan,
    settings: Settings,
    data: Data,
    signals: Signals,
    *,
    use: bool = True,
) -> Path | None:
    """The snapshot, which is made if there is none; None where a signal to end came meanwhile.

    Without `use`, it is for a later start.
    """
    # Where the static files are is nothing to it, nor what is in them.
    text = _config(_with_assets_at(plan, _NO_ASSETS), settings, None, with_sockets=False)
    key = snapshots.key(text, settings.program, _bundle_in(settings))
    if path := snapshots.find(key, use=use):
        return path
    say("making the start-up snapshot, once for each change: 10 to 30 seconds")

    def arguments(place: Path) -> list[str]:
        # Beside empty folders, and not as a part of a cluster: no alarm rings for it.
        for folder in (*workerd.folders(plan).values(), _NO_ASSETS.name):
            (place / folder).mkdir()
        fitted = _with_assets_at(plan, place / _NO_ASSETS.name)
        config = place / _CONFIG
        write_private(config, _config(fitted, settings, None, with_sockets=False).encode())
        return [str(config), *_arguments(settings, data), *_folders(plan, None, place)]

    environ = _environ(settings)
    return snapshots.make(key, settings.program, arguments, signals, environ, use=use)


def _with_assets_at(plan: Plan, folder: Path) -> Plan:
    if plan.assets is None:
        return plan
    return replace(plan, assets=replace(plan.assets, directory=str(folder)))


def _environ(settings: Settings) -> dict[str, str]:
    """What workerd's environment is: without secrets, which it has from its config."""
    left_out = {*settings.secrets, cluster.KEY}
    environ = {name: value for name, value in os.environ.items() if name not in left_out}
    # workerd takes them from there, whatever else they are for.
    return {**environ, **(settings.node.environ if settings.node else {})}


def _why_not_started(child: Child, told: str) -> str:
    if child.status is None:
        why = f"the worker does not answer within {STARTING:g} s of workerd's start"
        return f"{why}: {told}" if told else why
    return f"workerd has not started, and ended with {_status(child)}: its last lines say why"


def _status(child: Child) -> str:
    status = child.status
    return f"the signal {-status}" if status is not None and status < 0 else f"the status {status}"


def _say_ready(plan: Plan, listener: Listener, probe: Listener, settings: Settings) -> None:
    print(f"partyserver: serving {plan.name} on http://{listener}", flush=True)
    if settings.health:
        print(f"partyserver: health on http://{probe}", flush=True)
    notify("READY=1")


def say(text: str) -> None:
    """A line for who has started this, beside what the worker says."""
    print(f"partyserver: {text}", file=sys.stderr, flush=True)
