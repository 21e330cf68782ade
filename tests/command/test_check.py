"""`partyserver check` imports a worker without the runtime, or says what is wrong with it."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from textwrap import dedent

import partyserver
import pytest
from partyserver.command.worker import older_python

from .running import NODE_MODULES, ROOT, command, refused

WORKER = """\
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint


class Chat(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        self.broadcast(message)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
"""

CONFIG = 'main = "src/worker.py"\n'

needs_older = pytest.mark.skipif(sys.version_info >= (3, 14), reason="this is the runtime's Python")


@pytest.fixture
def project(tmp_path):
    """Writes files into a project, and runs the check in its folder."""

    def run(*arguments, files=(), cwd=".", **modules):
        write(tmp_path, {"wrangler.toml": CONFIG, "src/worker.py": WORKER})
        write(tmp_path, {f"src/{name}.py": text for name, text in modules.items()})
        write(tmp_path, dict(files))
        before = everything_in(tmp_path)
        done = command("check", *arguments, cwd=tmp_path / cwd)
        assert everything_in(tmp_path) == before
        return done

    return run


def write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(dedent(text))


def everything_in(folder):
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def passed(done):
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def vendored(**more):
    """The library in python_modules, where packages from elsewhere are not seen."""
    files = {f"python_modules/{name}": text for name, text in more.items()}
    return {"python_modules/partyserver/__init__.py": "", **files}


def test_a_good_worker_passes_in_one_line_and_nothing_is_written(project):
    assert passed(project()) == "src/worker.py can be imported\n"


def test_the_build_of_wrangler_is_silent(project, monkeypatch):
    monkeypatch.setenv("WRANGLER_COMMAND", "dev")
    assert passed(project()) == ""


def test_configs_are_found_as_wrangler_finds_them(project):
    other = {"other.py": "print('other')", "third.py": "print('third')"}
    jsonc = """\
        {
          // the "main" one, /* not this
          "url": "https://example.com/*", /* "main": "no.py", */
          "main": "other.py", // , }
        }
    """
    assert project(files={**other, "wrangler.jsonc": jsonc}).stderr == "other\n"
    in_json = {"wrangler.json": '{"main": "third.py"}'}
    assert project(files=in_json).stderr == "third\n"
    # Each name is looked for in all folders before the next name is.
    assert project(cwd="src", files={"src/wrangler.toml": CONFIG}).stderr == "third\n"
    assert passed(project("-c", "wrangler.toml")) == "src/worker.py can be imported\n"
    assert project("third.py").stderr == "third\n"


def test_an_environment_may_have_a_worker_of_its_own(project, monkeypatch):
    files = {
        "wrangler.toml": f'{CONFIG}env.live.main = "live.py"\nenv.same.name = "same"\n',
        "live.py": "print('live')",
    }
    ordinary = "src/worker.py can be imported\n"
    assert project("-e", "live", files=files).stderr == "live\n"
    assert passed(project("--env", "same", files=files)) == ordinary
    assert "has no environment 'none'" in refused(project("-e", "none", files=files))
    monkeypatch.setenv("CLOUDFLARE_ENV", "live")
    assert project(files=files).stderr == "live\n"
    assert passed(project("-e", "", files=files)) == ordinary
    # It may be that of another worker.
    assert passed(project(files={"wrangler.toml": CONFIG})) == ordinary


def test_a_build_command_that_runs_elsewhere_is_told_to_name_its_config(tmp_path):
    told = refused(command("check", cwd=tmp_path, WRANGLER_COMMAND="dev"))
    assert "name the config with -c, since wrangler runs build commands where it is started" in told


BOUND = """\
main = "src/worker.py"
durable_objects.bindings = [
    { name = "Chat", class_name = "Chat" },
    { name = "Other", class_name = "Other", script_name = "other" },
]
migrations = [{ tag = "v1", new_sqlite_classes = ["Chat"] }]
"""


def test_a_binding_for_a_class_that_the_worker_has_not_is_an_error(project):
    assert passed(project(files={"wrangler.toml": BOUND}))
    wrong = {"wrangler.toml": BOUND.replace('class_name = "Chat"', 'class_name = "Chatt"')}
    assert refused(project(files=wrong)) == (
        "error: the binding Chat in wrangler.toml is for the class Chatt, which src/worker.py has "
        "not: define it or import it there, or correct class_name\n"
    )
    assert passed(project("src/worker.py"))  # which asks no config


def test_wrangler_dev_goes_on_with_a_binding_that_is_wrong(project, monkeypatch):
    wrong = {"wrangler.toml": BOUND.replace('class_name = "Chat"', 'class_name = "Chatt"')}
    monkeypatch.setenv("WRANGLER_COMMAND", "deploy")
    assert "for the class Chatt" in refused(project(files=wrong))
    monkeypatch.setenv("WRANGLER_COMMAND", "dev")
    done = project(files=wrong)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("error: the binding Chat in wrangler.toml is for the class Chatt")


def test_a_bound_class_without_a_migration_is_warned_of(project):
    done = project(files={"wrangler.toml": BOUND.replace('["Chat"]', "[]")})
    assert (done.returncode, done.stdout) == (0, "src/worker.py can be imported\n")
    assert done.stderr == (
        "warning: the class Chat is in no migration, without which it cannot be deployed: add one "
        'to migrations in wrangler.toml, with the tag "v2" and new_sqlite_classes = ["Chat"]\n'
    )


LOSING = """\
from partyserver import Connection, Server
from partyserver.events import Event, Events, on


class Move(Event):
    x: int


class Scores:
    def on_connect(self, player, ctx):
        player.state["score"] += 1  # lost
        player.set_state({**player.state, "score": 1})
        seen = player.state["seen"]
        state = player.state
        state["score"] = 2
        player.set_state(state)

    def on_close(self, connection, code, reason, was_clean):
        del connection.state["a"]["b"]  # lost
        connection.state.get("items")
        for other in self.get_connections():
            other.state["items"].append([1, {"a": "a long value " * 4}])  # lost

    def helper(self, one: Connection, value, room):
        if value:
            one.state.update(value=value)  # lost
        room.state["n"] = 1


class Room(Scores, Events, Server):
    @on
    async def move(self, who, event: Move):
        who.state["x"] = 1  # lost


class NoRoom:
    def on_connect(self, socket, ctx):
        socket.state["n"] = 1
"""


def test_a_change_of_a_copy_of_the_state_is_warned_of(project, tmp_path):
    done = project(worker="from rooms import *\n", rooms=LOSING)
    assert (done.returncode, done.stdout) == (0, "src/worker.py can be imported\n")
    warned = [line.split(": ", 2) for line in done.stderr.splitlines()]
    assert all(kind == "warning" for kind, _, _ in warned)
    assert [place for _, place, _ in warned] == [
        f"src/rooms.py, line {number}"
        for number, line in enumerate(LOSING.splitlines(), 1)
        if line.endswith("# lost")
    ]
    told = dict(zip(["connect", "close", "loop"], (text for _, _, text in warned), strict=False))
    assert told["connect"] == (
        "`player.state['score'] += 1` is lost, since player.state is a copy: pass the changed "
        "value to player.set_state(...)"
    )
    assert "`del connection.state['a']['b']`" in told["close"]
    assert "`other.state['items'].append(...)` is lost" in told["loop"]


LOSING_AGENT = """\
from partyserver import Server, agents


class Counter(agents.Agent):
    initial_state = {"count": 0, "items": []}

    @agents.callable
    async def add(self):
        self.state["count"] += 1  # lost
        count = self.state["count"]
        with self.change() as state:
            state["count"] += 1
            state["items"].append(count)
        self.set_state({**self.state, "count": 1})
        for item in self.state["items"]:
            self.state["items"][0]["text"] = item  # lost

    def on_connect(self, connection, ctx):
        self.state["items"].append(1)  # lost
        connection.state["n"] = 1  # lost
        self.other.state["n"] = 1

    def on_start(this):
        this.state.update(count=1)  # lost

    @staticmethod
    def helper():
        ...


class Room(Server):
    def on_start(self):
        self.state = {}  # its own
        self.state["n"] = 1
"""


def test_so_is_one_of_an_agents(project):
    done = project(worker="from rooms import *\n", rooms=LOSING_AGENT)
    assert (done.returncode, done.stdout) == (0, "src/worker.py can be imported\n")
    warned = [line.split(": ", 2) for line in done.stderr.splitlines()]
    assert [place for _, place, _ in warned] == [
        f"src/rooms.py, line {number}"
        for number, line in enumerate(LOSING_AGENT.splitlines(), 1)
        if line.endswith("# lost")
    ]
    assert warned[0][2] == (
        "`self.state['count'] += 1` is lost, since self.state is a copy: change it by "
        "`with self.change() as state:`"
    )
    assert "`self.state['items'].append(...)` is lost" in warned[2][2]
    assert warned[3][2].endswith("connection.set_state(...)")


STREAMLESS = """from partyserver import agents


class A(agents.Agent):
    @agents.callable(streaming=True)
    def forgot(self, n: int): ...
"""


def test_a_callable_that_streams_without_its_stream_is_told(project):
    done = project(worker=STREAMLESS)
    assert done.returncode == 1
    assert (
        "A.forgot streams, and its first parameter n is an int: let it be the stream, "
        "def forgot(self, stream: agents.StreamingResponse, n)" in done.stderr
    )


@pytest.mark.parametrize(
    ("files", "arguments", "told"),
    [
        ({"wrangler.toml": ""}, [], 'wrangler.toml names no worker: main = "src/worker.py" is m'),
        ({"wrangler.toml": "main = 'a.js'"}, [], "main = 'a.js', which is not in Python"),
        ({"wrangler.toml": "main = 'a.py'"}, [], "main = 'a.py', and there is no file a.py"),
        ({"wrangler.toml": "main = "}, [], "wrangler.toml cannot be read: Invalid value"),
        ({"wrangler.json": "[]"}, [], "wrangler.json cannot be read: it is no object"),
        ({}, ["-c", "a.toml"], "a.toml cannot be read: No such file or directory"),
        ({}, ["a.py"], "there is no file a.py"),
        ({}, ["src"], "src is a folder: name the worker's main module"),
    ],
)
def test_what_is_wrong_with_the_config_is_told(project, files, arguments, told):
    shown = refused(project(*arguments, files=files))
    assert shown.startswith("partyserver: ")
    assert told in shown


def test_without_a_config_it_says_what_to_do(tmp_path):
    told = refused(command("check", cwd=tmp_path))
    assert "there is no wrangler.json, wrangler.jsonc or wrangler.toml in" in told
    assert "-c" in told
    assert "partyserver init NAME" in told


def test_an_error_shows_the_users_lines_only_and_first(project):
    done = project(
        worker=f"import rooms\n{WORKER}",
        rooms="import json\n\ndef parse(text):\n    return json.loads(text)\n\nparse('{')\n",
    )
    lines = refused(done).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    files = [line.strip() for line in lines if line.startswith("  File")]
    assert files == [
        'File "src/worker.py", line 1, in <module>',
        'File "src/rooms.py", line 6, in <module>',
        'File "src/rooms.py", line 4, in parse',
    ]
    assert lines[-3].startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert lines[-1] == "src/worker.py cannot be imported"


def test_what_the_library_refuses_is_an_error(project):
    told = refused(project(worker=WORKER.replace("on_message", "on_mesage")))
    assert told.splitlines()[1].startswith('  File "src/worker.py", line 5')
    assert "on_mesage" in told
    assert "partyserver/" not in told


def test_a_module_that_nobody_imports_may_be_broken_and_is_warned_of(project, tmp_path):
    files = {
        "src/rooms/__init__.py": "",
        "src/rooms/late.py": "def f(:\n",  # imported by nobody yet
        "src/other.py": "x = (\n",
        "src/.hidden/no.py": "(",
        "src/._no.py": b"\0",
        "src/node_modules/no.py": "(",
        "src/tool/pyvenv.cfg": "",
        "src/tool/lib/no.py": "(",
    }
    write(tmp_path, files)
    (tmp_path / "src" / ".#no.py").symlink_to("somebody@somewhere.123")  # Emacs', while one edits
    (tmp_path / "src" / "no.py").symlink_to("nowhere")
    done = project()
    newer = older_python(SyntaxError())
    assert (done.returncode, done.stdout) == (0, "src/worker.py can be imported\n")
    lines = done.stderr.splitlines()
    assert [line for line in lines if "File" in line or "warning" in line] == [
        '  File "src/other.py", line 1',
        "warning: src/other.py is no valid Python. The import of src/worker.py has not reached it,"
        f" so the check passes{newer}",
        '  File "src/rooms/late.py", line 1',
        "warning: src/rooms/late.py is no valid Python. The import of src/worker.py has not "
        f"reached it, so the check passes{newer}",
    ]
    assert not any("no.py" in line or "Traceback" in line for line in lines)
    told = refused(project(worker=f"import rooms.late\n{WORKER}"))
    assert 'File "src/rooms/late.py", line 1' in told
    assert "other.py" not in told


def test_a_config_may_begin_with_a_byte_order_mark(project):
    passed(project(files={"wrangler.toml": b"\xef\xbb\xbf" + CONFIG.encode()}))


def test_a_null_byte_is_an_error(project):
    null = {"src/a.py": b"a = 1\0"}
    assert "null bytes" in refused(project(worker=f"import a\n{WORKER}", files=null))
    assert "null bytes" in project(worker=WORKER, files=null).stderr


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("no_such_package", "no-such-package"),
        ("bs4.element", "beautifulsoup4"),
    ],
)
def test_a_package_that_is_nowhere_is_told_with_what_to_do(project, name, package):
    root = name.partition(".")[0]
    told = refused(project(worker=f"import {name}\n{WORKER}", files=vendored()))
    assert told.splitlines()[-1] == (
        f"src/worker.py cannot be imported: there is no module {root}. If it is a package, "
        f"run `uv add {package}`, unless pyproject.toml lists it, and `uv run pywrangler sync`"
    )


def test_an_extra_is_told_as_a_shell_takes_it(project):
    told = refused(project(worker=f"import cronsim\n{WORKER}", files=vendored()))
    assert '`uv add "partyserver[schedule]"`' in told


def test_a_package_for_this_python_alone_is_missing_as_in_the_runtime(project):
    worker = f"import httpx\n{WORKER}"
    assert passed(project(worker=worker))  # nothing is vendored yet
    told = refused(project(worker=worker, files=vendored()))
    assert "httpx is installed for this Python, and python_modules has none for the runtime" in told
    assert "`uv run pywrangler sync`" in told
    guarded = f"try:\n    import httpx\nexcept ImportError:\n    httpx = None\n{worker[13:]}"
    assert passed(project(worker=guarded))
    assert passed(project(worker=worker, files={"python_modules/httpx/__init__.py": ""}))


@pytest.mark.parametrize("name", ["pwd", "curses.ascii", "tkinter", "imp", "resource"])
def test_what_pythons_have_and_workers_have_not_is_missing(project, name):
    root = name.partition(".")[0]
    told = refused(project(worker=f"import {name}\n{WORKER}"))
    assert f"ModuleNotFoundError: No module named '{root}'" in told
    assert told.splitlines()[-1] == (
        f"src/worker.py cannot be imported: Workers have no {root}, though it belongs to some "
        "Python: do without it"
    )
    guarded = f"import sys\nif sys.platform != 'emscripten':\n    import shutil, pwd\n{WORKER}"
    assert passed(project(worker=guarded))
    files = {f"python_modules/{root}/{file}.py": "" for file in ("__init__", "ascii")}
    assert passed(project(worker=f"import {name}\n{WORKER}", files=files))


def test_what_other_modules_of_pythons_need_is_there(project):
    worker = f"import pathlib, shutil, subprocess, tarfile\n{WORKER}"
    assert passed(project(worker=worker))
    assert passed(project(worker=f"import introspection, micropip\n{WORKER}"))


def test_packages_are_those_beside_the_config(project):
    above = {"python_modules/above/__init__.py": "", "python_modules/partyserver/__init__.py": ""}
    files = {**above, "app/wrangler.toml": CONFIG, "app/src/worker.py": f"import above\n{WORKER}"}
    assert "there is no module above" in refused(project(cwd="app", files=files))
    # Without word of a config, the nearest.
    assert passed(project("app/src/worker.py"))
    own = {"app/python_modules/own/__init__.py": ""}
    assert "there is no module above" in refused(project("app/src/worker.py", files=own))


def test_modules_that_are_imported_where_they_are_used_are_no_matter(project):
    worker = WORKER.replace("self.broadcast(message)", "import no_such_package")
    assert passed(project(worker=worker))


BUILD = "cpython-314-wasm32-emscripten.so"


def test_packages_for_the_runtime_only_are_stood_in_for(project):
    files = vendored(
        **{
            "plain/__init__.py": "VALUE = 7\n",
            "compiled/__init__.py": "from ._core import Number, count\nTEN = count() + 10\n",
            f"compiled/_core.{BUILD}": b"\0asm",
            "stable/__init__.py": "from . import _rust\n",
            "stable/_rust.abi3.so": b"\0asm",
            f"alone.{BUILD}": b"\0asm",
            "picky/__init__.py": "from compiled import count\n",
            "picky/deep.py": "import compiled._core\n[][compiled._core.count()]\n",
            "picky/tools.py": "def f(): return 1\n",
        }
    )
    worker = """
        import alone, stable
        from compiled import Number, TEN
        from picky.deep import Model, field
        from picky.tools import f
        from plain import VALUE
        assert VALUE == 7 and f() == 1
        class Own(Model):
            size: Number | None = field(max=10)
        @alone.register("x", more=[1])
        def handler(value: Own) -> Number: ...
        if alone.__version__ < "2" and TEN >= 3: pass
    """
    assert passed(project(worker=dedent(worker) + WORKER, files=files))


def test_what_only_the_runtime_knows_has_no_value_and_is_no_fault(project):
    worker = f"""\
from js import Object
from workers import env
import pyodide_js
LIMIT = int(env.LIMIT) * 2
NAME = env.NAME.strip() + "!"
class Mine(Object): ...
{WORKER}"""
    assert passed(project(worker=worker))
    doubtful = worker.replace("int(env.LIMIT)", "__import__('json').loads(env.LIMIT)")
    done = project(worker=doubtful)
    assert done.returncode == 0
    assert done.stderr.startswith("Traceback")
    assert 'File "src/worker.py", line 4' in done.stderr
    assert "so the check passes" in done.stderr
    # What is a fault all the same.
    assert "NameError" in refused(project(worker=doubtful.replace("env.LIMIT", "enf.LIMIT")))


@pytest.mark.parametrize(
    "lines",
    [
        "if env.MODE not in ('dev', 'prod'): MODE = 'none'\nraise ValueError('no such mode')",
        "if not env.MODE == 'dev': raise ValueError('no such mode')\nassert 0",
        "LIMIT = int(env.LIMIT)\nPERIOD = 60 / LIMIT",
        "SECRET = str(env.SECRET)\nif len(SECRET) < 99:\n    raise RuntimeError('too short')",
        "KEYS = dict(p.split('=') for p in env.KEYS.split(','))\nADMIN = KEYS['admin']",
        "if env.DEBUG:\n    raise RuntimeError('not here')",
    ],
)
def test_what_comes_of_an_unknown_value_later_is_no_fault_either(project, lines):
    done = project(worker=f"from workers import env\n{lines}\n{WORKER}")
    assert (done.returncode, "so the check passes" in done.stderr) == (0, True)


def test_what_the_library_asks_of_unknown_values_excuses_no_fault(project):
    told = refused(project(worker=f"from workers import env\nNAME = env.NAME\n{WORKER}\n1 / 0"))
    assert "ZeroDivisionError" in told


def test_what_the_worker_prints_does_not_go_to_stdout(project):
    done = project(worker=f"print('hello')\n{WORKER}")
    assert (done.returncode, done.stderr) == (0, "hello\n")


def test_an_exit_is_an_error(project):
    assert "SystemExit: bye" in refused(project(worker="import sys\nsys.exit('bye')\n"))


NEWER = """\
from string.templatelib import Template


class Room:
    def others(self) -> list[Later]:
        try:
            return rows(t"select {self.name} from room", rt'a{1}\\d')
        except ValueError, TypeError:
            return []


def rows(*templates: Template): ...


class Later: ...
"""


@needs_older
def test_the_runtimes_python_may_be_newer_than_this(project):
    worker = f"import rooms\n{WORKER}"
    assert passed(project(worker=worker, rooms=NEWER))
    told = refused(project(worker=worker, rooms=NEWER.replace("Later: ...", "Latter: ...(")))
    assert "SyntaxError" in told
    assert "Workers run in Python 3.14, and this is 3." in told
    told = refused(project(worker=worker, rooms=f"{NEWER}\nLatter()\n"))
    assert "NameError: name 'Latter' is not defined" in told


@needs_older
@pytest.mark.parametrize(
    "line",
    [
        "from uuid import uuid7",
        "import uuid\nuuid.uuid7()",
        "import datetime\ndatetime.date.strptime('2026', '%Y')",
        "from concurrent.interpreters import create",
    ],
)
def test_names_that_a_newer_python_has_are_no_fault(project, line):
    done = project(worker=f"{line}\n{WORKER}")
    assert (done.returncode, done.stdout) == (0, "")
    assert "the name may be new in 3.14, in which workers run (run the command with 3.14 to" in (
        done.stderr
    )


@needs_older
@pytest.mark.parametrize("line", ["from rooms import uuid7", "import rooms\nrooms.a", "''.a"])
def test_names_that_are_not_pythons_are_a_fault_in_each(project, line):
    assert "Error: " in refused(project(worker=f"{line}\n{WORKER}", rooms=""))


def test_a_worker_in_the_root_leaves_the_environment_alone(project):
    files = {
        "wrangler.toml": 'main = "worker.py"',
        "worker.py": WORKER,
        "env/pyvenv.cfg": "",
        "env/lib/no.py": "(",
    }
    assert passed(project(files=files)) == "worker.py can be imported\n"


def test_the_fixtures_pass():
    for path in [ROOT / "wrangler.toml", *sorted((ROOT / "fixtures").glob("*/wrangler.toml"))]:
        passed(command("check", "-c", path))


def test_the_testing_kit_tells_itself_what_is_wrong_with_a_worker(tmp_path):
    build = f'[build]\ncommand = "{sys.executable} -m partyserver check"\n'
    flags = 'compatibility_date = "2026-11-17"\ncompatibility_flags = ["python_workers"]\n'
    bundle = ROOT / ".cache" / "pyodide-bundle-compiled"
    write(
        tmp_path,
        {
            "wrangler.toml": f'name = "broken"\n{CONFIG}{flags}{build}',
            "src/worker.py": f"{WORKER}\nfail\n",
            "test_it.py": "def test_it(party): ...\n",
            "pytest.ini": f"[pytest]\nparty_pyodide_bundle = {bundle}\n",
        },
    )
    shutil.copytree(ROOT / "tests" / "worker" / "python_modules", tmp_path / "python_modules")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest"], cwd=tmp_path, capture_output=True, text=True, timeout=600
    )
    assert "NameError: name 'fail' is not defined" in done.stdout
    assert "build" not in done.stdout


@pytest.mark.alone
def test_it_takes_less_than_half_a_second(project):
    def seconds():
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        passed(project())
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return sum(after[:2]) - sum(before[:2])

    assert min(seconds() for _ in range(4)) < 0.5


def test_it_is_told_by_the_command():
    assert "check" in command("--help").stdout
    told = " ".join(command("check", "--help").stdout.split())
    assert "build command of a wrangler config" in told
    assert partyserver.__version__ in command("--version").stdout
