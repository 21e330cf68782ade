"""`partyserver types` prints the stubs of a worker's agents, for the SDK's clients."""

from __future__ import annotations

import subprocess
from textwrap import dedent

import pytest

from .running import NODE_MODULES, command, refused

COUNTER = '''
from typing import Annotated, ClassVar, TypedDict

from msgspec import Meta, Struct
from partyserver import agents


class Count(TypedDict):
    """What all see."""

    count: int


class How(Struct):
    loud: bool = False


class Base(agents.Agent):
    """Has nothing of its own."""


class Counter(Base):
    initial_state: ClassVar[Count] = {"count": 0}

    @agents.callable
    def add(self, by: Annotated[int, Meta(description="How many.", ge=1)] = 1) -> int:
        """Adds to it.

        All see it.
        """

    @agents.callable(description="Forgets.")
    async def reset(self, how: How | None = None) -> None:
        """Not for clients."""

    @agents.callable(streaming=True)
    async def count_to(self, stream: agents.StreamingResponse, n: int) -> None: ...

    def hidden(self): ...
'''

TYPESCRIPT = """\
/* Made by `partyserver types src/worker.py`. Make it again when the worker's callables change. */

/** The state of `Counter`. */
export type CounterState = Count;

/** What clients of `Counter` may call, for `useAgent<Counter, CounterState>(...)`. */
export interface Counter {
  readonly state: CounterState;
  /**
   * Adds to it.
   *
   * All see it.
   *
   * @param by - How many. integer, minimum 1, default 1
   */
  add(by?: number): Promise<number>;
  /** Forgets. */
  reset(how?: How | null): Promise<void>;
  /**
   * Streams to `onChunk` of `call("count_to", [...], { stream })`.
   *
   * @param n - integer
   */
  count_to(n: number): Promise<unknown>;
}

export interface How {
  /** @default false */
  loud?: boolean;
}

/** What all see. */
export interface Count {
  /** @asType integer */
  count: number;
}
"""


@pytest.fixture
def types(tmp_path):
    """Writes a worker, and runs the command in its folder."""

    def run(worker, *arguments):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "src" / "worker.py").write_text(dedent(worker))
        return command("types", "src/worker.py", *arguments, cwd=tmp_path)

    return run


def printed(done):
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_it_prints_what_clients_see_and_call(types):
    assert printed(types(COUNTER)) == TYPESCRIPT


#: Each is a method of one agent, and its line in the stub.
METHODS = {
    "def bare(self, a, b=1, *rest): ...": (
        "bare(a: unknown, b?: unknown, ...rest: unknown[]): Promise<unknown>;"
    ),
    "def inherited(self) -> Any: ...": "inherited(): Promise<unknown>;",
    "async def one(self, a: str) -> bool: ...": "one(a: string): Promise<boolean>;",
    "def later(self) -> Awaitable[int]: ...": "later(): Promise<number>;",
    "def maybe(self) -> Optional[str]: ...": "maybe(): Promise<string | undefined>;",
    "def some(self) -> Literal['a', None]: ...": 'some(): Promise<"a" | undefined>;',
    "def described(self) -> Annotated[int | None, Meta(title='N')]: ...": (
        "described(): Promise<number | undefined>;"
    ),
    "def many(self) -> list[int | None]: ...": "many(): Promise<(number | null)[]>;",
    "def keyed(self, a: dict[int, str]) -> dict[int, str]: ...": (
        "keyed(a: { [key: string]: string }): Promise<{ [key: string]: string }>;"
    ),
    "def typed(self, a: Later, b: Color) -> Later | Color: ...": (
        "typed(a: Later, b: Color): Promise<Later | Color>;"
    ),
    "def unseen(self, a: Missing, b: 5) -> list[Missing]: ...": (
        "unseen(a: unknown, b: unknown): Promise<unknown>;"
    ),
    "def text(self, a: datetime.datetime, b: bytes, c: set[int]) -> str: ...": (
        "text(a: string, b: string, c: number[]): Promise<string>;"
    ),
    "def rest(self, *numbers: int | None) -> None: ...": (
        "rest(...numbers: (number | null)[]): Promise<void>;"
    ),
    "def named(self, a: int, *, b: int = 1, **c: int) -> int: ...": (
        "named(a: number): Promise<number>;"
    ),
    "def position(self, a: int, /, b: int = 1) -> int: ...": (
        "position(a: number, b?: number): Promise<number>;"
    ),
    "def words(self, new, this, default_=1): ...": (
        "words(new_: unknown, this_: unknown, default_?: unknown): Promise<unknown>;"
    ),
    "def new(self, a: str) -> str: ...": '"new"(a: string): Promise<string>;',
    "def delete(self) -> None: ...": "delete(): Promise<void>;",
    "@wrapped\n    def outer(self, a: int) -> int: ...": "outer(a: number): Promise<number>;",
}

