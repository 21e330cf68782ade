"""The data folder: all that a served worker keeps on the disk.

```text
DIR/
  worker.json   the mark: the worker's name, a node's cluster, and the format of the folder
  lock          held by whoever serves it
  objects/      the rooms, a SQLite database for each, in a folder for each class
  blobs/        large values of KV
  snapshots/    start-up snapshots, which may hold secrets; whoever makes one has snapshots.lock
  pyodide/      the Python interpreter, where workerd has downloaded it
  run/          what a start needs, and is removed after it
```
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from ..project.errors import CommandError

MARK = "worker.json"
#: What the mark says by `format`. It rises with each change that an older version misreads.
FORMAT = 1

OBJECTS = "objects"
BLOBS = "blobs"
#: The folder of KV's namespaces among the objects.
KV = "KVNamespace"

#: What a new file system, or a system's file manager, puts into a folder by itself.
_IGNORED = {"lost+found", ".DS_Store"}
#: What workerd leaves in the folder of each class in a cluster.
_OF_CLUSTER = ".cluster"
#: Seconds that a lock is waited for: one that was killed just now is gone by then.
PATIENCE = 3.0
_LOOK = 0.05


@dataclass(frozen=True)
class Mark:
    """Whose a data folder is: the worker's, and if it is a node's disk, the cluster's."""

    worker: str
    cluster: str | None = None


class Data:
    """A data folder that this process has locked. `close` releases it."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        #: Its descriptor: a process that inherits it holds the lock, too.
        self.lock = lock

    @classmethod
    def open(cls, path: Path, worker: str, *, cluster: str | None = None) -> Data:
        """Make the folder or find it, for this process alone.

        `cluster` is where the cluster of a node is, which stores in another way: `s3://...`.

        Raises:
            CommandError: another process has it, it belongs to another worker, it holds something
                else, or it is the disk of a node of another cluster or of none, or the reverse.
        """
        path = Path(os.path.abspath(path))
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            _mark_if_its(path, worker)  # before anything of it is changed
            if path.stat().st_uid == os.geteuid():  # a volume may be another's, and be writable
                path.chmod(0o700)
            lock = _locked(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be used: {error.strerror}") from None
        data = cls(path, lock)
        try:
            # Again: another start may have made it meanwhile, and have ended.
            found = _mark_if_its(path, worker)
            wanted = Mark(worker, cluster)
            data._refuse_other_kind(found or wanted, cluster)
            if found != wanted:
                data._write_mark(wanted)
            for name in (OBJECTS, BLOBS, "snapshots", "pyodide"):
                (path / name).mkdir(mode=0o700, exist_ok=True)
            shutil.rmtree(data.run, ignore_errors=True)
            data.run.mkdir(mode=0o700)
        except OSError as error:
            data.close()
            raise CommandError(f"{path} cannot be used: {error.strerror}") from None
        except BaseException:
            data.close()
            raise
        return data

    @classmethod
    def beside(cls, path: Path, worker: str, *, cluster: str | None = None) -> Data:
        """The folder for what is done while another process has it. A new one is made.

        Its snapshots are what may be written then, and nothing else.

        Raises:
            CommandError: as of `open`, or it belongs to another user.
        """
        path = Path(os.path.abspath(path))
        try:
            found = mark_of(path)
            if found is None:
                cls.open(path, worker, cluster=cluster).close()
            refuse_other_user(path, "or the worker could not read what this makes")
            data = cls(path, -1)
            data._refuse_other_kind(_mark_if_its(path, worker) or Mark(worker), cluster)
        except OSError as error:
            raise CommandError(f"{path} cannot be used: {error.strerror}") from None
        return data

    @property
    def snapshots(self) -> Path:
        return self.path / "snapshots"

    @property
    def pyodide(self) -> Path:
        return self.path / "pyodide"

    @property
    def run(self) -> Path:
        return self.path / "run"

    def close(self) -> None:
        """Release it. Closing it twice is nothing."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def _write_mark(self, mark: Mark) -> None:
        known = {"format": FORMAT, "worker": mark.worker, "cluster": mark.cluster}
        text = json.dumps({name: value for name, value in known.items() if value}) + "\n"
        write_private(self.path / MARK, text.encode())

    def _refuse_other_kind(self, found: Mark, cluster: str | None) -> None:
        of_cluster = is_of_cluster(self.path)
        if cluster is None and of_cluster:
            raise CommandError(
                f"{self.path} is the disk of a cluster's node, whose rooms are in the cluster's "
                "bucket: without --cluster it would start empty; name another folder, or the "
                "cluster"
            )
        if cluster and found.cluster not in (None, cluster):
            raise CommandError(
                f"{self.path} is the disk of a node of {found.cluster}, and this one is of "
                f"{cluster}: give this node a new folder"
            )
        if cluster and not of_cluster and any(self.path.glob(f"{OBJECTS}/*/*.sqlite")):
            raise CommandError(
                f"{self.path} holds rooms from before there was a cluster, and a cluster cannot "
                "take them over: give this node a new folder"
            )


