"""A copy of a data folder, which may be served meanwhile.

Each room is a SQLite database, and is copied by SQLite's own means: what it has at one moment,
with all that was acknowledged before the copy began. Rooms are copied one after another, so two
rooms may be copied at two moments.

When a room's alarm rings is noted in the room, and in a database for each class, by which workerd
finds it. That one is copied before the rooms and after them, and the copy has the alarms of both:
workerd asks the room before it rings one, so one too many does no harm, and one too few would.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ..project.errors import CommandError
from .data import (
    BLOBS,
    KV,
    MARK,
    OBJECTS,
    is_of_cluster,
    mark_of,
    refuse_other_user,
    sync_folder,
    write_private,
)

#: Of each class: when which of its objects is to be woken.
_ALARMS = "metadata.sqlite"
#: Seconds that a database may be locked, which it is for moments.
_LOCKED = 60.0
#: Behind a room's id: the names of its facets. Their databases are `ID.NUMBER.sqlite`.
_FACETS = ".facets"
#: So often a namespace of KV is copied until all of its large values are there.
_TRIES = 5


def back_up(source: Path, target: Path) -> int:
    """Copy a data folder to a new folder, which is one itself; the number of databases.

    Start-up snapshots are no part of it. It is written beside, and renamed when it is whole.

    Raises:
        CommandError: the source is no data folder, or another user's; the target is there already;
            or a file cannot be read or written.
    """
    source, target = (Path(os.path.abspath(path)) for path in (source, target))
    if mark_of(source) is None:
        raise CommandError(f"{source} is no data folder of partyserver: there is no {MARK} in it")
    # SQLite makes files beside a database that it reads, and workerd must have them, too.
    refuse_other_user(
        source, "or the files that reading its databases makes would lock the worker out"
    )
    if is_of_cluster(source):
        raise CommandError(
            f"{source} is the disk of a cluster's node, whose rooms are in the cluster's bucket: "
            "back that up"
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise CommandError(f"{target} is there already: name a new folder for each backup")
    beside = target.with_name(f".{target.name}-{secrets.token_hex(8)}")
    try:
        beside.mkdir(parents=True, mode=0o700)
        try:
            count = _copy(source, beside)
            beside.rename(target)
            sync_folder(target.parent)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        where = error.filename or target
        raise CommandError(f"{where} cannot be copied: {error.strerror}") from None
    return count


def _copy(source: Path, target: Path) -> int:
    objects = source / OBJECTS
    before = {path: _read_alarms(path) for path in _databases(objects) if path.name == _ALARMS}
    _copy_blobs(source / BLOBS, target / BLOBS)
    count = 0
    for path in _databases(objects):
        if path.name != _ALARMS:
            count += _copy_with_blobs(path, source, target)
    for path in _databases(objects):
        if path.name == _ALARMS:
            copied = target / path.relative_to(source)
            alarms = before.get(path, [])
            if _copy_database(path, copied) and alarms:
                _add_alarms(copied, alarms)
    # Which facet of a room has which database. It is only ever added to, so what it has after the
    # databases were copied has all of them.
    for path in sorted(objects.glob(f"*/*{_FACETS}")):
        _copy_file(path, target / path.relative_to(source))
    (target / OBJECTS).mkdir(mode=0o700, exist_ok=True)
    for folder in (target, *(path for path in target.rglob("*") if path.is_dir())):
        sync_folder(folder)
    write_private(target / MARK, (source / MARK).read_bytes())
    return count


def _copy_with_blobs(path: Path, source: Path, target: Path) -> bool:
    """Copy a database, and the large values of KV that it names, if it is one of KV.

    A value that was deleted between the two is not in the next copy of the database.
    """
    copied = target / path.relative_to(source)
    for _ in range(_TRIES):
        if not _copy_database(path, copied):
            return False
        if path.parent.name != KV:
            return True
        names = _blobs_of(copied)
        for name in names:
            _copy_file(source / BLOBS / name, target / BLOBS / name)
        if all((target / BLOBS / name).exists() for name in names):
            return True
        copied.unlink()
    raise CommandError(
        f"{path} names values that are not in {source / BLOBS}, which change too fast or are lost"
    )


def _blobs_of(path: Path) -> list[str]:
    """The paths of KV's large values, where the table is the one that is known."""
    # A copy is nobody else's: without this, files for others would be made beside it.
    with closing(_reading(path, "immutable=1")) as connection:
        try:
            found = connection.execute("SELECT blob FROM entries WHERE blob IS NOT NULL")
            return [str(name) for (name,) in found]
        except sqlite3.OperationalError:
            return []


def _databases(objects: Path) -> Iterator[Path]:
    yield from sorted(objects.glob("*/*.sqlite"))


def _copy_database(path: Path, target: Path) -> bool:
    """Whether it is there: what is deleted meanwhile is left out."""
    target.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    try:
        with closing(_reading(path)) as connection, closing(sqlite3.connect(target)) as copy:
            connection.backup(copy)
    except sqlite3.Error as error:
        if path.exists():
            raise CommandError(f"{path} cannot be copied: {error}") from None
        target.unlink(missing_ok=True)
        return False
    target.chmod(0o600)
    return True


def _reading(path: Path, how: str = "mode=ro") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=_LOCKED)


def _read_alarms(path: Path) -> list[tuple[object, ...]]:
    """All rows, where the table is the one that is known."""
    try:
        with closing(_reading(path)) as connection:
            query = "SELECT actor_id, scheduled_time, actor_name FROM _cf_ALARM"
            return connection.execute(query).fetchall()
    except sqlite3.Error as error:
        if "no such table" in str(error) or not path.exists():
            return []
        raise CommandError(f"{path} cannot be copied: {error}") from None


def _add_alarms(path: Path, alarms: list[tuple[object, ...]]) -> None:
    """Of an object with two, the earlier one."""
    with closing(sqlite3.connect(path)) as copy, copy:
        copy.executemany(
            "INSERT INTO _cf_ALARM (actor_id, scheduled_time, actor_name) VALUES (?, ?, ?) "
            "ON CONFLICT (actor_id) DO UPDATE "
            "SET scheduled_time = min(scheduled_time, excluded.scheduled_time)",
            alarms,
        )


def _copy_blobs(source: Path, target: Path) -> None:
    """Files that are written once, and deleted."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            _copy_file(path, target / path.relative_to(source))


def _copy_file(path: Path, copied: Path) -> None:
    """Copy a file that is not there yet; what is deleted meanwhile is left out."""
    if copied.exists():
        return
    copied.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    try:
        shutil.copyfile(path, copied)
    except FileNotFoundError:
        return
    with copied.open("rb") as file:
        os.fsync(file.fileno())
