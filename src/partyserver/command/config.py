"""A project's wrangler config, read as wrangler reads it."""

from __future__ import annotations

import argparse
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from ..project.installed import config_above


@dataclass(frozen=True)
class Config:
    path: Path
    data: Mapping[str, Any]
    #: What wrangler, too, warns of.
    warnings: tuple[str, ...] = ()

    @property
    def main(self) -> Path:
        """The worker's main module.

        Raises:
            CommandError: the config names none, or none in Python.
        """
        main = self.data.get("main")
        if not isinstance(main, str):
            raise CommandError(
                f'{shown(self.path)} names no worker: main = "src/worker.py" is missing'
            )
        path = self.path.parent / main
        if path.suffix != ".py":
            raise CommandError(f"{shown(self.path)} has main = {main!r}, which is not in Python")
        if not path.is_file():
            raise CommandError(
                f"{shown(self.path)} has main = {main!r}, and there is no file {shown(path)}"
            )
        return path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help="the wrangler config (default: wrangler.json, .jsonc or .toml here or above)",
    )
    parser.add_argument(
        "-e",
        "--env",
        metavar="NAME",
        help="the environment in the config (default: that of the variable CLOUDFLARE_ENV)",
    )


def chosen(options: argparse.Namespace) -> Config:
    """The config that these options name.

    Raises:
        CommandError: it cannot be read, or has no such environment.
    """
    found = read(options.config or find(Path.cwd()))
    env = os.environ.get("CLOUDFLARE_ENV") if options.env is None else options.env
    if not env or (options.env is None and not found.data.get("env")):
        return found
    return _of_environment(found, env)


#: What an environment has only if it says so itself: bindings, for the most part. Wrangler 4.164.
NOT_INHERITED = frozenset(
    {
        "agent_memory",
        "ai",
        "ai_search",
        "ai_search_namespaces",
        "analytics",
        "analytics_engine_datasets",
        "artifacts",
        "browser",
        "cloudchamber",
        "connect",
        "containers",
        "d1_databases",
        "define",
        "dispatch_namespaces",
        "durable_objects",
        "flagship",
        "hyperdrive",
        "images",
        "k2",
        "kv_namespaces",
        "media",
        "mtls_certificates",
        "pipelines",
        "queues",
        "r2_buckets",
        "ratelimits",
        "secrets",
        "secrets_store_secrets",
        "send_email",
        "services",
        "stream",
        "streaming_tail_consumers",
        "tail_consumers",
        "unsafe",
        "unsafe_hello_world",
        "vars",
        "vectorize",
        "version_metadata",
        "vpc_networks",
        "vpc_services",
        "worker_loaders",
        "workflows",
    }
)


def _of_environment(config: Config, env: str) -> Config:
    data = config.data
    environments = data.get("env")
    if not isinstance(environments, dict) or not isinstance(environments.get(env), dict):
        raise CommandError(f"{shown(config.path)} has no environment {env!r}")
    # What is null in an environment is not there.
    own = {key: value for key, value in environments[env].items() if value is not None}
    inherited = {key: data[key] for key in data if key not in NOT_INHERITED and key != "env"}
    if isinstance(inherited.get("name"), str):
        inherited["name"] += f"-{env}"
    warnings = tuple(
        f"{key} is not inherited by environments: [env.{env}] has none"
        for key in data
        if key in NOT_INHERITED and key not in own
    )
    return Config(config.path, {**inherited, **own}, warnings)


def shown(path: Path) -> str:
    """A path as its reader would write it: from the current folder if it is in there."""
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return str(path)


def find(folder: Path) -> Path:
    """The wrangler config of a folder, or of one above it.

    Raises:
        CommandError: there is none.
    """
    if found := config_above(folder):
        return found
    in_build = ", since wrangler runs build commands where it is started"
    raise CommandError(
        f"there is no wrangler.json, wrangler.jsonc or wrangler.toml in {folder} or above: name "
        f"the config with -c{in_build if 'WRANGLER_COMMAND' in os.environ else ''}, or make a "
        "project with `partyserver init NAME`"
    )


def read(path: Path) -> Config:
    """
    Raises:
        CommandError: it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text) if path.suffix == ".toml" else json.loads(plain_json(text))
    except OSError as error:
        raise CommandError(f"{shown(path)} cannot be read: {error.strerror}") from None
    except ValueError as error:  # of TOML, JSON and UTF-8
        raise CommandError(f"{shown(path)} cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise CommandError(f"{shown(path)} cannot be read: it is no object")
    return Config(Path(os.path.abspath(path)), data)


_STRING = r'("(?:\\.|[^"\\\n])*")'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])")


def plain_json(text: str) -> str:
    """JSON without the comments and trailing commas of JSONC; all else stays where it is."""

    def blank(found: re.Match[str]) -> str:
        return found[1] or re.sub(r"[^\n]", " ", found[0])

    return _TRAILING_COMMA.sub(blank, _COMMENT.sub(blank, text.removeprefix("\ufeff")))
