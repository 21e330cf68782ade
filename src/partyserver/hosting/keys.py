"""What a wrangler config may say, and what becomes of it where one hosts a worker oneself."""

from __future__ import annotations

#: What becomes a part of the plan.
MAPPED = frozenset(
    {
        "assets",
        "compatibility_date",
        "compatibility_flags",
        "d1_databases",
        "durable_objects",
        "exports",
        "kv_namespaces",
        "main",
        "migrations",
        "name",
        "queues",
        "secrets",
        "services",
        "triggers",
        "vars",
    }
    | {"base_dir", "find_additional_modules", "python_modules", "rules"}  # which modules there are
)

#: What says how Cloudflare, or wrangler itself, is to treat the worker.
IGNORED = frozenset(
    {
        "$schema",
        "access",
        "account_id",
        "addresses",
        "alias",
        "build",
        "cache",
        "compliance_region",
        "define",
        "dependencies_instrumentation",
        "dev",
        "env",
        "first_party_worker",
        "jsx_factory",
        "jsx_fragment",
        "keep_names",
        "keep_vars",
        "limits",
        "logpush",
        "minify",
        "no_bundle",
        "observability",
        "placement",
        "preserve_file_names",
        "preview_urls",
        "previews",
        "route",
        "routes",
        "send_metrics",
        "tsconfig",
        "upload_source_maps",
        "workers_dev",
    }
)

_OVER_HTTP = "call such a service over HTTP, with its key as a secret"
_CALL = "call its API over HTTP, with a token as a secret"
_NO_SERVICE_WORKER = "it is for workers without modules, which Python workers are not"

#: What workerd has nothing for, and what to do about it.
REFUSED = {
    "agent_memory": _CALL,
    "ai": f"workerd has no models: {_OVER_HTTP}",
    "ai_search": _CALL,
    "ai_search_namespaces": _CALL,
    "analytics": "write events to a database or to the log",
    "analytics_engine_datasets": "write events to a database or to the log",
    "artifacts": _CALL,
    "browser": f"workerd has no browser: {_OVER_HTTP}",
    "cloudchamber": "run the container beside the worker, and call it over HTTP",
    "connect": "rooms take WebSockets and HTTP: put another server in front of other protocols",
    "containers": "run the container beside the worker, and call it over HTTP",
    "data_blobs": _NO_SERVICE_WORKER,
    "dispatch_namespaces": "serve each worker by itself, and let a proxy choose between them",
    "flagship": "give such a choice as a variable",
    "hyperdrive": "call the database over HTTP, or keep the data in D1 or in rooms",
    "images": f"workerd transforms no images: {_OVER_HTTP}",
    "k2": _CALL,
    "logfwdr": "the log goes to stderr: let the supervisor forward it",
    "media": f"workerd transforms no media: {_OVER_HTTP}",
    "mtls_certificates": "let a proxy beside the worker hold the certificate",
    "pages_build_output_dir": "it is for Pages: name the worker by main, and its files by assets",
    "pipelines": _CALL,
    "r2_buckets": (
        "workerd has no buckets: call an S3-compatible store over HTTP, with its key as a secret, "
        "or keep small files in KV"
    ),
    "ratelimits": "limit what clients send by the rooms' own options, or in a proxy in front",
    "secrets_store_secrets": "give it as a secret of this worker",
    "send_email": f"workerd sends no mail: {_OVER_HTTP}",
    "site": "serve its files by assets",
    "stream": _CALL,
    "streaming_tail_consumers": "the log goes to stderr: let the supervisor forward it",
    "tail_consumers": "the log goes to stderr: let the supervisor forward it",
    "text_blobs": _NO_SERVICE_WORKER,
    "unsafe": "it is for what only Cloudflare's own network knows",
    "unsafe_hello_world": "it is for tests of wrangler",
    "vectorize": f"workerd has no index of vectors: {_OVER_HTTP}",
    "version_metadata": "give the version as a variable",
    "vpc_networks": "let a proxy beside the worker reach that network",
    "vpc_services": "let a proxy beside the worker reach that service",
    "wasm_modules": _NO_SERVICE_WORKER,
    "worker_loaders": "workers that workers load are not for Python yet: import modules instead",
    "workflows": "keep the steps in a room with the mixin Schedule, or in a queue",
}
