"""The start-up snapshot: Python's memory after the worker's imports, so that a start skips them.

A snapshot runs the code that it was made of, whatever the config says by then. So its name is a
hash of all that it was made of. workerd loads a damaged one without a word, and may never answer
then. So its own hash lies beside it, and is checked before each use.

One may be made for the next start while a worker is served from the same folder. So whoever makes
or removes one holds a lock meanwhile, which no start waits for that finds its snapshot. One that
was made so, and is not used yet, has a time of 0, and does not count as one that was used last.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
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
#: Seconds between two looks whether the lock is free.
_LOOK = 0.1
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

    def find(self, key: str, *, use: bool = True) -> Path | None:
        """The snapshot, if there is one, and it is whole. One that is not is removed.

        With `use`, it counts as used now.
        """
        if path := self._whole(key, use):
            return path
        with self._locked() as is_locked:
            if is_locked:  # else one is just being made
                if path := self._whole(key, use):
                    return path
                self.remove(key)
        return None

    def _whole(self, key: str, use: bool) -> Path | None:
        path = self.folder / f"{key}.bin"
        with suppress(OSError):
            if use:
                os.utime(path)  # first, so that nobody takes it for one that is not used
            if _sha256(path) == path.with_suffix(".sha256").read_text().strip():
                return path
        return None

    def remove(self, key: str) -> None:
        for suffix in (".sha256", ".bin"):
            (self.folder / key).with_suffix(suffix).unlink(missing_ok=True)

    def make(
        self,
        key: str,
        program: Program,
        arguments: Callable[[Path], Sequence[str]],
        signals: Signals,
        environ: Mapping[str, str],
        *,
        use: bool = True,
    ) -> Path | None:
        """Make it, by running the worker's imports and nothing else; None if a signal to end came.

        Where another process is making one, that is waited for first, and may be the same one.
        `arguments` are called with an empty folder, and give those of workerd, the config the first
        of them, and folders that are empty: nothing that is stored is touched. Without `use`, it is
        for a later start, in place of another that was, and that has not come.

        Raises:
            CommandError: an import failed; the message holds its traceback.
        """
        with self._locked(signals) as is_locked:
            if not is_locked:
                return None
            path = self._whole(key, use)
            if path is None:
                path = self._made(key, program, arguments, signals, environ, use)
            if path and not use:
                for other in self.folder.glob("*.bin"):
                    if other != path and not _used(other):
                        self.remove(other.stem)
            return path

    def _made(
        self,
        key: str,
        program: Program,
        arguments: Callable[[Path], Sequence[str]],
        signals: Signals,
        environ: Mapping[str, str],
        use: bool,
    ) -> Path | None:
        self.remove(key)
        with self._place() as place:
            command = [
                *(str(program.path), "test", *arguments(place), health.SERVICE),
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
            if not use:
                os.utime(made, (0, 0))
            path = self.folder / f"{key}.bin"
            made.rename(path)
        sync_folder(self.folder)
        write_private(path.with_suffix(".sha256"), f"{digest}\n".encode())
        return path

    def prune(self) -> None:
        """Remove all but those that were used last, and one that is there for a later start.

        Nothing is, where one is just being made: the next start does.
        """
        with self._locked() as is_locked:
            if is_locked:
                used = [path for path in self.folder.glob("*.bin") if _used(path)]
                for path in sorted(used, key=_used, reverse=True)[KEPT:]:
                    self.remove(path.stem)
                self._remove_left()

    @contextmanager
    def _locked(self, signals: Signals | None = None) -> Iterator[bool]:
        """Hold the lock: whether it is held.

        Another process that has it is waited for, until one of `signals` comes, if they are given.
        """
        path = self.folder.with_name(f"{self.folder.name}.lock")
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            is_locked = _try_lock(lock)
            while signals and not is_locked and not signals.asked:
                signals.wait(_LOOK)
                is_locked = _try_lock(lock)
            yield is_locked
        finally:
            os.close(lock)

    @contextmanager
    def _place(self) -> Iterator[Path]:
        """A folder to make one in."""
        self._remove_left()
        place = self.folder / f"making-{secrets.token_hex(8)}"
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _remove_left(self) -> None:
        """What others were killed in. The lock must be held."""
        for left in self.folder.glob("making-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _digest(self, path: Path) -> str:
        """The hash of a large file; it is computed again when the file is another."""
        status = path.stat()
        seen = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        known = self._digests()
        if known.get(str(path), (None, None))[0] != seen:
            known[str(path)] = (seen, _sha256(path))
            existing = {name: found for name, found in known.items() if os.path.exists(name)}
            with suppress(OSError):  # another process may write them at the same moment
                write_private(self.folder / _DIGESTS, json.dumps(existing).encode())
        return known[str(path)][1]

    def _digests(self) -> dict[str, tuple[list[int] | None, str]]:
        with suppress(OSError, ValueError, TypeError, AttributeError):
            found: Mapping[str, Any] = json.loads((self.folder / _DIGESTS).read_bytes())
            return {name: (seen, str(digest)) for name, (seen, digest) in found.items()}
        return {}


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
