"""A plan becomes the text of a workerd config."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from . import capnp
from .plan import Assets, Cluster, Consumer, Module, Plan

#: The disk service with all that is stored in Durable Objects: `-d do-storage=DIR`. KV, D1, queues
#: and cron triggers are Durable Objects, too, of workers that are part of workerd.
STORAGE = "do-storage"
#: The disk service with large values of KV: `-d kv-blobs=DIR`, where the plan has KV.
BLOBS = "kv-blobs"
#: The socket: `-s http=ADDRESS`.
SOCKET = "http"
#: What a bundle of Pyodide that is named "dev" is only taken with.
DEVELOPMENT = ("python_workers_development", "experimental")
#: What a worker may connect to, where nothing else is said.
NETWORK = ("public",)

_FIELDS = {
    "python": "pythonModule",
    "data": "data",
    "text": "text",
    "wasm": "wasm",
    "esm": "esModule",
    "commonjs": "commonJsModule",
    "json": "json",
}
# Of the workers that are part of workerd, as its own translation has it.
_DATE = "2026-01-01"
_EXTRA_HANDLERS = ("service_binding_extra_handlers",)
_CLUSTERED: dict[str, object] = {"name": "CLUSTERED", "json": "true"}


def config_of(
    plan: Plan,
    *,
    secrets: Mapping[str, str],
    development: bool,
    cluster: Cluster | None = None,
    network: Sequence[str] = NETWORK,
) -> str:
    """The text of the config in which workerd runs a plan. The constant is `config`.

    It holds the secrets in clear text. With `development`, the bundle of Pyodide is one of
    `--pyodide-bundle-disk-cache-dir`. `network` is what a worker may connect to, as `allow` of
    `Network` in workerd's schema has it.

    Raises:
        CommandError: a secret that the plan names has no value, or one has another binding's name.
    """
    return text_of(
        structure_of(
            plan, secrets=secrets, development=development, cluster=cluster, network=network
        )
    )


def folders(plan: Plan, cluster: Cluster | None = None) -> Mapping[str, str]:
    """The disk services to be given a folder by `-d NAME=DIR`, each with a name for its folder."""
    return {STORAGE: "objects"} | ({BLOBS: "blobs"} if plan.kv and not cluster else {})


def text_of(structure: Mapping[str, object]) -> str:
    """
    Raises:
        CommandError: some text of it has no UTF-8.
    """
    try:
        literal = capnp.literal(structure)
    except UnicodeEncodeError as error:
        beside = ascii(error.object[max(error.start - 20, 0) : error.end + 20])
        raise CommandError(
            f"the wrangler config has half of a surrogate pair, which is no character: {beside}"
        ) from None
    return (
        'using Workerd = import "/workerd/workerd.capnp";\n\n'
        f"const config :Workerd.Config = {literal};\n"
    )


def structure_of(
    plan: Plan,
    *,
    secrets: Mapping[str, str],
    development: bool,
    cluster: Cluster | None = None,
    network: Sequence[str] = NETWORK,
) -> dict[str, Any]:
    """The same as `config_of` gives, by the names of workerd's schema."""
    bound = {*plan.bindings()} - {variable.binding for variable in plan.vars}
    if twice := sorted(bound & {*secrets}):
        raise CommandError(
            f"{', '.join(twice)} {'is' if len(twice) == 1 else 'are'} a secret and another binding "
            "at once: rename one of them"
        )
    if lacking := [name for name in plan.secrets if name not in secrets]:
        raise CommandError(
            f"the worker needs {', '.join(lacking)}, and there is no value for it: give it with "
            "--secrets or --secrets-file"
        )
    services = [
        {"name": plan.name, "worker": _worker(plan, secrets, development)},
        {"name": STORAGE, "disk": {"writable": True}},
        _internet(network),
        *_kv(plan, cluster),
        *_d1(plan),
        *_queues(plan, cluster),
        *_cron(plan),
    ]
    if plan.assets:
        assets = _assets(plan.assets, plan.name)
        services.append({"name": f"{plan.name}-assets", "assets": assets})
    structure: dict[str, Any] = {
        "services": services,
        "sockets": [{"name": SOCKET, "http": {}, "service": _entry(plan)}],
    }
    if cluster:
        structure["cluster"] = _cluster(cluster)
    return structure


