"""Runs a worker on workerd itself, without wrangler's proxy and observability workers.

Those multiply what an event costs, so they would hide what is measured here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .machine import SERVER_CORE, on_core
from .paths import AGENTS_SDK, ESBUILD, SDK, VARIANTS, WORKERD

COMPATIBILITY_DATE = "2026-11-17"
PYTHON_FLAGS = ("python_workers", "python_workers_development", "experimental")


@dataclass(frozen=True)
class Worker:
    """A worker's source and its Durable Object classes, whose bindings have the same names."""

    name: str
    main: str
    classes: Sequence[str] = ()
    #: Packages and modules to vendor into `python_modules/`.
    packages: Sequence[Path] = field(default=())
    v8_flags: Sequence[str] = ()
    #: Whether rooms have their storage in memory, and not on disk.
    in_memory: bool = False
    #: Whether a second port, the "evictor", puts rooms to sleep.
    has_evictor: bool = False
    #: Whether it imports npm's `agents`, and so more than the other workers.
    has_agents_sdk: bool = False

    @property
    def is_python(self) -> bool:
        return self.main.endswith(".py")

    def build(self, folder: Path) -> Path:
        """Write the worker into a folder, with its modules and its config; the config's path."""
        modules = self.python_modules(folder) if self.is_python else self._bundle(folder)
        config = folder / "config.capnp"
        storage = folder / "storage"
        storage.mkdir()
        text = self._config(modules, storage)
        if self.has_evictor:
            shutil.copy(VARIANTS / "evictor.js", folder)
            text = self._with_evictor(text)
        config.write_text(text)
        return config

    def _bundle(self, folder: Path) -> list[str]:
        command: list[str | Path] = [
            ESBUILD,
            VARIANTS / self.main,
            f"--outfile={folder / 'worker.js'}",
        ]
        options = ["--bundle", "--format=esm", "--target=es2022", "--external:cloudflare:*"]
        environment = dict(os.environ)
        if self.has_agents_sdk:
            options += ["--external:node:*", f"--alias:path={AGENTS_SDK / 'path.js'}"]
            options += [f"--alias:cloudflare:email={AGENTS_SDK / 'email.js'}"]
            environment["NODE_PATH"] = str(AGENTS_SDK / "node_modules")
        subprocess.run([*command, *options, "--log-level=error"], check=True, env=environment)
        return ['(name = "worker.js", esModule = embed "worker.js")']

    def python_modules(self, folder: Path) -> list[str]:
        """Write a Python worker's sources into a folder; the modules for a config."""
        shutil.copy(VARIANTS / self.main, folder / "worker.py")
        modules = ['(name = "worker.py", pythonModule = embed "worker.py")']
        target = folder / "python_modules"
        shutil.copytree(SDK, target, ignore=shutil.ignore_patterns("__pycache__"))
        for package in self.packages:
            if package.is_dir():
                shutil.copytree(package, target / package.name, ignore=_sources_only)
            else:
                shutil.copy(package, target)
        for file in sorted(target.rglob("*")):
            if file.is_file():
                path = file.relative_to(folder).as_posix()
                kind = "pythonModule" if file.suffix == ".py" else "data"
                modules.append(f'(name = "{path}", {kind} = embed "{path}")')
        return modules

    def _config(self, modules: Sequence[str], storage: Path) -> str:
        flags = PYTHON_FLAGS if self.is_python else ()
        bindings = [
            f'(name = "{name}", durableObjectNamespace = "{name}")' for name in self.classes
        ]
        namespaces = [
            f'(className = "{name}", uniqueKey = "{name}", enableSql = true)'
            for name in self.classes
        ]
        return _CONFIG.format(
            v8_flags=_list([f'"{flag}"' for flag in self.v8_flags]),
            modules=_list(modules),
            date=COMPATIBILITY_DATE,
            flags=_list([f'"{flag}"' for flag in flags]),
            bindings=_list(bindings),
            namespaces=_list(namespaces),
            storage=storage,
            where="inMemory = void" if self.in_memory else 'localDisk = "storage"',
        )

    def _with_evictor(self, config: str) -> str:
        bindings = [
            f'(name = "{name}", durableObjectNamespace = (className = "{name}", '
            'serviceName = "main"))'
            for name in self.classes
        ]
        config = config.replace(_SERVICES, f"{_SERVICES}\n    {_EVICTOR_SERVICE}")
        config = config.replace(_SOCKETS, f"{_SOCKETS}\n    {_EVICTOR_SOCKET}")
        return config + _EVICTOR.format(date=COMPATIBILITY_DATE, bindings=_list(bindings))


_CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  v8Flags = {v8_flags},
  services = [
    (name = "main", worker = .worker),
    (name = "storage", disk = (path = "{storage}", writable = true)),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
  ],
);

const worker :Workerd.Worker = (
  modules = {modules},
  compatibilityDate = "{date}",
  compatibilityFlags = {flags},
  bindings = {bindings},
  durableObjectNamespaces = {namespaces},
  durableObjectStorage = ({where}),
);
"""

_SERVICES, _SOCKETS = "services = [", "sockets = ["
_EVICTOR_SERVICE = '(name = "evictor", worker = .evictor),'
_EVICTOR_SOCKET = '(name = "evictor", address = "127.0.0.1:0", http = (), service = "evictor"),'
_EVICTOR = """
const evictor :Workerd.Worker = (
  modules = [ (name = "evictor.js", esModule = embed "evictor.js") ],
  compatibilityDate = "{date}",
  compatibilityFlags = ["unsafe_module"],
  bindings = {bindings},
);
"""


def _list(items: Sequence[str]) -> str:
    return "[\n" + "".join(f"    {item},\n" for item in items) + "  ]"


def _sources_only(folder: str, names: list[str]) -> set[str]:
    left_out = ("__pycache__", "command", "load", "testing", "py.typed")
    return {name for name in names if name in left_out}


def serve(config: Path, *options: str, log: Path) -> tuple[subprocess.Popen[str], dict[str, int]]:
    """Start workerd on free ports; the process, and the ports by their names in the config."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            [WORKERD, "serve", config, "--experimental", "--control-fd=1", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd=config.parent,  # for what V8 writes when it is asked to
            preexec_fn=partial(on_core, SERVER_CORE),
        )
    assert process.stdout is not None
    ports: dict[str, int] = {}
    count = config.read_text().count("address =")
    while len(ports) < count:
        line = process.stdout.readline()
        if not line:
            process.wait()
            raise RuntimeError(f"workerd did not start:\n{log.read_text()}")
        heard = json.loads(line)
        ports[heard["socket"]] = heard["port"]
    return process, ports
