"""`partyserver types` prints TypeScript for a worker's rooms, or says what is wrong.

Of its agents: test_types_agents.py.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import partyserver
import pytest

from .running import NODE_MODULES, command, refused

CHAT = '''
from typing import ClassVar

from partyserver import Server, route_partykit_request
from partyserver.events import Event, Events, on
from workers import Response, WorkerEntrypoint


class Say(Event):
    """Something for all."""

    text: str
    loud: bool = False


class Said(Say, tag="said"):
    id: str = ""


class Base(Events, Server):
    """Has no events of its own."""


class Chat(Base):
    options = {"hibernate": True}
    sends: ClassVar = (Said, Say)

    @on
    def say(self, connection, event: Say): ...


class Plain(Server): ...


Alias = Chat


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
'''

TYPESCRIPT = """\
/* Made by `partyserver types src/worker.py`. Make it again when the worker's events change. */

/** What a client of `Chat` may send. */
export type ChatClientMessage = Say;

/** What a client of `Chat` gets. */
export type ChatServerMessage = Said | SayReceived | ErrorFrame;

/** Something for all. */
export interface Say {
  type: "say";
  text: string;
  /** @default false */
  loud?: boolean;
}

export interface Said {
  type: "said";
  text: string;
  loud: boolean;
  id: string;
}

/** Something for all. */
export interface SayReceived {
  type: "say";
  text: string;
  loud: boolean;
}

/** What is wrong with what the client has sent, or what the room has to say of it. */
export interface ErrorFrame {
  type: "error";
  error: string;
  event?: string;
  code?: string | number;
}
"""


@pytest.fixture
def project(tmp_path):
    """Writes a project's modules, and runs the command in its folder."""

    def run(*arguments, worker=CHAT, **modules):
        (tmp_path / "src").mkdir(exist_ok=True)
        for name, text in {"worker": worker, **modules}.items():
            (tmp_path / "src" / f"{name}.py").write_text(dedent(text))
        return command("types", "src/worker.py", *arguments, cwd=tmp_path)

    return run


def test_it_prints_what_clients_send_and_get(project):
    done = project()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == TYPESCRIPT


def test_what_the_worker_prints_is_not_among_it(project):
    done = project(worker=CHAT + "\nprint('hello')\n")
    assert (done.stdout, done.stderr) == (TYPESCRIPT, "hello\n")
    logging = "import logging\nfrom partyserver import logs\nlogs.enable()\nlogging.info('logged')"
    done = project(worker=f"{CHAT}\n{logging}\n")
    assert (done.stdout, done.stderr) == (TYPESCRIPT, "logged\n")


def test_it_writes_a_file_and_leaves_it_alone_if_something_is_wrong(project, tmp_path):
    assert project("--output", "events.ts").stdout == ""
    assert (tmp_path / "events.ts").read_text() == TYPESCRIPT
    refused(project("--output", "events.ts", worker="fail"))
    assert (tmp_path / "events.ts").read_text() == TYPESCRIPT
    assert refused(project("-o", "no/events.ts")) == (
        "partyserver: no/events.ts cannot be written: there is no folder no\n"
    )


def test_classes_can_be_named(project):
    assert project("Chat").stdout == TYPESCRIPT
    base = project("Base").stdout
    assert "export type BaseClientMessage = never;" in base
    assert "export type BaseServerMessage = ErrorFrame;" in base
    known = "the agents and classes with Events in worker.py are: Base, Chat, Alias\n"
    assert refused(project("Game")) == f"partyserver: Game is not in worker.py; {known}"
    assert refused(project("Plain")) == f"partyserver: Plain is no agent and has no Events; {known}"


def test_a_worker_without_events_is_told_so(project):
    assert refused(project(worker="from partyserver import Server\nclass Chat(Server): ...")) == (
        "partyserver: no class in worker.py is an agent or has Events: "
        "class Chat(agents.Agent), or class Chat(Events, Server)\n"
    )
    nothing = """
        from partyserver import Server
        from partyserver.events import Events
        class Chat(Events, Server): ...
    """
    assert "there is neither @on nor sends, no @agents.callable" in refused(project(worker=nothing))


def test_modules_of_the_worker_and_of_python_modules_are_imported(project, tmp_path):
    folder = tmp_path / "python_modules"
    folder.mkdir()
    (folder / "vendored.py").write_text("from partyserver.events import Event\n")
    done = project(
        worker="from rooms import *\nimport types\nassert types.__file__ != __file__\n",
        rooms="from vendored import Event as _\n" + CHAT,
    )
    assert (done.stdout, done.stderr) == (TYPESCRIPT, "")