def _worker(plan: Plan, secrets: Mapping[str, str], development: bool) -> dict[str, object]:
    flags = [*plan.compatibility_flags]
    if development:
        flags += [flag for flag in DEVELOPMENT if flag not in flags]
    worker: dict[str, object] = {
        "modules": [_module(module) for module in plan.modules],
        "compatibilityDate": plan.compatibility_date,
        "compatibilityFlags": flags,
        "bindings": [*_bindings(plan, secrets)],
    }
    if plan.durable_objects:
        worker["durableObjectNamespaces"] = [
            {"className": one.class_name, "uniqueKey": one.unique_key, "enableSql": one.sqlite}
            for one in plan.durable_objects
        ]
        worker["durableObjectStorage"] = {"localDisk": STORAGE}
    return worker


def _module(module: Module) -> dict[str, object]:
    is_binary = module.kind in ("data", "wasm")
    content = module.content if is_binary else module.content.decode()
    return {"name": module.name, _FIELDS[module.kind]: content}


def _bindings(plan: Plan, secrets: Mapping[str, str]) -> Iterator[dict[str, object]]:
    for variable in plan.vars:
        if variable.binding in secrets:
            continue
        if isinstance(variable.value, str):
            yield {"name": variable.binding, "text": variable.value}
        else:
            yield {"name": variable.binding, "json": _json(variable.value)}
    for name, value in sorted(secrets.items()):
        yield {"name": name, "text": value}
    for one in plan.durable_objects:
        for binding in one.bindings:
            yield {"name": binding, "durableObjectNamespace": {"className": one.class_name}}
    for kv in plan.kv:
        service = _service(f"{plan.name}-kv", props={"namespace": kv.id})
        yield {"name": kv.binding, "kvNamespace": service}
    for producer in plan.producers:
        service = _service(f"{plan.name}-queues", props={"queue": producer.queue})
        yield {"name": producer.binding, "queue": service}
    for database in plan.d1:
        service = _service(f"{plan.name}-d1", props={"database": database.id})
        yield {
            "name": database.binding,
            "wrapped": {
                "moduleName": "cloudflare-internal:d1-api",
                "innerBindings": [{"name": "fetcher", "service": service}],
            },
        }
    if plan.assets and plan.assets.binding:
        service = _service(f"{plan.name}-assets", "AssetWorker")
        yield {"name": plan.assets.binding, "service": service}
    for bound in plan.services:
        # As requests from outside, those of the worker itself find static files first.
        is_entry = bound.entrypoint is None and bound.props is None
        name = _entry(plan) if is_entry else plan.name
        service = _service(name, bound.entrypoint, bound.props)
        yield {"name": bound.binding, "service": service}


def _entry(plan: Plan) -> str:
    return f"{plan.name}-assets" if plan.assets else plan.name


def _service(name: str, entrypoint: str | None = None, props: Any = None) -> dict[str, object]:
    given = None if props is None else {"json": _json(props)}
    return {"name": name, "entrypoint": entrypoint, "props": given}


def _internet(network: Sequence[str]) -> dict[str, object]:
    return {
        "name": "internet",
        "network": {"allow": [*network], "tlsOptions": {"trustBrowserCas": True}},
    }