STREAMS = {
    "def open(self, stream, a: int): ...": "open(a: number): Promise<unknown>;",
    "async def ended(self, stream) -> None: ...": "ended(): Promise<unknown>;",
    "async def final(self, stream, a: str = '') -> int: ...": "final(a?: string): Promise<number>;",
    "async def either(self, stream) -> int | None: ...": "either(): Promise<unknown>;",
}

HEAD = """\
from __future__ import annotations
import datetime, enum, functools, uuid
from typing import *
from msgspec import Meta, Struct
from partyserver import Server, agents
from partyserver.events import Event, Events, on
if TYPE_CHECKING:
    from somewhere import Missing

def wrapped(function):
    @functools.wraps(function)
    def outer(*arguments): return function(*arguments)
    return agents.callable(outer)

class Color(enum.StrEnum):
    RED = "red"
"""


def agent(*methods, name="Room", base="agents.Agent", streaming=False):
    decorator = f"    @agents.callable(streaming={streaming})\n"
    body = "".join(f"{'' if '@' in one[:1] else decorator}    {one}\n" for one in methods)
    return f"class {name}({base}):\n{body}    pass\n"


def members(text, name="Room"):
    """The lines of an interface, without comments."""
    body = text.split(f"export interface {name} {{\n")[1].split("\n}\n")[0]
    return [line[2:] for line in body.splitlines() if not line.startswith(("  /*", "   *"))]


def test_arguments_and_results(types):
    worker = [
        HEAD,
        agent(*METHODS, name="Base"),
        agent(*STREAMS, base="Base", streaming=True),
        "class Later(TypedDict):\n    a: NotRequired[int]\n",
    ]
    text = printed(types("".join(worker), "Room"))
    assert members(text) == [
        "readonly state: RoomState;",
        *METHODS.values(),
        *STREAMS.values(),
    ]
    assert "export interface Base" not in text


#: Each is a part of a class, and the type of its state.
STATES = {
    "initial_state: ClassVar[dict[str, int]] = {}": "{ [key: string]: number }",
    "initial_state: ClassVar[Later | None] = None": "Later | null",
    "initial_state: list[Color] = []": "Color[]",
    "state: Later": "Later",
    "state: Later\n    initial_state: ClassVar[Any] = {}": "Later",
    "@property\n    def initial_state(self) -> Later: ...": "Later",
    "initial_state = {'a': 1}": "unknown",
    "initial_state: ClassVar = {'a': 1}": "unknown",
    "initial_state: ClassVar[Missing] = {'a': 1}": "unknown",
    "initial_state: 5 = {'a': 1}": "unknown",
    "pass": "unknown",
}


