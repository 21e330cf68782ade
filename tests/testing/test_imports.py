"""Imports that would fail are told before the runtime is started, and no others are."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from partyserver.project.packages import MISSING
from partyserver.testing.imports import Bundle, hint, why_no_class, why_no_import

from .conftest import Project


def bundle(folder: Path, vendored: tuple[str, ...] = ("partyserver", "workers"), **files: str):
    """`package__module` stands for package/module.py."""
    names = set()
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        names.add(path.relative_to(folder).as_posix())
    modules = folder / "python_modules"
    return Bundle(folder, "worker.py", frozenset(names), frozenset(vendored), modules)


@pytest.mark.parametrize(
    "text",
    [
        "import json, os.path\nfrom string.templatelib import Template\nimport annotationlib\n",
        "import js, pyodide.ffi, _pyodide_entrypoint_helper\nfrom workers import Response\n",
        "from partyserver import Server\nimport partyserver.events\n",
        "try:\n    import missing\nexcept ImportError:\n    pass\n",
        "if TYPE_CHECKING:\n    import missing\n",
        "def hook():\n    import missing\n",
        "'''\nimport missing\n'''\n",
        "import missing.\n",
        "from . import missing\nfrom .. import missing\n",
        "import data\n",
        "import sys\nsys.path.append('lib')\nimport missing\n",
        "from sys import modules\nimport missing\n",
        "import importer\nimport missing\n",  # whose finder may know it
    ],
    ids=lambda text: text.partition("\n")[0][:40] or "docstring",
)
def test_what_may_be_found_is_not_told(tmp_path: Path, text: str) -> None:
    found = bundle(
        tmp_path, worker=text, data__rows="", importer="import sys\nsys.meta_path += []\n"
    )
    assert why_no_import(found) is None


@pytest.mark.parametrize("text", ["import missing", "import missing.part", "from missing import x"])
def test_what_is_nowhere_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    said = why_no_import(bundle(tmp_path, worker=f"import json\n\n{text} # why\n"))
    assert re.match(r"the worker imports missing(\.part)? \(worker\.py, line 3\), but ", said or "")


def test_modules_of_the_worker_are_followed_in_their_order(tmp_path: Path) -> None:
    rooms = bundle(
        tmp_path,
        worker="import helpers\nfrom rooms import chat\nimport late\n",
        helpers="import worker\n",
        rooms____init__="from . import limits\n",
        rooms__limits="",
        rooms__chat="import json\nimport missing\n",
        unused="import another\n",
    )
    said = why_no_import(rooms)
    assert said is not None
    assert said.startswith("the worker imports missing (rooms/chat.py, line 2), but ")


def test_a_module_that_cannot_be_read_is_left_to_the_runtime(tmp_path: Path) -> None:
    assert why_no_import(bundle(tmp_path, worker="import missing\nthis is no Python\n")) is None


@pytest.mark.parametrize(
    "text",
    [
        "class Chat: pass",
        "from rooms import Chat",
        "from rooms import Room as Chat",
        "Chat = make()",
        "if True:\n    class Chat: pass",
        "from rooms import *",
        "globals()['Chat'] = make()",
        "class Chat(:",
    ],
)
def test_a_class_that_may_be_there_is_not_missed(tmp_path: Path, text: str) -> None:
    rooms = bundle(tmp_path, worker=text, rooms="")
    assert why_no_class(replace(rooms, classes=(("CHAT", "Chat"),))) is None


def test_a_class_that_the_config_names_and_nobody_has(tmp_path: Path) -> None:
    chat = bundle(tmp_path, worker="class Chat: pass\nclass Default: pass\n")
    assert why_no_class(replace(chat, classes=(("CHAT", "Chatt"),))) == (
        "the wrangler config binds CHAT to the class Chatt, which worker.py neither has nor "
        "imports (its classes: Chat, Default): mend class_name there, and in the migrations"
    )


def test_the_classes_that_there_are_include_imported_ones(tmp_path: Path) -> None:
    worker = """\
from partyserver import Server
from rooms import Chat, Counter as Clicks, helper, LIMIT
from rooms.board import Board
from workers import WorkerEntrypoint

class Default(WorkerEntrypoint): ...
"""
    found = bundle(tmp_path, worker=worker, rooms____init__="", rooms__board="")
    said = why_no_class(replace(found, classes=(("CHAT", "Chatt"),)))
    assert said is not None
    assert "(its classes: Chat, Clicks, Board, Default)" in said


def test_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    chat = bundle(tmp_path, (), worker="from partyserver import Server\n")
    said = why_no_import(chat)
    assert said is not None
    assert said.startswith(
        "the worker imports partyserver (worker.py, line 1), but nothing is vendored: there is no "
        f"{chat.python_modules}."
    )
    assert "run `uv run pywrangler sync`" in said
    chat.python_modules.mkdir()
    said = why_no_import(chat)
    assert said is not None
    assert f"neither a module of the worker nor vendored in {chat.python_modules}" in said
    assert "(`uv add partyserver`) and run `uv run pywrangler sync`" in said


def test_what_pythons_have_and_workers_have_not_is_told(tmp_path: Path) -> None:
    said = why_no_import(bundle(tmp_path, worker="import pwd\n"))
    told = "Workers have no pwd, though it belongs to some Python: do without it"
    assert said == f"the worker imports pwd (worker.py, line 1), but {told}"
    trace = "Traceback (most recent call last):\nModuleNotFoundError: No module named 'pwd'\n"
    assert hint(trace, tmp_path).endswith(told)
    assert why_no_import(bundle(tmp_path, ("pwd",), worker="import pwd\n")) is None


def test_the_runtime_has_no_others(project: Project) -> None:
    project.write(
        worker=f"""\
import sys
from workers import DurableObject, Response, WorkerEntrypoint

class EchoRoom(DurableObject): ...

class MemoryRoom(DurableObject): ...

class Default(WorkerEntrypoint):
    def fetch(self, request):
        missing = []
        for name in {sorted(MISSING)} + sorted(sys.stdlib_module_names):
            if not name.startswith("_") and name not in ("antigravity", "test", "this"):
                try:
                    __import__(name)
                except ImportError:
                    missing.append(name)
        return Response(",".join(dict.fromkeys(missing)))
""",
        test_it=f"""\
def test_it(party):
    assert set(party.fetch("/").text.split(",")) == {MISSING}
""",
    )
    done = project.run("-q")
    assert done.returncode == 0, done.stdout


def test_a_traceback_has_a_hint_where_a_module_is_missing(tmp_path: Path) -> None:
    trace = "Traceback (most recent call last):\n  ...\n{}: {}\n"
    missing = trace.format("ModuleNotFoundError", "No module named 'msgspec.json'")
    assert "\n\nmsgspec: nothing is vendored: there is no " in hint(missing, tmp_path / "nowhere")
    assert '(`uv add "partyserver[events]"`) and run' in hint(missing, tmp_path)
    assert hint(trace.format("ValueError", "No module named 'x'"), tmp_path) == ""
