"""What a worker needs of where it runs, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
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
    base_path: str | None = None
    run_worker_first: bool | tuple[str, ...] | None = None


@dataclass(frozen=True)
class Service:
    """A binding to the worker itself, or to an entrypoint of it."""

    binding: str
    entrypoint: str | None = None
    props: Any = None


@dataclass(frozen=True)
class Plan:
    """A whole worker. `main` is the name of the first of its modules."""

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

    def bindings(self) -> Iterator[str]:
        """The names in the worker's environment, but for secrets, which go before variables."""
        for one in self.durable_objects:
            yield from one.bindings
        for many in (self.vars, self.kv, self.d1, self.producers, self.services):
            for bound in many:
                yield bound.binding
        if self.assets and self.assets.binding:
            yield self.assets.binding


@dataclass(frozen=True)
class Cluster:
    """How one process belongs to a cluster: see `ClusterConfig` of workerd's schema.

    The key is at least 32 bytes. `options` are those of the bucket, as `aws_region`.
    """

    bucket: str  # s3://BUCKET/PREFIX
    key: str = field(repr=False)
    address: str  # host:port, for the other processes
    advertise: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    time_divisor: int = 1  # shortens leases, for tests