@pytest.mark.parametrize("are_texts", [True, False])
def test_the_type_of_the_state(types, are_texts):
    head = HEAD if are_texts else HEAD.replace("from __future__ import annotations", "")
    worker = [head, "class Later(TypedDict):\n    a: int\n"]
    for number, body in enumerate(STATES):
        if not are_texts:
            body = body.replace("[Missing]", "['Missing']").replace("[Later | None]", "['Later']")
        worker.append(f"class Base{number}(agents.Agent):\n    {body}\n")
        worker.append(agent("def a(self): ...", name=f"Room{number}", base=f"Base{number}"))
    text = printed(types("".join(worker), *(f"Room{number}" for number in range(len(STATES)))))
    for number, state in enumerate(STATES.values()):
        expected = state if are_texts else state.replace("Later | null", "Later")
        assert f"\nexport type Room{number}State = {expected};\n" in text
    untyped = text.count("to which its class gives no type: `initial_state: ClassVar[...]`. */")
    assert untyped == list(STATES.values()).count("unknown")


#: Each is a method of an agent, and its line. msgspec cannot tell of the types of most.
ODD = {
    "def a(self) -> typing.Awaitable: ...": "a(): Promise<unknown>;",
    "def b(self) -> Coroutine: ...": "b(): Promise<unknown>;",
    "def c(self) -> Awaitable['Missing']: ...": "c(): Promise<unknown>;",
    "def c2(self) -> Awaitable['int']: ...": "c2(): Promise<number>;",
    "def d(self, a: Annotated[int, Meta(extra_json_schema={'x': object()})]): ...": (
        "d(a: unknown): Promise<unknown>;"
    ),
    "def e(self, a: list[Any] = CIRCLE): ...": "e(a?: unknown[]): Promise<unknown>;",
    "def f(self, a: Halves) -> Halves: ...": "f(a: unknown): Promise<unknown>;",
}


@pytest.mark.parametrize("are_texts", [True, False])
def test_what_no_type_can_be_made_of_is_unknown(types, are_texts):
    head = HEAD if are_texts else HEAD.replace("from __future__ import annotations", "")
    parts = [
        head,
        "import typing\nfrom collections.abc import Coroutine\n",
        "CIRCLE = []\nCIRCLE.append(CIRCLE)\n",
        "class Halves(enum.Enum):\n    a = '\\ud800'\n",
        agent(*ODD),
    ]
    assert members(printed(types("".join(parts))))[1:] == list(ODD.values())


def test_half_a_surrogate_pair_in_a_comment_is_one_that_files_can_hold(types):
    method = "def a(self):\n        'Half of \\ud83d, and */ whole'"
    assert "  /** Half of \ufffd, and *\\/ whole */\n" in printed(types(HEAD + agent(method)))


def test_a_state_of_the_wanted_name_is_taken_for_it(types):
    worker = COUNTER.replace("Count]", "CounterState]").replace("Count(", "CounterState(")
    text = printed(types(worker))
    assert "export type" not in text
    assert "/** What all see. */\nexport interface CounterState {" in text


def test_names_that_others_have_are_changed_for_all_but_the_agent(types):
    worker = (
        HEAD
        + """
class Twin(Struct, rename={"a": "b"}):
    a: int
Inner = Twin
class Twin(agents.Agent):
    @agents.callable
    def take(self, a: Inner) -> None: ...
class TwinState(Struct):
    a: int
class Room(agents.Agent):
    @agents.callable
    def take(self, a: TwinState) -> None: ...
class RoomClientMessage(Event):
    a: int
class Talk(Events, Server):
    @on
    def say(self, connection, event: RoomClientMessage): ...
Talk.__name__ = "Room"
"""
    )
    text = printed(types(worker))
    assert "take(a: Twin2): Promise<void>;" in text
    assert "export type TwinState2 = unknown;" in text
    assert "useAgent<Twin, TwinState2>" in text
    assert "export type RoomClientMessage = RoomClientMessage2;" in text


