"""The data folder: whose it is, who has it, and what it refuses."""

import json
import multiprocessing
import os
import stat

import pytest
from partyserver.hosting import data as module
from partyserver.hosting.data import Data
from partyserver.project.errors import CommandError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data"


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0)


def test_it_is_made_for_its_owner_alone(path):
    Data.open(path, "chat").close()
    assert mode_of(path) == 0o700
    for entry in path.iterdir():
        assert mode_of(entry) & 0o077 == 0, entry


def test_an_empty_folder_of_a_volume_is_taken_over_and_closed_to_others(path):
    (path / "lost+found").mkdir(parents=True)
    path.chmod(0o755)
    Data.open(path, "chat").close()
    assert mode_of(path) == 0o700


def test_a_volume_of_anothers_that_may_be_written_is_taken_as_it_is(path, monkeypatch):
    """As a container's is, to which its process has the right by a group."""
    path.mkdir(mode=0o770)
    path.chmod(0o770)
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    Data.open(path, "chat").close()
    assert mode_of(path) == 0o770
    assert all(mode_of(entry) & 0o077 == 0 for entry in path.iterdir())


def test_a_folder_with_something_else_is_refused_and_left_as_it_is(path):
    path.mkdir()
    path.chmod(0o755)
    (path / "letter.txt").write_text("Dear Sir")
    with pytest.raises(CommandError, match=r"letter\.txt in it, and is no data folder"):
        Data.open(path, "chat")
    assert mode_of(path) == 0o755
    assert [entry.name for entry in path.iterdir()] == ["letter.txt"]


def test_it_is_found_again(path):
    Data.open(path, "chat").close()
    (path / "objects" / "kept").write_text("all")
    Data.open(path, "chat").close()
    assert (path / "objects" / "kept").read_text() == "all"


def test_another_worker_is_refused(path):
    Data.open(path, "chat").close()
    with pytest.raises(CommandError, match="worker 'chat', and this one is 'chat-staging'") as info:
        Data.open(path, "chat-staging")
    assert 'name = "chat"' in str(info.value)


def test_two_have_it_one_after_the_other(path, impatient):
    first = Data.open(path, "chat")
    with pytest.raises(CommandError, match=rf"served by another process already \({os.getpid()}\)"):
        Data.open(path, "chat")
    first.close()
    first.close()
    Data.open(path, "chat").close()


def test_one_that_comes_meanwhile_is_waited_for(path, monkeypatch):
    first = Data.open(path, "chat")
    monkeypatch.setattr("time.sleep", lambda _: first.close())
    Data.open(path, "chat").close()


def test_one_that_came_first_and_has_ended_keeps_it(path, monkeypatch):
    lock = module._locked

    def meanwhile(folder):
        monkeypatch.setattr(module, "_locked", lock)
        Data.open(path, "other").close()
        return lock(folder)

    monkeypatch.setattr(module, "_locked", meanwhile)
    with pytest.raises(CommandError, match="the worker 'other'"):
        Data.open(path, "chat")
    Data.open(path, "other").close()


def test_a_first_start_that_was_killed_is_no_hindrance(path):
    path.mkdir()
    (path / ".worker.json.new").write_text("{")
    Data.open(path, "chat").close()
    assert json.loads((path / "worker.json").read_text())["worker"] == "chat"


def _hold(lock, told, release):
    told.set()
    release.wait()


def test_who_inherits_the_lock_holds_it(path, impatient):
    """As workerd does, where the one that has started it is gone."""
    fork = multiprocessing.get_context("fork")
    told, release = fork.Event(), fork.Event()
    first = Data.open(path, "chat")
    child = fork.Process(target=_hold, args=(first.lock, told, release))
    child.start()
    try:
        told.wait()
        first.close()
        with pytest.raises(CommandError, match="served by another process"):
            Data.open(path, "chat")
    finally:
        release.set()
        child.join()
    Data.open(path, "chat").close()


def test_a_refused_folder_is_not_locked(path):
    Data.open(path, "chat").close()
    with pytest.raises(CommandError):
        Data.open(path, "other")
    Data.open(path, "chat").close()


HERE, THERE = "s3://rooms/chat", "s3://rooms/other"


def test_a_clusters_disk_is_refused_without_a_cluster(path):
    """Also before workerd has stored anything on it."""
    Data.open(path, "chat", cluster=HERE).close()
    with pytest.raises(CommandError, match="disk of a cluster's node"):
        Data.open(path, "chat")
    Data.open(path, "chat", cluster=HERE).close()


def test_a_clusters_disk_is_known_by_what_workerd_leaves_there_too(path):
    Data.open(path, "chat").close()
    (path / "objects" / "chat-Room" / ".cluster").mkdir(parents=True)
    with pytest.raises(CommandError, match="disk of a cluster's node"):
        Data.open(path, "chat")
    Data.open(path, "chat", cluster=HERE).close()


def test_the_disk_of_another_clusters_node_is_refused(path):
    Data.open(path, "chat", cluster=HERE).close()
    with pytest.raises(CommandError, match=f"a node of {HERE}, and this one is of {THERE}"):
        Data.open(path, "chat", cluster=THERE)
    Data.open(path, "chat", cluster=HERE).close()


def test_rooms_from_before_a_cluster_are_refused_in_one(path):
    Data.open(path, "chat").close()
    (path / "objects" / "chat-Room").mkdir()
    (path / "objects" / "chat-Room" / "ab.sqlite").touch()
    for _ in range(2):  # the first leaves no mark of a cluster
        with pytest.raises(CommandError, match="before there was a cluster"):
            Data.open(path, "chat", cluster=HERE)
    Data.open(path, "chat").close()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "\xff"])
def test_a_damaged_mark_says_what_belongs_there(path, text):
    path.mkdir()
    (path / "worker.json").write_text(text)
    with pytest.raises(CommandError, match=r'damaged: put \{"format": 1, "worker": "NAME"\}'):
        Data.open(path, "chat")


def test_a_later_format_is_refused(path):
    path.mkdir()
    (path / "worker.json").write_text(json.dumps({"format": 2, "worker": "chat"}))
    with pytest.raises(CommandError, match="format 2, and this version of partyserver knows 1"):
        Data.open(path, "chat")


def test_what_a_start_has_left_is_removed(path):
    Data.open(path, "chat").close()
    (path / "run" / "config.capnp").write_text("secret")
    Data.open(path, "chat").close()
    assert not any((path / "run").iterdir())


def test_a_file_in_its_place_is_told(path):
    path.write_text("")
    with pytest.raises(CommandError, match="cannot be used: File exists"):
        Data.open(path, "chat")
