"""What a worker needs of where it runs, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["python", "data", "text", "wasm", "esm", "commonjs", "json"]


@dataclass(frozen=True)
class Module:
    """One file of a worker, under the name that the runtime imports it by."""

    name: str
    kind: Kind
    content: bytes


@dataclass(frozen=True)
class Variable:
    """A binding of plain text, or of a value of JSON."""

    binding: str
    value: Any


@dataclass(frozen=True)
class DurableObject:
    """A class of Durable Objects, and the bindings to it.

    The data lies under its `unique_key`, which stays as it is where the class is renamed.
    """

    class_name: str
    unique_key: str
    sqlite: bool
    bindings: tuple[str, ...] = ()


@dataclass(frozen=True)
class KvNamespace:
    binding: str
    id: str


@dataclass(frozen=True)
class Database:
    binding: str
    id: str


@dataclass(frozen=True)
class Producer:
    binding: str
    queue: str
    delivery_delay: int | None = None  # seconds


@dataclass(frozen=True)
class Consumer:
    """What reads a queue. None is workerd's own default."""

    queue: str
    max_batch_size: int | None = None
    max_batch_timeout: int | None = None  # seconds
    max_retries: int | None = None
    max_concurrency: int | None = None
    retry_delay: int | None = None  # seconds
    dead_letter_queue: str | None = None


@dataclass(frozen=True)
class Assets:
    """Static files. The directory is absolute."""

    directory: str
    binding: str | None = None
    html_handling: str | None = None
    not_found_handling: str | None = None
    run_worker_first: bool | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Service:
    """A binding to the worker itself, or to an entrypoint of it."""

    binding: str
    entrypoint: str | None = None
    props: Any = None


@dataclass(frozen=True)
class Plan:
    """A whole worker. `main` is the name of one of its modules."""

    name: str
    compatibility_date: str
    compatibility_flags: tuple[str, ...]
    main: str
    modules: tuple[Module, ...]
    vars: tuple[Variable, ...] = ()
    secrets: tuple[str, ...] = ()
    durable_objects: tuple[DurableObject, ...] = ()
    kv: tuple[KvNamespace, ...] = ()
    d1: tuple[Database, ...] = ()
    producers: tuple[Producer, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    crons: tuple[str, ...] = ()
    assets: Assets | None = None
    services: tuple[Service, ...] = ()
    warnings: tuple[str, ...] = ()
