"""A plan becomes the text of a workerd config."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from . import capnp
from .plan import Module, Plan

#: The disk service with the Durable Objects: `-d do-storage=DIR`.
STORAGE = "do-storage"
#: The disk service with large values of KV: `-d kv-blobs=DIR`, where the plan has KV.
BLOBS = "kv-blobs"
#: The socket: `-s http=ADDRESS`.
SOCKET = "http"
#: What a bundle of Pyodide that is named "dev" is only taken with.
DEVELOPMENT = ("python_workers_development", "experimental")

_FIELDS = {
    "python": "pythonModule",
    "data": "data",
    "text": "text",
    "wasm": "wasm",
    "esm": "esModule",
    "commonjs": "commonJsModule",
    "json": "json",
}


def config_of(plan: Plan, *, secrets: Mapping[str, str], development: bool) -> str:
    """The text of the config in which workerd runs a plan. The constant is `config`.

    `secrets` are the values of those that the plan names. With `development`, the bundle of
    Pyodide is one of `--pyodide-bundle-disk-cache-dir`.
    """
    flags = list(plan.compatibility_flags)
    if development:
        flags += [flag for flag in DEVELOPMENT if flag not in flags]
    worker = {
        "modules": [_module(module) for module in plan.modules],
        "compatibilityDate": plan.compatibility_date,
        "compatibilityFlags": flags,
        "bindings": [*_bindings(plan, secrets)],
        "durableObjectNamespaces": [
            {"className": one.class_name, "uniqueKey": one.unique_key, "enableSql": one.sqlite}
            for one in plan.durable_objects
        ],
        "durableObjectStorage": {"localDisk": STORAGE},
    }
    config = {
        "services": [
            {"name": plan.name, "worker": worker},
            {"name": STORAGE, "disk": {"writable": True}},
        ],
        "sockets": [{"name": SOCKET, "http": {}, "service": plan.name}],
    }
    return (
        'using Workerd = import "/workerd/workerd.capnp";\n\n'
        f"const config :Workerd.Config = {capnp.literal(config)};\n"
    )


def folders(plan: Plan) -> Mapping[str, str]:
    """The disk services to be given a folder by `-d NAME=DIR`, each with a name for its folder."""
    return {STORAGE: "objects"} | ({BLOBS: "blobs"} if plan.kv else {})


def _module(module: Module) -> Mapping[str, object]:
    is_binary = module.kind in ("data", "wasm")
    content = module.content if is_binary else module.content.decode()
    return {"name": module.name, _FIELDS[module.kind]: content}


def _bindings(plan: Plan, secrets: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
    for variable in plan.vars:
        if isinstance(variable.value, str):
            yield {"name": variable.binding, "text": variable.value}
        else:
            yield {"name": variable.binding, "json": json.dumps(variable.value)}
    for name in plan.secrets:
        yield {"name": name, "text": secrets[name]}
    for one in plan.durable_objects:
        for binding in one.bindings:
            yield {"name": binding, "durableObjectNamespace": {"className": one.class_name}}
