"""The start-up snapshot: Python's memory after the worker's imports, so that a start skips them.

A snapshot runs the code that it was made of, whatever the config says by then. So its name is a
hash of all that it was made of. workerd loads a damaged one without a word, and may never answer
then. So its own hash lies beside it, and is checked before each use.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..project.errors import CommandError
from . import health
from .data import sync_folder, write_private
from .process import Child, Signals
from .program import Program

#: How many are kept: the one in use, and the one before, for a way back.
KEPT = 2
#: Seconds. Imports take some 10, and a few times as long on a small machine.
MAKING = 600.0
#: It rises with each change in how snapshots are made.
_METHOD = 1

_DIGESTS = "digests.json"
_CHUNK = 1 << 20


class Snapshots:
    """Those in a folder, which others must not read: imports may have read secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, config: str, program: Program, bundle: Path | None) -> str:
        """The name of the snapshot of a config, which holds all modules, variables and secrets."""
        # The version decides which interpreter workerd downloads, where no bundle is given.
        made_of = [str(_METHOD), program.version, self._digest(program.path)]
        made_of.append("" if bundle is None else self._digest(bundle))
        made_of.append(hashlib.sha256(config.encode()).hexdigest())
        return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:32]

    def find(self, key: str) -> Path | None:
        """The snapshot, if there is one, and it is whole. One that is not is removed."""
        path = self.folder / f"{key}.bin"
        try:
            expected = path.with_suffix(".sha256").read_text().strip()
            if _sha256(path) == expected:
                os.utime(path)  # what was used last is kept
                return path
        except OSError:
            pass
        self.remove(key)
        return None

    def remove(self, key: str) -> None:
        for suffix in (".sha256", ".bin"):
            (self.folder / key).with_suffix(suffix).unlink(missing_ok=True)

    def make(
        self,
        key: str,
        program: Program,
        arguments: Sequence[str],
        signals: Signals,
        environ: Mapping[str, str],
    ) -> Path | None:
        """Make it, by running the worker's imports and nothing else; None if a signal to end came.

        `arguments` are those of workerd, the config the first of them, and folders that are empty:
        nothing that is stored is touched.

        Raises:
            CommandError: an import failed; the message holds its traceback.
        """
        with self._place() as place:
            command = [
                *(str(program.path), "test", *arguments, health.SERVICE),
                *("--python-save-snapshot", f"--python-snapshot-dir={place}"),
            ]
            log = place / "log"
            with log.open("wb") as file:
                child = Child(command, stdout=file, stderr=file, environ=environ)
                with child:
                    in_time = child.wait(signals, MAKING)
            if signals.asked:
                return None
            made = place / "snapshot.bin"
            if not in_time or child.status != 0 or not made.is_file():
                text = log.read_text(encoding="utf-8", errors="replace")
                raise CommandError(_why(text, in_time, child.status))
            made.chmod(0o600)
            digest = _sha256(made, sync=True)
            path = self.folder / f"{key}.bin"
            made.rename(path)
        sync_folder(self.folder)
        write_private(path.with_suffix(".sha256"), f"{digest}\n".encode())
        return path

    def prune(self) -> None:
        """Remove all but those that were used last."""
        by_use = sorted(self.folder.glob("*.bin"), key=_used, reverse=True)
        for path in by_use[KEPT:]:
            self.remove(path.stem)

    @contextmanager
    def _place(self) -> Iterator[Path]:
        """A folder to make one in. What others were killed in is removed."""
        for left in self.folder.glob("making-*"):
            shutil.rmtree(left, ignore_errors=True)
        place = self.folder / f"making-{secrets.token_hex(8)}"
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _digest(self, path: Path) -> str:
        """The hash of a large file; it is computed again when the file is another."""
        status = path.stat()
        seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self._digests()
        if known.get(str(path), (None, None))[0] != seen:
            known[str(path)] = (seen, _sha256(path))
            existing = {name: found for name, found in known.items() if os.path.exists(name)}
            write_private(self.folder / _DIGESTS, json.dumps(existing).encode())
        return known[str(path)][1]

    def _digests(self) -> dict[str, tuple[list[int] | None, str]]:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            found: Mapping[str, Any] = json.loads((self.folder / _DIGESTS).read_bytes())
            return {name: (seen, str(digest)) for name, (seen, digest) in found.items()}
        return {}


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _sha256(path: Path, *, sync: bool = False) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        if sync:
            os.fsync(file.fileno())
    return digest.hexdigest()


#: What workerd says beside Python's traceback: its own frames, and what follows from the failure.
_NOISE = re.compile(
    r'  File "/lib/python[0-9]+\.zip/_pyodide/.*\n(?: {4}.*\n)*'
    r"|  at (?:pyodide|wasm:).*\n"
    r"|workerd/.*(?:A DurableObjectNamespace in the config|debug: \[ ).*\n"
    r"|.*\bstack: /.*\n"
    r"|Tests failed!\n"
)


def _why(log: str, in_time: bool, status: int | None) -> str:
    """The message, of what workerd has said."""
    if "Pyodide bundle failed" in log:
        return (
            "workerd could not download its Python interpreter: it needs the network for that, "
            "once for each version of workerd; where there is none, give --pyodide-bundle DIR "
            "(see the guide on self-hosting)"
        )
    shown = _NOISE.sub("", f"{log}\n").strip()
    if not in_time:
        why = f"the worker's imports do not end within {MAKING:g} s"
    elif "Can't serialize top-level variable" in log:
        why = (
            "the worker holds an object of JavaScript in a global variable, which a start-up "
            "snapshot cannot hold: make it where it is used (Cloudflare refuses it, too), or start "
            "with --no-snapshot"
        )
    elif "Traceback" in log or "Uncaught" in log:
        why = "the worker cannot be imported, as the traceback says"
    else:
        why = f"no start-up snapshot could be made: workerd ended with the status {status}"
    return f"{shown}\n\npartyserver: {why}" if shown else why