def test_modules_of_the_runtime_have_stand_ins(project):
    done = project(
        worker=CHAT
        + """
from js import Object, WebSocketPair, console
from pyodide.ffi import JsException, JsProxy, create_proxy, jsnull, to_js
from pyodide.http import pyfetch
import _pyodide_entrypoint_helper, js, pyodide
from workers import env, fetch, wait_until
from workers.workflows import NonRetryableError

class Own(JsProxy, metaclass=type(JsProxy)): ...
def annotated(proxy: JsProxy | None, more: "JsProxy[int]") -> JsProxy["a"]: ...
try:
    raise JsException("thrown")
except JsException as error:
    assert str(error) == "thrown"

made = Object.new(a=1)
assert list(made) == list(Object.keys(made)) == [] and made.a.b.c() is not None
assert made["a"] is made and not hasattr(made, "__len__") and not hasattr(js, "__all__")
assert console.log is console.log and not issubclass(Object, Exception)
create_proxy(lambda: None).destroy()
handlers = [to_js({}), env.BINDING]
"""
    )
    assert (done.stdout, done.stderr) == (TYPESCRIPT, "")


def test_the_frames_of_other_mixins_are_among_what_clients_get(project):
    with_others = CHAT.replace("(Events, Server)", "(Presence, History, Events, Server)").replace(
        "from workers",
        "from partyserver.history import History\n"
        "from partyserver.presence import Presence\n"
        "from workers",
    )
    text = project(worker=with_others).stdout
    members = ["Said", "SayReceived", "ErrorFrame", "HistoryEvent", "HistoryGap"]
    members += ["PresenceState", "PresenceDiff"]
    lines = "".join(f"\n  | {member}" for member in members)
    assert f"export type ChatServerMessage ={lines};\n" in text
    assert 'type: "presence_diff";\n  joins: { [key: string]: unknown[] };\n' in text
    reserved = with_others.replace('tag="said"', 'tag="event"')
    told = "Chat.sends: Said is of the type 'event', which is that of history"
    assert told in refused(project(worker=reserved))


@pytest.mark.parametrize(
    ("worker", "told"),
    [
        (
            "def f():\n    fail\nf()",
            ["line 3, in <module>", "NameError: name 'fail' is not defined"],
        ),
        ("import sys\nsys.exit('bye')", ["SystemExit: bye"]),
        (
            "import no_such_module",
            ["there is no module no_such_module. If it is a package, run `uv add no-such-module`"],
        ),
        ("class A:\n  def", ["worker.py", "line 2", "SyntaxError: invalid syntax"]),
        (
            CHAT.replace("event: Say", "event: str"),
            ["TypeError: Chat.say: @on takes the event", "class Chat(Base):"],
        ),
    ],
    ids=["a name", "exit", "a module", "syntax", "an event"],
)
def test_the_failure_of_a_worker_is_shown_from_its_own_module_on(project, worker, told):
    shown = refused(project(worker=worker))
    assert all(text in shown for text in told), shown
    assert "worker.py cannot be imported" in shown.splitlines()[-1]
    assert "partyserver/command" not in shown
    if sys.version_info < (3, 14):
        hint = "Workers run in Python 3.14, and this is 3."
        assert (hint in shown) is ("SyntaxError" in shown)


def test_what_is_no_worker_is_told(tmp_path):
    (tmp_path / "worker.js").write_text("")
    for path, told in [
        ("none.py", "there is no file none.py"),
        (".", ". is a folder: name the worker's main module, as in src/worker.py"),
        ("worker.js", "worker.js is no module of Python"),
    ]:
        assert refused(command("types", path, cwd=tmp_path)) == f"partyserver: {told}\n"


def test_without_msgspec_it_says_what_to_install(project, tmp_path):
    (tmp_path / "msgspec.py").write_text("raise ModuleNotFoundError('no', name='msgspec')")
    (tmp_path / "worker.py").write_text("")
    done = command("types", "worker.py", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    told = refused(done)
    assert told.startswith("partyserver: types needs msgspec, which reads the worker's types: ")
    assert 'where the command runs, as by `uv add "partyserver[events]"`. A worker needs' in told
    # Only where it is needed.
    assert command("--version", PYTHONPATH=str(tmp_path)).returncode == 0


def test_the_command_tells_what_it_can_do():
    assert command("--version").stdout == f"partyserver {partyserver.__version__}\n"
    assert "types" in command("--help").stdout
    assert "src/worker.py" in command("types", "--help").stdout
    none = command()
    assert (none.returncode, none.stdout) == (2, "")
    assert "the following arguments are required: COMMAND" in none.stderr


def test_it_is_installed_as_a_script():
    script = Path(sys.executable).with_name("partyserver")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, timeout=600)
    assert done.stdout == f"partyserver {partyserver.__version__}\n"


