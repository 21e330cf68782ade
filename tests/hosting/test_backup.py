"""A backup of a data folder while its rooms write, and what comes of it when it is restored."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import ExitStack, closing

import httpx
import pytest
from partyserver.hosting import backup as module
from partyserver.hosting.backup import back_up
from partyserver.hosting.data import Data
from partyserver.project.errors import CommandError
from websockets.sync.client import connect

from .running import LIMIT, WRITING, project, serving

ROOMS = 4
#: Acknowledged writes before the backup begins, and that go on while it is made.
WRITES = 100


class Writer:
    """One client of one room, which notes what was acknowledged."""

    def __init__(self, room, socket):
        self.room = room
        self.socket = socket
        self.acknowledged: list[str] = []
        self.is_over = threading.Event()
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self):
        while not self.is_over.is_set():
            text = f"{self.room}: {len(self.acknowledged)}"
            self.socket.send(text)
            assert self.socket.recv(timeout=LIMIT) == text
            with self.changed:
                self.acknowledged.append(text)
                self.changed.notify_all()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.acknowledged) >= count, LIMIT)

    def stop(self):
        self.is_over.set()
        self.thread.join(LIMIT)


def told(path):
    """What a room's database holds, and whether it is sound."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        query = "SELECT text FROM told ORDER BY number"
        return [text for (text,) in connection.execute(query)]


#: A value of KV that is large is in a file of its own.
LARGE = "x" * 3_000_000
STORING = (
    WRITING
    + """
class Default(Default):
    async def fetch(self, request):
        if not request.url.endswith("/value"):
            return await super().fetch(request)
        if request.method == "PUT":
            await self.env.STORE.put("value", await request.text())
        return Response(await self.env.STORE.get("value"))
"""
)


def test_a_backup_under_writes_has_all_that_was_acknowledged_before(tmp_path):
    kv = '[[kv_namespaces]]\nbinding = "STORE"\nid = "store"'
    config = project(tmp_path / "project", STORING, "Room", more=kv)
    with serving(config, tmp_path / "data") as served, ExitStack() as stack:
        assert httpx.put(f"{served.url}/value", content=LARGE, timeout=LIMIT).text == LARGE
        urls = [served.websocket(f"/parties/room/{number}") for number in range(ROOMS)]
        sockets = [stack.enter_context(connect(url)) for url in urls]
        writers = [Writer(room, socket) for room, socket in enumerate(sockets)]
        for writer in writers:
            writer.wait_for(WRITES)
        backups = {}
        for number in range(2):
            before = [list(writer.acknowledged) for writer in writers]
            folder = tmp_path / f"backup{number}"
            command = ["backup", "--data", str(served.data), "--output", str(folder)]
            subprocess.run([sys.executable, "-m", "partyserver", *command], check=True)
            for writer, then in zip(writers, before, strict=True):
                writer.wait_for(len(then) + 1)  # none is held up
            backups[folder] = before
        httpx.put(f"{served.url}/value", content="another", timeout=LIMIT)
        for writer in writers:
            writer.stop()
        everything = [writer.acknowledged for writer in writers]
        assert "SQLITE" not in served.text
    for folder, before in backups.items():
        assert not [*folder.rglob("*-wal"), *folder.rglob("*-shm")]
        copies = [told(path) for path in (folder / "objects" / "served-Room").glob("?" * 64 + ".*")]
        assert len(copies) == ROOMS
        # Each is a beginning of what its room was told, and has what was acknowledged before.
        for room, copy in enumerate(sorted(copies)):
            assert copy == everything[room][: len(copy)]
            assert copy[: len(before[room])] == before[room]
    # The restored one is served, and goes on.
    with serving(config, folder) as served:
        assert httpx.get(f"{served.url}/value", timeout=LIMIT).text == LARGE
        for number, (then, all_of_it) in enumerate(zip(before, everything, strict=True)):
            url = served.websocket(f"/parties/room/{number}")
            with connect(url) as socket:
                socket.send("again")
                assert socket.recv(timeout=LIMIT) == "again"
            texts = httpx.get(f"{served.url}/parties/room/{number}", timeout=LIMIT).json()
            assert texts[: len(then)] == then
            assert texts[:-1] == all_of_it[: len(texts) - 1]