def _bundled(
    name: str,
    module: str,
    class_name: str,
    bindings: Sequence[Mapping[str, object]],
    flags: Sequence[str] = (),
) -> dict[str, object]:
    """A worker that is part of workerd, with the one class that it stores in."""
    return {
        "name": name,
        "worker": {
            "modules": [{"name": module, "bundled": f"/workerd/{module}"}],
            "compatibilityDate": _DATE,
            "compatibilityFlags": flags,
            "bindings": bindings,
            "durableObjectNamespaces": [
                {"className": class_name, "uniqueKey": class_name, "enableSql": True}
            ],
            "durableObjectStorage": {"localDisk": STORAGE},
        },
    }


def _object(binding: str, class_name: str) -> dict[str, object]:
    return {"name": binding, "durableObjectNamespace": {"className": class_name}}


def _kv(plan: Plan, cluster: Cluster | None) -> Iterator[dict[str, object]]:
    if plan.kv:
        bindings: list[dict[str, object]] = [
            _object("SHARD", "KVNamespace"),
            {"name": "BLOBS", "service": BLOBS},
        ]
        if cluster:
            bindings.append(_CLUSTERED)
        yield _bundled(f"{plan.name}-kv", "kv.js", "KVNamespace", bindings)
        if cluster:
            yield {"name": BLOBS, "bucket": {"path": BLOBS}}
        else:
            yield {"name": BLOBS, "disk": {"writable": True}}


def _d1(plan: Plan) -> Iterator[dict[str, object]]:
    if plan.d1:
        bindings = [_object("DATABASE", "D1Database")]
        yield _bundled(f"{plan.name}-d1", "d1.js", "D1Database", bindings)


def _queues(plan: Plan, cluster: Cluster | None) -> Iterator[dict[str, object]]:
    if plan.producers or plan.consumers:
        consumers = {consumer.queue: _consumer(consumer) for consumer in plan.consumers}
        bindings: list[dict[str, object]] = [
            _object("SHARD", "QueueShard"),
            {"name": "CONSUMERS", "json": _json(consumers)},
        ]
        if consumers:
            bindings.append({"name": "worker", "service": plan.name})
        if cluster:
            bindings.append(_CLUSTERED)
        name = f"{plan.name}-queues"
        yield _bundled(name, "queues.js", "QueueShard", bindings, _EXTRA_HANDLERS)


def _consumer(consumer: Consumer) -> dict[str, object]:
    settings = {
        "consumer": "worker",
        "maxBatchSize": consumer.max_batch_size,
        "maxBatchTimeout": consumer.max_batch_timeout,
        "maxRetries": consumer.max_retries,
        "maxConcurrency": consumer.max_concurrency,
        "retryDelay": consumer.retry_delay,
        "deadLetterQueue": consumer.dead_letter_queue,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _cron(plan: Plan) -> Iterator[dict[str, object]]:
    if plan.crons:
        bindings: list[dict[str, object]] = [
            _object("SCHEDULE", "Schedule"),
            {"name": "CRONS", "json": _json({plan.name: plan.crons})},
            {"name": plan.name, "service": plan.name},
        ]
        yield _bundled(f"{plan.name}-cron", "cron.js", "Schedule", bindings, _EXTRA_HANDLERS)


def _assets(assets: Assets, worker: str) -> dict[str, object]:
    directory = Path(assets.directory)
    settings = {
        "html_handling": assets.html_handling,
        "not_found_handling": assets.not_found_handling,
        "base_path": assets.base_path,
        "run_worker_first": assets.run_worker_first,
        "headers": _text_in(directory / "_headers"),
        "redirects": _text_in(directory / "_redirects"),
        "ignore": _text_in(directory / ".assetsignore"),
    }
    return {"path": assets.directory, "config": _json(settings), "userWorker": worker}


def _text_in(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def _cluster(cluster: Cluster) -> dict[str, object]:
    return {
        "bucket": cluster.bucket,
        "bucketOptions": [f"{key}={value}" for key, value in cluster.options],
        "address": cluster.address,
        "advertise": cluster.advertise,
        "key": cluster.key,
        "unsafeTimeDivisor": cluster.time_divisor,
    }


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