def test_an_agent_with_events_has_both(types):
    worker = """
        from partyserver import agents
        from partyserver.events import Event, Events, on
        class Say(Event):
            text: str
        class Talk(Events, agents.Agent):
            @on
            def say(self, connection, event: Say): ...
            @agents.callable
            def silence(self) -> None: ...
        class Silent(Events, agents.Agent):
            @agents.callable
            def a(self) -> None: ...
        class OnlyEvents(Talk):
            silence = None
    """
    text = printed(types(worker))
    assert "the worker's callables or events change. */" in text
    assert text.index("interface Talk {") < text.index("TalkClientMessage = Say;")
    assert "  | AgentState\n" in text
    assert "SilentClientMessage" not in text
    assert "export type OnlyEventsClientMessage = Say;" in text
    assert members(text, "OnlyEvents") == ["readonly state: OnlyEventsState;"]


@pytest.mark.parametrize(
    ("result", "wrong"),
    [
        ("datetime.datetime", "datetime"),
        ("How | None", "How"),
        ("list[set[int]]", "set"),
        ("dict[str, uuid.UUID]", "UUID"),
    ],
)
def test_what_clients_would_never_get_is_refused(types, result, wrong):
    struct = "class How(Struct):\n    a: int\n"
    method = f"async def take(self, a: {result}) -> {result}: ..."
    assert refused(types(HEAD + struct + agent(method))) == (
        f"partyserver: Room.take returns {wrong}, which JSON has not, so that clients would never "
        "get it: make it one of JSON's own types, as by msgspec.to_builtins(value), and annotate "
        "it as that\n"
    )


def test_so_is_a_state_that_there_cannot_be(types):
    for state, wrong in [
        ("list[datetime.datetime]", "datetime"),
        ("dict[int, str]", "a dict whose keys are no text"),
    ]:
        told = refused(types(f"{HEAD}class Room(agents.Agent):\n    state: {state}\n"))
        assert told.startswith(f"partyserver: the state of Room has {wrong}, which JSON has not")


def test_a_worker_without_any_is_told_so(types):
    nothing = refused(types("from partyserver.agents import Agent"))
    assert nothing == (
        "partyserver: no class in worker.py is an agent or has Events: "
        "class Chat(agents.Agent), or class Chat(Events, Server)\n"
    )
    empty = "from partyserver import agents\nclass Room(agents.Agent): ...\n"
    assert refused(types(empty)) == (
        "partyserver: there is neither @on nor sends, no @agents.callable and no type of a state; "
        "the agents and classes with Events in worker.py are: Room\n"
    )
    assert members(printed(types(empty, "Room"))) == ["readonly state: RoomState;"]


# --- the SDK's clients -----------------------------------------------------------------

#: The names of callables that the SDK's types leave out of stubs.
TAKEN = [
    "broadcast",
    "dequeue",
    "destroy",
    "lifecycle",
    "mcp",
    "observability",
    "queue",
    "render",
    "retry",
    "schedule",
    "scheduler",
    "sql",
    "stash",
    "tasks",
]

