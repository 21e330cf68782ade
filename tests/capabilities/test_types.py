"""What `partyserver types` prints serves a client in TypeScript, with the unchanged partysocket."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from partyserver.testing.installed import find_node

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / "node_modules"


def test_a_client_compiles_with_it_and_runs(party, binding, tmp_path):
    worker, client = HERE / "worker" / "typed.py", tmp_path / "typed.ts"
    command = [sys.executable, "-m", "partyserver", "types", worker, "-o", tmp_path / "events.ts"]
    subprocess.run(command, check=True, timeout=600)
    shutil.copy(HERE / "clients" / "typed.ts", client)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)

    compiler = [
        NODE_MODULES / ".bin" / "tsc",
        "--strict",
        "--exactOptionalPropertyTypes",
        "--noEmit",
    ]
    options = [
        "--noEmit",
        "--ignoreConfig",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--types",
        "node",
    ]
    run(*compiler, *options, client)

    bundler = [NODE_MODULES / ".bin" / "esbuild", client, "--bundle", "--platform=node"]
    run(*bundler, "--format=esm", f"--outfile={tmp_path / 'client.mjs'}", "--log-level=error")
    party_name = {"Typed": "typed", "TypedSleepy": "typed-sleepy"}[binding("Typed")]
    told = run(find_node([HERE]), tmp_path / "client.mjs", party.url, party_name)
    assert told.splitlines() == [
        "ts said hello",
        "ts said hihi",
        "Place(piece=Piece(short_name='k', color=<Color.RED: 'red'>), at=(1, 2), history=[], "
        "mode=None, picture=b'', when=None, notes={})",
        "Place(piece=Piece(short_name='k', color=<Color.BLUE: 'blue'>), at=(1, 2), "
        "history=[Piece(short_name='q', color=<Color.RED: 'red'>)], mode=None, "
        "picture=b'\\x00', when=datetime.datetime(1970, 1, 1, 0, 0, "
        "tzinfo=datetime.timezone.utc), notes={'a': 1, 'b': 'two'})",
        "shout is wrong: $.times: Expected `int` <= 3",
        'told "the end"',
    ]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
