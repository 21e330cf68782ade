"""What `partyserver build` writes, and how it is read again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from partyserver.hosting import built
from partyserver.hosting.plan import (
    Assets,
    Consumer,
    Database,
    DurableObject,
    KvNamespace,
    Module,
    Plan,
    Producer,
    Service,
    Variable,
)
from partyserver.project.errors import CommandError

from ..command.running import command, refused
from .translating import ours, services

CONFIG = """
name = "built"
main = "src/worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]
vars = { TEXT = "x", LIST = [1, ["a"]] }
secrets.required = ["TOKEN"]
durable_objects.bindings = [{ name = "Chat", class_name = "Chat" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["Chat"] }]
assets = { directory = "public", run_worker_first = ["/a", "/b"] }
novelty = 1

[env.staging]
vars = { TEXT = "staging" }
"""


@pytest.fixture
def folder(tmp_path):
    for name, content in {
        "wrangler.toml": CONFIG,
        "src/worker.py": "print('of no matter')",
        "src/deep/notes.txt": "né",
        "python_modules/package/native.so": "\x00\x7f",
        "public/index.html": "<!doctype html>",
        "public/deep/_x": "",
        "public/.assetsignore": "_x",
    }.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path / "project"


def build(folder, *arguments):
    done = command("build", *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_project_is_built(folder, tmp_path):
    done = build(folder, "-o", "../out")
    assert done.stdout == "../out has built with 3 modules\n"
    assert done.stderr == ("warning: the wrangler config has novelty, which is not known here\n")
    out = tmp_path / "out"
    assert files(out).keys() == {
        "partyserver.json",
        "modules/worker.py",
        "modules/deep/notes.txt",
        "modules/python_modules/package/native.so",
        "assets/index.html",
        "assets/deep/_x",
        "assets/.assetsignore",
    }
    plan = built.read(out)
    assert (plan.name, plan.main, plan.secrets) == ("built", "worker.py", ("TOKEN",))
    assert plan.vars == (Variable("TEXT", "x"), Variable("LIST", [1, ["a"]]))
    assert plan.assets == Assets(str(out / "assets"), run_worker_first=("/a", "/b"))
    assert [*tmp_path.glob(".*")] == []
    # Nothing of the project is needed any more.
    shutil.rmtree(folder)
    out = out.rename(tmp_path / "elsewhere")
    found = services(ours(tmp_path, built.read(out), secrets={"TOKEN": "secret"}))
    names = [module["name"] for module in found["built"]["worker"]["modules"]]
    assert names == ["worker.py", "deep/notes.txt", "python_modules/package/native.so"]
    assert found["built-assets"]["assets"]["path"] == str(out / "assets")


def test_an_environment_is_built(folder, tmp_path):
    done = build(folder, "-e", "staging", "--output", tmp_path / "out")
    assert "secrets is not inherited by environments: [env.staging] has none" in done.stderr
    plan = built.read(tmp_path / "out")
    assert (plan.name, plan.vars) == ("built-staging", (Variable("TEXT", "staging"),))


def test_the_same_project_gives_the_same_bytes(folder, tmp_path):
    build(folder, "-o", "../one")
    copy = shutil.copytree(folder, tmp_path / "copied" / "project")
    for path in sorted(copy.rglob("*"), reverse=True):
        os.utime(path, (1, 1))
    build(copy, "-o", "../../two")
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_what_was_built_before_is_replaced_as_a_whole(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    build(folder, "-o", out)  # an empty folder may be there
    (out / "modules" / "left.py").write_text("")
    (folder / "src" / "deep" / "notes.txt").unlink()
    build(folder, "-o", out)
    assert {name for name in files(out) if name.startswith("modules/")} == {
        "modules/worker.py",
        "modules/python_modules/package/native.so",
    }


def test_a_folder_with_something_else_is_left_alone(folder, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "diary").write_text("mine")
    told = refused(command("build", "-o", "../out", cwd=folder))
    assert f"{out} has something in it that `partyserver build` has not written" in told
    assert files(out) == {"diary": b"mine"}
    assert "diary is no folder" in refused(command("build", "-o", out / "diary", cwd=folder))
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "link is no folder" in refused(command("build", "-o", "../link", cwd=folder))


@pytest.mark.parametrize("inside", ["src/out", "public/out", "python_modules", "public"])
def test_a_folder_that_would_become_a_part_of_the_worker_is_refused(folder, inside):
    before = files(folder)
    told = refused(command("build", "-o", inside, cwd=folder))
    assert "all of which becomes a part of the worker" in told or "has something in it" in told
    assert files(folder) == before


def test_what_cannot_be_hosted_is_not_built(folder, tmp_path):
    with (folder / "wrangler.toml").open("a") as config:
        config.write('[ai]\nbinding = "AI"\n')
    out = tmp_path / "out"
    build(folder, "-e", "staging", "-o", out)
    before = files(out)
    with (folder / "wrangler.toml").open("a") as config:
        config.write('[env.staging.ai]\nbinding = "AI"\n')
    told = refused(command("build", "-e", "staging", "-o", out, cwd=folder))
    assert told.startswith("The wrangler config cannot be hosted as it is:\n  ai: ")
    assert files(out) == before


def test_wrong_usage_is_another_status(folder):
    done = command("build", cwd=folder)
    assert (done.returncode, "-o/--output" in done.stderr) == (2, True)


def test_a_folder_that_cannot_be_written_is_told(folder, tmp_path):
    (tmp_path / "file").write_text("")
    told = refused(command("build", "-o", tmp_path / "file" / "out", cwd=folder))
    assert "cannot be written: " in told


PLAN = Plan(
    name="all",
    compatibility_date="2026-11-17",
    compatibility_flags=("python_workers",),
    main="worker.py",
    modules=(
        Module("worker.py", "python", b"pass"),
        Module("a/\u00e9 x.bin", "data", b"\x00\xff"),
        Module("empty.txt", "text", b""),
    ),
    vars=(Variable("A", {"b": [1, [None]]}), Variable("C", [1]), Variable("D", "\u2028")),
    secrets=("TOKEN",),
    durable_objects=(DurableObject("Chat", "all-Chat", True, ("A", "B")),),
    kv=(KvNamespace("KV", "id"),),
    d1=(Database("DB", "id"),),
    producers=(Producer("QUEUE", "jobs"),),
    consumers=(Consumer("jobs", max_batch_size=1, dead_letter_queue="dead"),),
    crons=("* * * * *",),
    services=(Service("S", "Admin", {"a": [1]}),),
    warnings=("careful",),
)


def test_a_whole_plan_comes_back_as_it_was(tmp_path):
    built.write(PLAN, tmp_path / "out")
    assert built.read(tmp_path / "out") == PLAN
    (tmp_path / "public").mkdir()
    assets = Assets(str(tmp_path / "public"), "FILES", "none", "404-page", "/base", True)
    built.write(replace(PLAN, assets=assets), tmp_path / "out")
    kept = replace(assets, directory=str(tmp_path / "out" / "assets"))
    assert built.read(tmp_path / "out") == replace(PLAN, assets=kept)


def test_what_was_built_before_stays_where_a_build_fails(tmp_path, monkeypatch):
    built.write(PLAN, tmp_path / "out")

    def fill(plan, folder):
        (folder / "half").write_text("")
        raise OSError(28, "No space left on device", str(folder / "other"))

    monkeypatch.setattr(built, "_fill", fill)
    with pytest.raises(CommandError, match=r"other cannot be written: No space left on device"):
        built.write(replace(PLAN, name="other"), tmp_path / "out")
    assert built.read(tmp_path / "out") == PLAN
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_was_built_before_comes_back_where_nothing_can_replace_it(tmp_path, monkeypatch):
    built.write(PLAN, tmp_path / "out")
    rename = Path.rename

    def failing(self, target):
        if self.name == "new":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(CommandError, match="No space left"):
        built.write(replace(PLAN, name="other"), tmp_path / "out")
    assert built.read(tmp_path / "out") == PLAN
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_assets_are_not_replaced_by_what_is_built_of_them(tmp_path):
    (tmp_path / "out" / "assets").mkdir(parents=True)
    (tmp_path / "out" / "partyserver.json").write_text("{}")
    plan = replace(PLAN, assets=Assets(str(tmp_path / "out" / "assets")))
    with pytest.raises(CommandError, match="holds the assets themselves"):
        built.write(plan, tmp_path / "out")


@pytest.fixture
def out(tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "page.html").write_text("page")
    built.write(replace(PLAN, assets=Assets(str(tmp_path / "public"))), tmp_path / "out")
    return tmp_path / "out"


def told_of(out):
    with pytest.raises(CommandError) as told:
        built.read(out)
    return str(told.value)


def test_what_is_missing_is_told(out):
    (out / "modules" / "worker.py").rename(out / "kept")
    assert "worker.py is missing (No such file or directory): build again" in told_of(out)
    (out / "kept").rename(out / "modules" / "worker.py")
    (out / "assets" / "page.html").unlink()
    assert "page.html is missing" in told_of(out)
    (out / "partyserver.json").unlink()
    assert "is not what `partyserver build` writes: there is no partyserver.json" in told_of(out)
    assert "is not what `partyserver build` writes" in told_of(out / "nowhere")


def test_what_is_truncated_or_changed_is_told(out):
    (out / "modules" / "worker.py").write_bytes(b"pas")
    assert "worker.py has 3 bytes, and had 4 when it was built: build again" in told_of(out)
    (out / "modules" / "worker.py").write_bytes(b"fail")
    assert "worker.py has been changed since it was built" in told_of(out)
    (out / "modules" / "worker.py").write_bytes(b"pass")
    (out / "assets" / "page.html").write_text("pa")
    assert "page.html has 2 bytes, and had 4" in told_of(out)


def test_a_manifest_that_is_truncated_is_told_wherever_it_ends(out):
    path = out / "partyserver.json"
    whole = path.read_bytes()
    for end in range(0, len(whole) - 2, 97):
        path.write_bytes(whole[:end])
        assert "partyserver.json is damaged: build again" in told_of(out)


def test_a_manifest_of_another_version_is_told(out):
    path = out / "partyserver.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps({**manifest, "format": 2}))
    assert "has the format 2, and this version of partyserver reads 1" in told_of(out)


@pytest.mark.parametrize("key", ["plan", "assets", "name", "modules", "vars", "crons", "main"])
@pytest.mark.parametrize("wrong", [1, "x", [1], {"a": 1}, None])
def test_a_manifest_with_something_else_in_it_is_told(out, key, wrong):
    path = out / "partyserver.json"
    manifest = json.loads(path.read_text())
    part = manifest if key in manifest else manifest["plan"]
    part[key] = wrong
    path.write_text(json.dumps(manifest))
    assert "is damaged" in told_of(out)
    del part[key]
    path.write_text(json.dumps(manifest))
    assert "is damaged" in told_of(out)


def test_a_manifest_of_something_else_that_knows_the_format_is_told(out):
    path = out / "partyserver.json"
    manifest = json.loads(path.read_text())
    for change in (lambda plan: plan.pop("name"), lambda plan: plan.update(more=1)):
        plan = {**manifest["plan"]}
        change(plan)
        content = {"plan": plan, "assets": manifest["assets"]}
        told = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        path.write_text(json.dumps({"format": 1, "sha256": told, **content}))
        assert "is damaged" in told_of(out)
