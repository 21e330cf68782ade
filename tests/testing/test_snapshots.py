"""A start-up snapshot spares the next start the worker's imports, and changes nothing else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from .conftest import Project

pytestmark = pytest.mark.once

WORKER = """
import gc, os
from importlib import metadata
from workers import DurableObject, Response, WorkerEntrypoint, env
{imports}
gc.disable()
metadata.entry_points()  # leaves an open file to a cache, and some to the collector
print("the worker is imported")
WORD = env.WORD

class Room(DurableObject):
    async def fetch(self, request):
        metadata.MetadataPathFinder.invalidate_caches()
        gc.collect()
        return Response.from_json([WORD, os.urandom(8).hex()])

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await self.env.ROOM.get(self.env.ROOM.idFromName("room")).fetch(request)
"""

CONFIG = """
name = "it"
main = "worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]
[vars]
WORD = "here"
[durable_objects]
bindings = [{ name = "ROOM", class_name = "Room" }]
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room"]
"""

TEST = """
def test_it(party):
    told = party.fetch("/").json()
    party.restart()
    told += party.fetch("/").json()
    assert "Exception ignored while calling deallocator" not in party.logs
    told.append("the worker is imported" in [line.message for line in party.logs])
    print("told", *told)
"""


@dataclass(frozen=True)
class Told:
    """What a test has learned of a worker, before and after a restart of the runtime."""

    first_word: str
    first_random: str
    word: str
    random: str
    is_imported: str
    """Whether it was imported for the restart."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def imported(project: Project, folder: Path):
    """What a run is told by the worker."""
    (project.folder / "wrangler.toml").write_text(CONFIG)

    def run(*options: str, imports: str = "") -> Told:
        project.write(worker=WORKER.format(imports=imports), test_it=TEST)
        done = project.run("-s", "-o", f"party_snapshots={folder}", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        line = next(line for line in done.stdout.splitlines() if "told " in line)
        return Told(*line.partition("told ")[2].split())

    return run


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*"))


def test_the_next_start_is_from_the_one_that_an_earlier_has_left(imported, folder):
    first = imported()
    (one,) = files(folder)
    assert first.is_imported == "False"
    assert first.first_word == first.word == "here"
    again = imported()
    assert files(folder) == [one]
    assert len({first.first_random, first.random, again.first_random, again.random}) == 4

    changed = imported("-o", "party_vars=WORD=there")
    assert changed.first_word == changed.word == "there"
    (other,) = {*files(folder)} - {one}
    # What the worker of `other` would remember if it began with the memory of `one`.
    os.replace(one, folder / ".".join([other.name.split(".")[0], *one.name.split(".")[1:]]))
    other.unlink()
    assert imported("-o", "party_vars=WORD=there").first_word == "here"

    (damaged,) = files(folder)
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    for number in range(9):
        (folder / f"{number}.snapshot").touch()
        os.utime(folder / f"{number}.snapshot", (number, number))
    mended = imported("-o", "party_vars=WORD=there")
    assert mended.first_word == "there"
    # Those that were used last are kept.
    assert {*files(folder)} == {other, *(folder / f"{number}.snapshot" for number in range(2, 9))}


@pytest.mark.parametrize(
    "why", ["off", "a folder that cannot be", "an object of JavaScript", "a flag"]
)
def test_a_worker_that_has_none_imports_at_each_start(imported, project, folder, why):
    options, imports = [], ""
    if why == "off":
        options = ["-o", "party_snapshots=off"]
    elif why == "a folder that cannot be":
        folder.write_text("a file")
    elif why == "a flag":
        more = '"python_workers", "disable_python_dedicated_snapshot"'
        config = CONFIG.replace('"python_workers"', more)
        (project.folder / "wrangler.toml").write_text(config)
    else:
        imports = "import js\nMADE = js.Object.new()"
    assert imported(*options, imports=imports).is_imported == "True"
    assert [*folder.glob("*.snapshot")] == []
    if imports:  # and that is known to the next run
        (known,) = files(folder)
        assert known.suffix == ".none"
        assert imported(imports=imports).is_imported == "True"


def test_without_the_option_they_are_in_pytests_cache(imported, project):
    assert imported("-o", "party_snapshots=").is_imported == "False"
    [one] = files(project.folder / ".pytest_cache" / "d" / "partyserver" / "snapshots")
    assert one.suffix == ".snapshot"


def test_two_workers_in_python_have_none(imported, project, folder):
    other = project.folder / "other"
    other.mkdir()
    for name in ("worker.py", "node_modules", "python_modules"):
        (other / name).symlink_to(project.folder / name)
    (other / "wrangler.toml").write_text(CONFIG.replace('"it"', '"other"'))
    both = "party_config=wrangler.toml\nother/wrangler.toml"
    assert imported("-o", both).is_imported == "True"
    assert not folder.exists()
