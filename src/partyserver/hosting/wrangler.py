"""A wrangler config becomes a plan."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from . import keys
from .migrations import Classes, replay
from .modules import modules_of, possible, wrong_shapes
from .plan import (
    Assets,
    Consumer,
    Database,
    DurableObject,
    KvNamespace,
    Plan,
    Producer,
    Service,
    Variable,
)

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]*")

#: Names of services that each config has besides the worker.
TAKEN = ("do-storage", "internet", "kv-blobs")

_OF_D1 = {"binding", "database_id", "database_name", "jurisdiction", "preview_database_id"}
_OF_D1 |= {"migrations_table", "migrations_dir", "migrations_pattern", "remote"}
#: Cloudflare's, whose last two fields take names, and which have L, W and # for days.
_CRON = re.compile(r"[0-9*/,L#W?a-zA-Z-]+( [0-9*/,L#W?a-zA-Z-]+){4}")
#: Of a queue's consumer: from and to, as Cloudflare has them. Delays are seconds.
_NUMBERS = {"max_batch_size": (1, 100), "max_batch_timeout": (0, 60), "max_retries": (0, 100)}
_NUMBERS |= {"max_concurrency": (1, 250), "retry_delay": (0, 86_400)}
_HTML_HANDLING = ("auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none")
_NOT_FOUND_HANDLING = ("single-page-application", "404-page", "none")


def plan_of(data: Mapping[str, Any], folder: Path, *, secrets: tuple[str, ...] = ()) -> Plan:
    """The plan of a wrangler config that is merged with its environment already.

    `folder` is that of the config, and `secrets` are names besides those that the config has.

    Raises:
        CommandError: it names all that has no meaning for workerd, and what to do about each.
    """
    reader = _Reader(data, folder)
    name = reader.name()
    objects = reader.durable_objects(name)
    reader.refuse_unmapped()
    plan = Plan(
        name=name,
        compatibility_date=reader.compatibility_date(),
        compatibility_flags=reader.compatibility_flags(),
        main="",
        modules=(),
        vars=tuple(reader.vars()),
        secrets=tuple(dict.fromkeys((*reader.secrets(), *secrets))),
        durable_objects=objects,
        kv=tuple(reader.kv()),
        d1=tuple(reader.d1()),
        producers=tuple(reader.producers()),
        consumers=tuple(reader.consumers()),
        crons=tuple(reader.crons()),
        assets=reader.assets(),
        services=tuple(reader.services(name)),
    )
    reader.refuse_same_names(plan)
    main = reader.main()
    reader.problems += wrong_shapes(data)
    if reader.problems or main is None:
        listed = "\n".join(f"  {problem}" for problem in dict.fromkeys(reader.problems))
        raise CommandError(f"The wrangler config cannot be hosted as it is:\n{listed}")
    root, modules, warnings = modules_of(data, folder, main)
    return replace(
        plan,
        main=main.relative_to(root).as_posix(),
        modules=modules,
        warnings=(*reader.warnings, *warnings),
    )


@dataclass
class _Reader:
    data: Mapping[str, Any]
    folder: Path
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    # What all of it is made of

    def objects(self, data: Mapping[str, Any], key: str, where: str = "") -> list[dict[str, Any]]:
        """A list of objects."""
        value = data.get(key)
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            return value
        self.problems.append(f"{where}{key}: it must be a list of objects")
        return []

    def object(self, key: str) -> dict[str, Any]:
        value = self.data.get(key)
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.problems.append(f"{key}: it must be an object")
        return {}

    def strings(self, data: Mapping[str, Any], key: str, where: str = "") -> list[str]:
        value = data.get(key)
        if value is None:
            return []
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return value
        self.problems.append(f"{where}{key}: it must be a list of strings")
        return []

    def string(self, data: Mapping[str, Any], key: str, where: str) -> str | None:
        """A string that may be missing."""
        value = data.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self.problems.append(f"{where}: {key} must be a string, and not empty")
        return None

    def needed(self, data: Mapping[str, Any], key: str, where: str) -> str:
        value = self.string(data, key, where)
        if value is None and data.get(key) is None:
            self.problems.append(f"{where}: {key} is missing")
        return value or ""

    def number(self, data: Mapping[str, Any], key: str, where: str) -> int | None:
        value = data.get(key)
        if value is None:
            return None
        least, most = _NUMBERS[key]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.problems.append(f"{where}: {key} must be a whole number from {least} to {most}")
        return None

    def known(self, data: Mapping[str, Any], keys: set[str], where: str) -> None:
        """Warn of what else is there."""
        for key in sorted(data.keys() - keys):
            self.warnings.append(f"{where}: the wrangler config has {key}, which is not known here")

    # The parts of the plan

    def name(self) -> str:
        name = self.data.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.problems.append(
                "name: the worker needs one, of a to z, 0 to 9, - and _: its data lies under it"
            )
            return ""
        if name in TAKEN:
            self.problems.append(f"name: {name} is what a service of the config is called")
        return name

    def main(self) -> Path | None:
        main = self.data.get("main")
        if not isinstance(main, str):
            self.problems.append('main: the worker\'s module is missing: main = "src/worker.py"')
            return None
        path = Path(self.folder, main)
        if path.suffix != ".py" or main != possible(main):
            self.problems.append(f"main: {main} is not in Python")
        elif not path.is_file():
            self.problems.append(f"main: there is no file {path}")
        else:
            return path
        return None

    def compatibility_date(self) -> str:
        date = self.data.get("compatibility_date")
        text = date.isoformat() if isinstance(date, datetime.date) else date
        try:
            if datetime.date.fromisoformat(text or "").isoformat() == text:
                return text
        except (TypeError, ValueError):
            pass
        self.problems.append('compatibility_date: it must be a date, as "2026-11-17"')
        return ""

    def compatibility_flags(self) -> tuple[str, ...]:
        flags = self.strings(self.data, "compatibility_flags")
        if self.data.get("compatibility_flags") in (None, flags) and "python_workers" not in flags:
            self.problems.append('compatibility_flags: a worker in Python needs "python_workers"')
        return tuple(flags)

    def vars(self) -> Iterator[Variable]:
        for key, value in self.object("vars").items():
            try:
                plain = json.loads(json.dumps(value, default=_iso, allow_nan=False))
                if isinstance(plain, str):
                    plain.encode()
            except (TypeError, ValueError) as error:  # of surrogates, too
                self.problems.append(f"vars: {key} has a value that cannot be handed over: {error}")
                continue
            yield Variable(key, plain)

    def secrets(self) -> list[str]:
        secrets = self.object("secrets")
        self.known(secrets, {"required"}, "secrets")
        return self.strings(secrets, "required", "secrets: ")

    def durable_objects(self, worker: str) -> tuple[DurableObject, ...]:
        found = self.object("durable_objects")
        self.known(found, {"bindings", "code_update_strategy"}, "durable_objects")
        bound: dict[str, list[str]] = {}
        for one in self.objects(found, "bindings", "durable_objects: "):
            binding = self.needed(one, "name", "durable_objects")
            where = f"durable_objects: {binding}"
            self.known(one, {"name", "class_name", "script_name", "environment"}, where)
            name = self.needed(one, "class_name", where)
            if one.get("script_name") not in (None, worker):
                self.problems.append(
                    f"{where} is a class of another worker, "
                    f"{one['script_name']} (script_name), and workerd has this one alone: define "
                    "the class in this worker, or call the other over HTTP"
                )
                continue
            bound.setdefault(name, []).append(binding)
        classes = self._classes()
        for name in bound.keys() - classes.live.keys():
            if name:
                self.problems.append(
                    f"durable_objects: {name} is bound, and no migration makes it: add one with "
                    f'new_sqlite_classes = ["{name}"]'
                )
        return tuple(
            DurableObject(name, f"{worker}-{key}", sqlite, tuple(bound.get(name, ())))
            for name, (key, sqlite) in sorted(classes.live.items(), key=lambda one: one[1])
        )

    def _classes(self) -> Classes:
        exported = self.object("exports")
        migrations = self.objects(self.data, "migrations")
        is_declared = any(_of_kind(one, "durable-object") for one in exported.values())
        if migrations and is_declared:
            self.problems.append("exports: Durable Objects are in migrations, or in exports")
        classes = replay(migrations) if migrations or not is_declared else Classes()
        if is_declared and not migrations:
            self._declare(exported, classes)
        for name, one in exported.items():
            if _of_kind(one, "workflow"):
                self.problems.append(f"exports: {name} is a workflow: {keys.REFUSED['workflows']}")
            elif not _of_kind(one, "worker") and not _of_kind(one, "durable-object"):
                self.problems.append(f"exports: {name} is of no known type")
        self.problems += classes.problems
        for name in classes.live:
            if not name.isidentifier():
                self.problems.append(f"migrations: {name!r} cannot be the name of a class")
        return classes

    def _declare(self, exported: Mapping[str, Any], classes: Classes) -> None:
        """The classes of `exports`, which says what there is, and what it was called before."""
        former: dict[str, str] = {}
        live: dict[str, bool] = {}
        for name, one in exported.items():
            match one:
                case {"type": "durable-object", "container": container} if container:
                    self.problems.append(f"exports: {name}: {keys.REFUSED['containers']}")
                case {"type": "durable-object", "state": "renamed", "renamed_to": str(new)}:
                    if new in former:
                        self.problems.append(f"exports: {former[new]} and {name} become {new}")
                    former[new] = name
                case {"type": "durable-object", "state": "deleted"}:
                    pass
                case {"type": "durable-object", "storage": "sqlite" | "legacy-kv" as storage} if (
                    one.get("state", "created") == "created"
                ):
                    live[name] = storage == "sqlite"
                case {"type": "durable-object"}:
                    self.problems.append(
                        f"exports: {name} must have a storage, or be renamed or deleted: workerd "
                        "takes no objects from other workers"
                    )
        for new in former.keys() - live.keys():
            self.problems.append(f"exports: {former[new]} becomes {new}, which is not there")
        for name, sqlite in live.items():
            classes.create(former.get(name, name), sqlite=sqlite)
            if name in former:
                classes.rename(former[name], name)

    def kv(self) -> Iterator[KvNamespace]:
        for one in self.objects(self.data, "kv_namespaces"):
            binding = self.needed(one, "binding", "kv_namespaces")
            where = f"kv_namespaces: {binding}"
            self.known(one, {"binding", "id", "preview_id", "remote"}, where)
            self._refuse_remote(one, where)
            yield KvNamespace(binding, self.string(one, "id", where) or binding)

    def d1(self) -> Iterator[Database]:
        for one in self.objects(self.data, "d1_databases"):
            binding = self.needed(one, "binding", "d1_databases")
            where = f"d1_databases: {binding}"
            self.known(one, _OF_D1, where)
            self._refuse_remote(one, where)
            yield Database(binding, self.string(one, "database_id", where) or binding)

    def _refuse_remote(self, one: Mapping[str, Any], where: str) -> None:
        if one.get("remote"):
            self.problems.append(
                f"{where}: what lies at Cloudflare (remote) is not reached: remove it"
            )

    def producers(self) -> Iterator[Producer]:
        queues = self.object("queues")
        self.known(queues, {"producers", "consumers"}, "queues")
        for one in self.objects(queues, "producers", "queues: "):
            binding = self.needed(one, "binding", "queues")
            where = f"queues: {binding}"
            self.known(one, {"binding", "queue", "delivery_delay", "remote"}, where)
            self._refuse_remote(one, where)
            if one.get("delivery_delay"):
                self.problems.append(
                    f"{where}: workerd knows no delivery_delay of a queue: give delaySeconds with "
                    "each message that is sent"
                )
            yield Producer(binding, self.needed(one, "queue", where))

    def consumers(self) -> Iterator[Consumer]:
        seen = set()
        for one in self.objects(self.object("queues"), "consumers", "queues: "):
            queue = self.needed(one, "queue", "queues: a consumer")
            where = f"queues: the consumer of {queue}"
            known = {"queue", "type", "dead_letter_queue", "visibility_timeout_ms", *_NUMBERS}
            self.known(one, known, where)
            if one.get("type") not in (None, "worker"):
                self.problems.append(
                    f"{where}: its type must be worker: nothing else reads it here"
                )
            if queue in seen:
                self.problems.append(f"{where}: there are two of it")
            seen.add(queue)
            yield Consumer(
                queue,
                dead_letter_queue=self.string(one, "dead_letter_queue", where),
                **{key: self.number(one, key, where) for key in _NUMBERS},
            )

    def crons(self) -> list[str]:
        triggers = self.object("triggers")
        if triggers.get("events"):
            self.problems.append(f"triggers: events: {keys.REFUSED['artifacts']}")
        crons = self.strings(triggers, "crons", "triggers: ")
        self.problems += [
            f"triggers: {cron!r} is no cron expression: it has five fields, as in '*/5 * * * *'"
            for cron in crons
            if not _CRON.fullmatch(cron)
        ]
        return crons

    def assets(self) -> Assets | None:
        found = self.object("assets")
        if not found:
            return None
        known = {"directory", "binding", "html_handling", "not_found_handling", "base_path"}
        self.known(found, {*known, "run_worker_first"}, "assets")
        directory = Path(self.folder, possible(self.needed(found, "directory", "assets")))
        if not found.get("directory"):
            pass  # which is told
        elif not directory.is_dir():
            self.problems.append(f"assets: there is no folder {directory}")
        elif self.folder.resolve().is_relative_to(directory.resolve()):
            self.problems.append(
                f"assets: {directory} holds the wrangler config, so that all of the project would "
                "be served, secrets too: give them a folder of their own, such as public"
            )
        first = found.get("run_worker_first")
        if first is not None and not isinstance(first, bool):
            first = tuple(self.strings(found, "run_worker_first", "assets: "))
        for key, allowed in (
            ("html_handling", _HTML_HANDLING),
            ("not_found_handling", _NOT_FOUND_HANDLING),
        ):
            if found.get(key) not in (None, *allowed):
                self.problems.append(f"assets: {key} must be one of {', '.join(allowed)}")
        return Assets(
            str(directory.resolve()),
            self.string(found, "binding", "assets"),
            self.string(found, "html_handling", "assets"),
            self.string(found, "not_found_handling", "assets"),
            self.string(found, "base_path", "assets"),
            first,
        )

    def services(self, worker: str) -> Iterator[Service]:
        for one in self.objects(self.data, "services"):
            binding = self.needed(one, "binding", "services")
            where = f"services: {binding}"
            self.known(
                one, {"binding", "service", "entrypoint", "environment", "props", "remote"}, where
            )
            self._refuse_remote(one, where)
            service = self.needed(one, "service", where)
            if service != worker or one.get("environment"):
                self.problems.append(
                    f"{where} is another worker, {service}, and workerd has this one alone: move "
                    "what it does into this worker, or call it over HTTP"
                )
            yield Service(binding, self.string(one, "entrypoint", where), one.get("props"))

    # What is wrong with the whole

    def refuse_unmapped(self) -> None:
        for key, value in self.data.items():
            if key in keys.MAPPED or key in keys.IGNORED or not value:
                continue
            if key in keys.REFUSED:
                self.problems.append(f"{key}: {keys.REFUSED[key]}")
            elif _is_binding(value):
                self.problems.append(
                    f"{key}: it has bindings of a kind that is not known here: remove them"
                )
            else:
                self.warnings.append(f"the wrangler config has {key}, which is not known here")

    def refuse_same_names(self, plan: Plan) -> None:
        seen: set[str] = set()
        for name in plan.bindings():
            if name in seen:
                self.problems.append(f"the binding {name} is there twice: rename one of them")
            seen.add(name)


def _of_kind(value: Any, kind: str) -> bool:
    return isinstance(value, dict) and value.get("type") == kind


def _is_binding(value: Any) -> bool:
    """Whether it looks like what wrangler has bindings in: a new kind of them, most probably."""
    found = value if isinstance(value, list) else [value]
    return any(isinstance(one, dict) and ("binding" in one or "bindings" in one) for one in found)


def _iso(value: Any) -> str:
    """TOML's dates and times, as wrangler has them in JSON."""
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"{value!r} is no value of JSON")