def mark_of(path: Path) -> Mark | None:
    """Whose data a folder holds; None where it has no mark.

    Raises:
        CommandError: the mark cannot be read, or is of a later version.
    """
    file = path / MARK
    try:
        mark = json.loads(file.read_bytes())
        if mark["format"] != FORMAT:
            raise CommandError(
                f"{path} has the format {mark['format']}, and this version of partyserver knows "
                f"{FORMAT}: serve it with the version that has written it, or a later one"
            )
        return Mark(str(mark["worker"]), mark.get("cluster"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError):
        raise CommandError(
            f'{file} is damaged: put {{"format": {FORMAT}, "worker": "NAME"}} into it, with the '
            "worker's name from the wrangler config"
        ) from None


def is_of_cluster(path: Path) -> bool:
    """Whether a data folder is that of a cluster's node."""
    mark = mark_of(path)
    return bool(mark and mark.cluster) or any((path / OBJECTS).glob(f"*/{_OF_CLUSTER}"))


def refuse_other_user(path: Path, why: str) -> None:
    """Refuse another user than the one who serves from a data folder."""
    owner = (path / MARK).stat().st_uid
    if owner != os.geteuid():
        raise CommandError(
            f"{path} belongs to another user: run this as that one (`sudo -u '#{owner}' ...`), "
            f"{why}"
        )


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, as a whole or not at all."""
    beside = _beside(path)
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    beside.rename(path)
    sync_folder(path.parent)


def _beside(path: Path) -> Path:
    """Where a file is written, before it has its name."""
    return path.with_name(f".{path.name}.new")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mark_if_its(path: Path, worker: str) -> Mark | None:
    """The mark; None if there is none yet. A folder of another worker, or of others, is refused."""
    found = mark_of(path)
    if found is None:
        _refuse_foreign(path)
    elif found.worker != worker:
        raise CommandError(
            f"{path} holds the data of the worker {found.worker!r}, and this one is {worker!r}, "
            "which would start empty: give it a folder of its own, or, if it is the same "
            f'under a new name, set name = "{found.worker}" in the wrangler config'
        )
    return found


def _refuse_foreign(path: Path) -> None:
    """A folder is only taken over, and closed to others, if nothing else is in it."""
    # A start that was killed may have left the last two.
    expected = {*_IGNORED, "lock", _beside(path / MARK).name}
    others = sorted({entry.name for entry in path.iterdir()} - expected)
    if others:
        raise CommandError(
            f"{path} has {others[0]} in it, and is no data folder of partyserver: name a new or an "
            "empty folder"
        )


def _locked(path: Path) -> int:
    """Lock a folder; the descriptor that holds the lock."""
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    holder = os.pread(lock, 20, 0).decode(errors="replace").strip()
                    raise CommandError(
                        f"{path} is served by another process already"
                        f"{f' ({holder})' if holder else ''}: stop that one, or give this one a "
                        "folder of its own"
                    ) from None
                time.sleep(_LOOK)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        return lock
    except BaseException:
        os.close(lock)
        raise