USES = """
import type { Agent } from "{package}";
import { AgentClient } from "{package}/client";
import { useAgent } from "{package}/react";
import type { Counter, CounterState, Room, RoomState, Open, OpenState, Taken } from "../stubs";

const options = { agent: "counter", name: "lobby", host: "example.com" };
type Is<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

export async function hook() {
  const agent = useAgent<Counter, CounterState>({
    ...options,
    onStateUpdate(state, source) {
      const a: Is<typeof state, CounterState> = true;
      const count: number = state.count;
      // @ts-expect-error -- the state has no such key
      state.counts;
    },
  });
  const sum = await agent.stub.add(1);
  const a: Is<typeof sum, number> = true;
  await agent.stub.add();
  await agent.stub.reset({ loud: true });
  await agent.call("add");
  await agent.call("add", [1]);
  const final = await agent.call("count_to", [3], { onChunk(chunk) {}, onDone(final) {} });
  const b: Is<typeof final, unknown> = true;
  await agent.stub.count_to(3);
  agent.setState({ count: 1 });
  const state: CounterState | undefined = agent.state;
  // @ts-expect-error -- another type
  await agent.stub.add("1");
  // @ts-expect-error -- too many
  await agent.stub.add(1, 2);
  // @ts-expect-error -- too few
  await agent.stub.count_to();
  // @ts-expect-error -- too few
  await agent.call("count_to");
  // @ts-expect-error -- another type
  await agent.call("add", ["1"]);
  // @ts-expect-error -- no such method
  await agent.stub.hidden();
  // @ts-expect-error -- no such method
  await agent.call("hidden");
  // @ts-expect-error -- the state is no method
  await agent.stub.state();
  // @ts-expect-error -- another state
  agent.setState({ count: "1" });
  // @ts-expect-error -- another state
  useAgent<Counter, { count: string }>(options);
}

export async function client() {
  const agent = new AgentClient<Counter>({
    ...options,
    onStateUpdate: (state) => state.count.toFixed(),
  });
  const sum: number = await agent.stub.add(1);
  const called: number = await agent.call("add", [1]);
  const count: number | undefined = agent.state?.count;
  // @ts-expect-error -- another type
  await agent.stub.add("1");
  // @ts-expect-error -- no such method
  await agent.stub.hidden();
  // @ts-expect-error -- another state
  agent.setState({ count: "1" });
}

export async function all() {
  const { stub } = useAgent<Room, RoomState>(options);
  const methods: Is<keyof typeof stub, Exclude<keyof Room, "state">> = true;
  await stub.bare(1, "a", null, {});
  const maybe: string | undefined = await stub.maybe();
  const some: "a" | undefined = await stub.some();
  const nothing: void = await stub.delete();
  const made: string = await stub.new("a");
  const many: (number | null)[] = await stub.many();
  await stub.rest(1, null);
  await stub.typed({}, "red");
  const final: number = await stub.final();
  // @ts-expect-error -- one that is left out is no null
  const wrong: string | null = await stub.maybe();
  // @ts-expect-error -- no color
  await stub.typed({}, "blue");
  const open = useAgent<Open, OpenState>(options);
  await open.stub.a(1);
  open.setState(anything());
}

export function taken() {
  const { stub } = useAgent<Taken, unknown>(options);
  const left: {left} = true;
  (stub as unknown as Taken).tasks();
  // Of names as Python has them, the SDK's class has none but these. The others are no callables.
  type Plain<T> = T extends `_${string}` ? never : T extends Lowercase<T & string> ? T : never;
  type Never = "alarm" | "ctx" | "env" | "fetch" | "name" | "state";
  const known: Is<Exclude<Plain<keyof Agent<any, any>>, keyof Taken | Never>, never> = true;
}

declare function anything(): unknown;
"""


def test_it_is_what_the_sdks_clients_take(types, tmp_path):
    later = "class Later(TypedDict):\n    a: NotRequired[int]\n"
    worker = [
        HEAD,
        COUNTER.replace("Base", "Empty"),
        later,
        agent(*METHODS, name="Base"),
        agent(*STREAMS, base="Base", streaming=True),
        agent("def a(self, a): ...", name="Open"),
    ]
    free = "def free(self): ...\n"
    taken = agent(free, *(f"def {name}(self): ...  # type: ignore" for name in TAKEN), name="Taken")
    text = printed(types("".join(worker) + taken))
    assert text.count("since the SDK's own class has it") == len(TAKEN)
    (tmp_path / "stubs.ts").write_text(text)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    # The older one's class has fewer names.
    left = 'Is<keyof typeof stub, "free">'
    some = '"free" extends keyof typeof stub ? true : false'
    for package, names in [("agents", left), ("agents-0.21", some)]:
        (tmp_path / package).mkdir()
        uses = USES.replace("{package}", package).replace("{left}", names)
        (tmp_path / package / "use.ts").write_text(uses)
    strict = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"]
    modules = ["--module", "esnext", "--moduleResolution", "bundler"]
    # The packages' own types name packages that need not be there.
    options = [*strict, *modules, "--noEmit", "--ignoreConfig", "--skipLibCheck"]
    compiler = NODE_MODULES / ".bin" / "tsc"
    done = subprocess.run(
        [compiler, *options, "agents/use.ts", "agents-0.21/use.ts"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + text
