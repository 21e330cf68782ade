"""`partyserver doctor` looks at a project as it lies on the disk."""

from __future__ import annotations

import json
import os
import shutil
import sys

import partyserver
import pytest

from .running import NODE_MODULES, ROOT, command, refused
from .test_check import WORKER, write

CONFIG = """\
name = "my-app"
main = "src/worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]
build.command = "partyserver check"

[[durable_objects.bindings]]
name = "Chat"
class_name = "Chat"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["Chat"]

[env.bare]
name = "bare"
"""


@pytest.fixture
def project(tmp_path):
    write(
        tmp_path,
        {
            "wrangler.toml": CONFIG,
            "src/worker.py": WORKER,
            "python_modules/workers/__init__.py": "",
            "python_modules/workers_runtime_sdk-1.9.5.dist-info/METADATA": "",
            "pyproject.toml": '[project]\ndependencies = ["partyserver[events]>=0.1"]\n',
        },
    )
    shutil.copytree(
        ROOT / "src" / "partyserver",
        tmp_path / "python_modules" / "partyserver",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    return tmp_path


def errors(done):
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert done.returncode == (1 if any(line.startswith("error: ") for line in lines) else 0)
    return [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]


def test_a_good_project_is_told_so_in_a_line(project):
    done = command("doctor", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    assert line.startswith("Nothing would fail: Node.js ")
    wrangler = json.loads((NODE_MODULES / "wrangler/package.json").read_text())["version"]
    assert f"wrangler {wrangler}, rooms of Chat, an upload of " in line


def test_a_worker_in_the_root_would_upload_the_environment(project):
    (project / "src" / "worker.py").rename(project / "worker.py")
    (project / "wrangler.toml").write_text(CONFIG.replace("src/", ""))
    write(project, {".venv/pyvenv.cfg": "", ".venv/lib/python3.14/site-packages/a/b.py": "x = 1"})
    (project / "node_modules").unlink()
    write(project, {"node_modules/a/b.html": "", "node_modules/a/c.js": ""})
    found = errors(command("doctor", cwd=project))
    [one] = [error for error in found if "would upload" in error]
    assert ".venv (1 modules) and node_modules (1 modules) included" in one
    assert 'move worker.py into a folder of its own, and set main = "src/worker.py"' in one


def test_classes_are_those_of_the_worker(project):
    write(
        project,
        {
            "src/rooms.py": "from partyserver import Server\nclass Imported(Server): ...\n",
            "src/worker.py": WORKER
            + """
from rooms import Imported
class Base(Server): ...
class Poll(Base): ...
Alias = Chat
""",
        },
    )
    found = errors(command("doctor", cwd=project))
    told = [error.partition(",")[0] for error in found]
    assert told == [
        "the class Imported of src/worker.py has no binding",
        "the class Poll of src/worker.py has no binding",
        "the class Imported is in no migration",
        "the class Poll is in no migration",
    ]


def test_bases_and_other_names_are_no_classes_of_their_own(project):
    write(
        project,
        {
            "src/rooms.py": """
                from abc import abstractmethod
                from typing import Generic, TypeVar
                from partyserver import Server

                T = TypeVar("T")

                class Base(Server): ...
                class Poll(Base): ...
                class Open(Server):
                    @abstractmethod
                    def question(self): ...
                class Of(Server, Generic[T]): ...
                class Whole(Open):
                    def question(self): ...
                """,
            "src/worker.py": WORKER.replace("class Chat(", "class Talk(")
            + "\nfrom rooms import Base, Of, Open, Whole as Complete\nclass _Own(Server): ...\n"
            + "Chat = Other = Talk\ndel Talk\nTalk = Chat\n",
        },
    )
    told = [error.partition(",")[0] for error in errors(command("doctor", cwd=project))]
    assert told == [
        "the class Complete of src/worker.py has no binding",
        "the class Complete is in no migration",
    ]


def test_objects_that_are_no_rooms_are_seen(project):
    plain = "\nfrom workers import DurableObject\nclass Plain(DurableObject): ...\n"
    write(project, {"src/worker.py": WORKER + plain})
    binding, migration = errors(command("doctor", cwd=project))
    assert "the class Plain of src/worker.py has no binding, so that nobody gets to it" in binding
    assert "the class Plain is in no migration" in migration


def test_a_worker_that_may_run_elsewhere_is_a_note(project):
    lines = "from workers import env\nimport json\njson.loads(env.LIMIT)\n"
    write(project, {"src/worker.py": lines + WORKER})
    done = command("doctor", cwd=project)
    assert errors(done) == []
    note, good = done.stdout.splitlines()
    assert note.startswith("note: src/worker.py fails here, and may not in the runtime")
    assert "`partyserver check` shows where" in note
    assert "rooms of classes that are not known" in good


def test_rooms_that_need_sqlite_must_have_it(project):
    config = CONFIG.replace("new_sqlite_classes", "new_classes")
    (project / "wrangler.toml").write_text(config)
    done = command("doctor", cwd=project)
    assert errors(done) == []
    note, good = done.stdout.splitlines()
    assert note.startswith("note: the class Chat is among new_classes")
    assert good.startswith("Nothing found that would fail: Node.js ")
    head = "class Chat(Server):"

    def made_with(module, name):
        derived = WORKER.replace(head, f"class Chat({name}, Server):")
        return f"from partyserver.{module} import {name}\n{derived}"

    for worker, needs in [
        (WORKER.replace("self.broadcast(message)", "self.sql('select 1')"), "self.sql needs"),
        (WORKER.replace(head, f"{head}\n    migrations = ['create table a (b)']"), "its migr"),
        (made_with("history", "History"), "History needs"),
        (made_with("schedule", "Schedule"), "Schedule needs"),
        (made_with("yjs", "YMixin"), "YMixin needs"),
    ]:
        (project / "src" / "worker.py").write_text(worker)
        [error] = errors(command("doctor", cwd=project))
        assert f"has no SQLite, which {needs}" in error


def test_a_package_that_is_missing_is_told_with_what_to_do(project):
    write(project, {"src/worker.py": f"import requests_of_others\n{WORKER}"})
    [error] = errors(command("doctor", cwd=project))
    assert error == (
        "src/worker.py cannot be imported (ModuleNotFoundError: No module named "
        "'requests_of_others'): there is no module requests_of_others. If it is a package, run "
        "`uv add requests-of-others`, unless pyproject.toml lists it, and `uv run pywrangler sync`"
    )


def test_bindings_are_not_inherited_by_an_environment(project):
    [error] = errors(command("doctor", "--env", "bare", cwd=project))
    assert "the class Chat of src/worker.py has no binding" in error
    told = refused(command("doctor", "--env", "none", cwd=project))
    assert told == "partyserver: wrangler.toml has no environment 'none'\n"


def test_a_worker_that_cannot_be_imported_is_an_error_in_one_line(project):
    write(project, {"src/worker.py": f"{WORKER}\nfail\n"})
    [error] = errors(command("doctor", "-c", "wrangler.toml", cwd=project))
    assert error == (
        "src/worker.py cannot be imported (NameError: name 'fail' is not defined): "
        "`partyserver check` shows where"
    )
    (project / "src" / "worker.py").unlink()
    [error] = errors(command("doctor", cwd=project))
    assert "there is no file src/worker.py" in error


def test_what_is_vendored_is_looked_at(project):
    library = project / "python_modules" / "partyserver" / "__init__.py"
    version = f'__version__ = "{partyserver.__version__}"'
    library.write_text(library.read_text().replace(version, '__version__ = "0.0.1"'))
    packages = project / ".venv" / "lib" / "python3.14" / "site-packages"
    shutil.copytree(ROOT / "src" / "partyserver", packages / "partyserver")
    write(
        project,
        {
            ".venv/pyvenv.cfg": "",
            "pyproject.toml": '[project]\ndependencies = ["partyserver", "Fast.API>1"]\n',
            "python_modules/numpy/core.cpython-314-x86_64-linux-gnu.so": "",
            "requirements.txt": "",
        },
    )
    found = errors(command("doctor", cwd=project))
    assert [error.partition(" ")[0] for error in found] == [
        "requirements.txt",
        "fast-api",
        "partyserver",
        "numpy",
    ]
    assert (
        f"is 0.0.1 in python_modules/, and {partyserver.__version__} in the project's" in found[2]
    )
    shutil.rmtree(project / "python_modules")
    found = errors(command("doctor", cwd=project))
    assert "there is no python_modules/ beside wrangler.toml" in found[-1]


def test_tools_that_are_missing_or_old_are_told(project):
    (project / "node_modules").unlink()
    old = project / "old"
    write(old, {"node": "#!/bin/sh\necho v20.19.0\n"})
    (old / "node").chmod(0o755)
    write(project, {"node_modules/wrangler/package.json": '{"version": "4.100.0"}'})
    python = os.path.dirname(sys.executable)
    path = os.pathsep.join([str(old), python, "/usr/bin", "/bin"])
    node, wrangler = errors(command("doctor", cwd=project, PATH=path))
    assert "Node.js is 20.19.0, and too old" in node
    assert "wrangler is 4.100.0" in wrangler


def test_a_config_is_needed(tmp_path):
    assert "there is no wrangler.json, wrangler.jsonc" in refused(command("doctor", cwd=tmp_path))


def test_it_sees_what_wrangler_would_upload(project, tmp_path_factory, wrangler):
    write(
        project,
        {
            "src/rooms/a.py": "",
            "src/page.html": "<p>",
            "src/notes.md": "",
            "src/.hidden/b.py": "",
            "src/x.bin": b"1",
            "python_modules/partyserver/__pycache__/a.cpython-314.pyc": b"",
            "python_modules/data.json": "{}",
            "python_modules/left/out.py": "",
        },
    )
    with (project / "wrangler.toml").open("a") as file:
        file.write('\n[python_modules]\nexclude = ["**/*.pyc", "left/**"]\n')
    out = tmp_path_factory.mktemp("out")
    wrangler("deploy", "--dry-run", "--outdir", out, cwd=project)
    uploaded = [path for path in out.rglob("*") if path.is_file() and path != out / "README.md"]
    line = command("doctor", cwd=project).stdout.splitlines()[-1]
    assert f"an upload of {len(uploaded)} modules, " in line, sorted(uploaded)