ALL = '''
import dataclasses, datetime, decimal, enum, uuid
from typing import *
from msgspec import Meta, Raw, Struct, UNSET, UnsetType
from partyserver import Server
from partyserver.events import Event, Events, on
from partyserver.parts import Part, attach

T = TypeVar("T")
class Color(enum.Enum):
    """A color */ of all."""
    RED = "red"
    BLUE = "blue"
class Inner(Struct, rename="kebab"):
    some_name: Annotated[str, Meta(description="*/ evil /*", pattern="a*/")] = ""
class Pair(Struct, array_like=True, tag="pair"):
    left: int
    right: Color | None = None
class Point(NamedTuple):
    x: float
    y: float = 0
class Keys(TypedDict, total=False):
    a: int
@dataclasses.dataclass
class Data:
    value: "list[Data]"
class string(Struct):
    a: int
class Array(Struct):
    a: dict[Color, list[int | None]]
class Record(Struct):
    a: dict[Literal["a", "b-c"], Array]
class ErrorFrame(Event, tag="x y"):
    pass
class Box(Event, Generic[T]):
    content: T
class Tree(Event):
    branches: "list[Tree]" = []
class All(Event, omit_defaults=True):
    a: list[Inner]
    b: Pair
    c: Point | None
    d: Keys
    e: Data
    f: string
    g: Record
    h: datetime.datetime | None = None
    i: bytes = b""
    j: dict[int, tuple[str, ...]] = {}
    k: Any = None
    l: Raw = Raw(b"1")
    m: str | UnsetType = UNSET
    n: frozenset[Literal["a", 1, None]] = frozenset()
    o: decimal.Decimal = decimal.Decimal("1.5")
    p: Tree | None = None
    q: tuple[int, str] | None = None
@attach(Part(name="presence", rank=500, reserves=(
    "presence_state", "presence_diff", "event", "history_gap", "unknown_one")))
class Presence: ...
class Room(Presence, Events, Server):
    sends = (All, Tree, Box[str], ErrorFrame)
    @on
    def all(self, connection, event: All | Tree | Box[int] | ErrorFrame): ...
class Empty(Events, Server):
    sends = (Tree,)
'''

CLIENT = """
import type { EmptyClientMessage, RoomClientMessage, RoomServerMessage } from "./events";
export function sent(): RoomClientMessage[] {
  return [
    { type: "tree" },
    { type: "box", content: 1 },
    { type: "x y" },
    {
      type: "all",
      a: [{ "some-name": "a" }, {}],
      b: ["pair", 1, "red"],
      c: [1],
      d: {},
      e: { value: [] },
      f: { a: 1 },
      g: { a: { "b-c": { a: { red: [1, null] } } } },
      j: { 1: ["a"] },
      n: ["a", 1, null],
      p: { type: "tree", branches: [{ type: "tree" }] },
      q: [1, "a"],
    },
  ];
}
export function received(message: RoomServerMessage): unknown {
  switch (message.type) {
    case "all": return [message.b[2]?.length, message.c?.[1].toFixed(), message.h?.length];
    case "tree": return message.branches[0]?.branches.length;
    case "box": return message.content.length;
    case "x y": return message.type;
    case "error": return [message.error, message.event, message.code];
    case "presence_state": return message.presence["a"]?.[0];
    case "presence_diff": return [message.joins["a"]?.[0], message.leaves[0]];
    case "event": return message.seq + Number(message.data);
    case "history_gap": return message.first;
    case "unknown_one": return message["anything"];
    default: return message satisfies never;
  }
}
// @ts-expect-error -- it takes nothing
export const nothing: EmptyClientMessage = { type: "tree" };
"""


def test_it_compiles_whatever_the_events_are(project, tmp_path):
    assert project("-o", "events.ts", worker=ALL).stderr == ""
    (tmp_path / "client.ts").write_text(CLIENT)
    options = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
    compiler = NODE_MODULES / ".bin" / "tsc"
    done = subprocess.run(
        [
            compiler,
            *options,
            "--noEmit",
            "--ignoreConfig",
            "--module",
            "esnext",
            "--moduleResolution",
            "bundler",
            "client.ts",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + (tmp_path / "events.ts").read_text()