@pytest.fixture
def data(tmp_path):
    """A data folder as one that is served, without workerd."""
    Data.open(tmp_path / "data", "chat").close()
    rooms = tmp_path / "data" / "objects" / "chat-Room"
    rooms.mkdir()
    database(rooms / "ab.sqlite", "CREATE TABLE told (number INTEGER PRIMARY KEY, text TEXT)")
    return tmp_path / "data"


ALARMS = """CREATE TABLE _cf_ALARM (
  actor_id TEXT PRIMARY KEY, scheduled_time INTEGER, actor_name TEXT
) WITHOUT ROWID"""


def database(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            connection.execute(statement)


def test_it_is_a_data_folder_for_its_owner_alone(data, tmp_path):
    (data / "snapshots" / "a.bin").write_text("secrets")
    (data / "blobs" / "kv").mkdir()
    (data / "blobs" / "kv" / "large").write_text("value")
    assert back_up(data, tmp_path / "new" / "copy") == 1
    copy = tmp_path / "new" / "copy"
    assert {path.name for path in copy.iterdir()} == {"objects", "blobs", "worker.json"}
    assert (copy / "blobs" / "kv" / "large").read_text() == "value"
    assert copy.stat().st_mode & 0o077 == 0
    Data.open(copy, "chat").close()
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]


def test_alarms_before_and_after_the_rooms_are_in_it(data, tmp_path, monkeypatch):
    alarms = data / "objects" / "chat-Room" / "metadata.sqlite"
    insert = "INSERT INTO _cf_ALARM VALUES ('{}', {}, NULL)"
    database(alarms, ALARMS, insert.format("rung", 1), insert.format("later", 2))
    copy_database = module._copy_database

    def meanwhile(path, target):
        if path.name == "ab.sqlite":
            database(
                alarms,
                "DELETE FROM _cf_ALARM WHERE actor_id = 'rung'",
                "UPDATE _cf_ALARM SET scheduled_time = 9 WHERE actor_id = 'later'",
                insert.format("new", 3),
            )
        return copy_database(path, target)

    monkeypatch.setattr(module, "_copy_database", meanwhile)
    back_up(data, tmp_path / "copy")
    copied = tmp_path / "copy" / "objects" / "chat-Room" / "metadata.sqlite"
    with closing(sqlite3.connect(copied)) as connection:
        found = connection.execute("SELECT actor_id, scheduled_time FROM _cf_ALARM").fetchall()
    assert found == [("later", 2), ("new", 3), ("rung", 1)]


@pytest.fixture
def kv(data):
    """A namespace with a large value, as workerd stores it."""
    folder = data / "objects" / "KVNamespace"
    folder.mkdir()
    path = folder / "cd.sqlite"
    database(path, "CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB, blob TEXT)")
    database(path, "INSERT INTO entries VALUES ('small', 'x', NULL), ('large', NULL, 'n/b/0')")
    (data / "blobs" / "n" / "b").mkdir(parents=True)
    (data / "blobs" / "n" / "b" / "0").write_text("value 0")
    return path


def replace(monkeypatch, data, path, times):
    """Have a large value be replaced, and the one before deleted, after so many copies."""
    copy_database, count = module._copy_database, []

    def meanwhile(source, target):
        copied = copy_database(source, target)
        if source == path and len(count) < times:
            blobs = data / "blobs" / "n" / "b"
            (blobs / str(len(count))).unlink()
            count.append(source)
            (blobs / str(len(count))).write_text(f"value {len(count)}")
            database(path, f"UPDATE entries SET blob = 'n/b/{len(count)}' WHERE key = 'large'")
        return copied

    monkeypatch.setattr(module, "_copy_database", meanwhile)


