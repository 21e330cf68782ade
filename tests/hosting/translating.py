"""Workerd's own translation of a project, and ours: both as what workerd itself reads of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import capnp
from partyserver.hosting import workerd, wrangler

ROOT = Path(__file__).parents[2]
[WORKERD] = (ROOT / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd")
_SCHEMA = capnp.load(
    str(ROOT / "node_modules" / "workerd" / "workerd.capnp"),
    imports=[str(Path(capnp.__file__).parents[1])],
)

CONFIG = {
    "name": "twin",
    "compatibility_date": "2026-11-17",
    "compatibility_flags": ["python_workers"],
}


class Untranslatable(Exception):
    """What workerd says of a config that it does not take."""


def compiled(path):
    """A config as workerd reads it."""
    done = subprocess.run(
        [WORKERD, "compile", "--config-only", path], capture_output=True, timeout=600
    )
    if done.returncode:
        raise Untranslatable(done.stderr.decode())
    with _SCHEMA.Config.from_bytes(done.stdout, traversal_limit_in_words=2**40) as config:
        return config.to_dict()


def project(folder, **config):
    """A project in Python: its plan."""
    (folder / "worker.py").write_text("")
    (folder / "public").mkdir(exist_ok=True)
    return wrangler.plan_of({**CONFIG, "main": "worker.py", **config}, folder)


def ours(folder, plan, *, secrets=None, **options):
    path = folder / "ours.capnp"
    options = {"development": False, **options}
    path.write_text(workerd.config_of(plan, secrets=secrets or {}, **options))
    return compiled(path)


def theirs(folder, **config):
    """What workerd makes of the same config for a project in JavaScript."""
    (folder / "main.js").write_text("export default {}")
    path = folder / "wrangler.json"
    path.write_text(json.dumps({**CONFIG, "main": "main.js", "no_bundle": True, **config}))
    try:
        return compiled(path)
    finally:
        path.unlink()


def services(config):
    return {service["name"]: service for service in config["services"]}