def test_the_large_values_of_kv_are_those_that_the_copy_names(data, kv, tmp_path, monkeypatch):
    replace(monkeypatch, data, kv, times=3)
    monkeypatch.setattr(module, "_copy_blobs", lambda *_: None)  # it came after those
    back_up(data, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / kv.relative_to(data))) as connection:
        query = "SELECT blob FROM entries WHERE key = 'large'"
        [(name,)] = connection.execute(query).fetchall()
    assert (tmp_path / "copy" / "blobs" / name).read_text() == "value 3"


def test_values_that_are_lost_are_told(data, kv, tmp_path):
    (data / "blobs" / "n" / "b" / "0").unlink()
    with pytest.raises(CommandError, match=r"cd\.sqlite names values that are not in .*blobs"):
        back_up(data, tmp_path / "copy")


def test_a_namespace_that_is_deleted_or_new_is_no_matter(data, kv, tmp_path, monkeypatch):
    database(kv.with_name("ef.sqlite"), "CREATE TABLE schema (v)")
    databases = module._databases
    gone = kv.with_name("gone.sqlite")
    monkeypatch.setattr(module, "_databases", lambda objects: [*databases(objects), gone])
    assert back_up(data, tmp_path / "copy") == 3


def test_facets_are_in_it_with_their_names(data, tmp_path, monkeypatch):
    """One that is new while its room is copied, too: the names are copied last."""
    rooms = data / "objects" / "chat-Room"
    database(rooms / "ab.1.sqlite", "CREATE TABLE told (text)")
    (rooms / "ab.facets").write_bytes(b"first")
    copy_database = module._copy_database

    def meanwhile(path, target):
        with (rooms / "ab.facets").open("ab") as file:
            file.write(b" second")
        return copy_database(path, target)

    monkeypatch.setattr(module, "_copy_database", meanwhile)
    assert back_up(data, tmp_path / "copy") == 2
    copied = tmp_path / "copy" / "objects" / "chat-Room"
    assert (copied / "ab.1.sqlite").exists()
    assert (copied / "ab.facets").read_bytes() == b"first second second"


def test_a_class_without_alarms_is_copied_too(data, tmp_path):
    database(data / "objects" / "chat-Room" / "metadata.sqlite", "CREATE TABLE other (a)")
    assert back_up(data, tmp_path / "copy") == 1
    assert (tmp_path / "copy" / "objects" / "chat-Room" / "metadata.sqlite").exists()


def test_a_room_that_is_deleted_meanwhile_is_left_out(data, tmp_path, monkeypatch):
    databases = module._databases
    gone = data / "objects" / "chat-Room" / "gone.sqlite"
    monkeypatch.setattr(module, "_databases", lambda objects: [*databases(objects), gone])
    assert back_up(data, tmp_path / "copy") == 1
    assert not (tmp_path / "copy" / "objects" / "chat-Room" / "gone.sqlite").exists()


def test_what_is_no_database_is_told_and_nothing_is_left(data, tmp_path):
    (data / "objects" / "chat-Room" / "cd.sqlite").write_text("no database" * 100)
    with pytest.raises(CommandError, match=r"cd\.sqlite cannot be copied: file is not a database"):
        back_up(data, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_what_is_no_data_folder_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"there is no worker\.json in it"):
        back_up(tmp_path, tmp_path / "copy")


def test_nothing_is_written_over(data, tmp_path):
    (tmp_path / "copy").mkdir()
    back_up(data, tmp_path / "copy")
    with pytest.raises(CommandError, match="there already: name a new folder"):
        back_up(data, tmp_path / "copy")


def test_another_user_is_refused(data, tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: data.stat().st_uid + 1)
    with pytest.raises(CommandError, match="belongs to another user: run this as that one"):
        back_up(data, tmp_path / "copy")


def test_a_clusters_disk_is_refused(data, tmp_path):
    (data / "objects" / "chat-Room" / ".cluster").touch()
    with pytest.raises(CommandError, match="in the cluster's bucket: back that up"):
        back_up(data, tmp_path / "copy")
