"""Rooms that look into their own storage; each check returns JSON for its test."""

import asyncio
import functools
import json
import traceback
from contextvars import ContextVar
from typing import Any

import js
import templates
from exact import (  # noqa: F401 -- found by their names
    check_calls,
    check_responses,
    check_rows,
    check_turns,
    check_ways,
)
from keeping import Random, generated, values_of
from partyserver import Server, get_server_by_name
from partyserver.rules.cloning import STORED, copy, size
from partyserver.runtime import storage, values
from pyodide.ffi import run_sync
from words import WORDS
from workers import Response

marked: ContextVar[Any] = ContextVar("marked", default=None)


def outcome(call, *arguments, **keywords):
    try:
        return repr(call(*arguments, **keywords))
    except BaseException as error:
        return f"{type(error).__name__}: {error}".partition("\n")[0]


class Storing(Server):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.told = []
        self.transaction(self.kv.__setitem__, "constructed", True)

    def on_start(self):
        self.transaction(self.kv.__setitem__, "started", True)

    def on_exception(self, error):
        self.told.append(str(error).partition("\n")[0])

    async def fetch(self, request):
        if request.url.endswith("/before"):
            found = self.transaction(lambda: [self.sql_value("select 1"), "started" in self.kv])
            return Response.from_json(found)
        return await super().fetch(request)

    async def on_request(self, request):
        name, _, seed = request.url.rpartition("/")[2].partition("?")
        check = globals()["check_" + name]
        return Response.from_json(await (check(self, int(seed)) if seed else check(self)))

    def on_message(self, connection, message):
        command, argument = message.split()
        if command == "put":
            self.kv.update(made_of(argument))
        if command == "exit":
            self.transaction(exiting, self)
        connection.send(repr(self.kv.list(prefix="n")))

    def by_a_call(self):
        return self.transaction(lambda: [self.sql_value("select 2"), self.kv["started"]])


class StoringSleepy(Storing):
    options = {"hibernate": True}


def made_of(seed):
    """Values that a number stands for, with the edges of what is stored among them."""
    random = Random(int(seed))
    found = {f"n{number:02}": generated(random) for number in range(40)}
    return found | {"n": {"set": {1.0}, "deep": [found]}, "nothing": None}


# --- queries --------------------------------------------------------------------------

ENDLESS = "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c"


async def check_one(room):
    room.sql("create table p (a integer, b text)")
    room.sql("insert into p values (1, 'x'), (2, null)")
    one, value = (functools.partial(outcome, call) for call in (room.sql_one, room.sql_value))
    return {
        "row": one("select a, b from p where a = ?", 1),
        "no row": one("select a from p where a = 3"),
        "no columns": one("update p set b = 'z' where a = 3"),
        "several": one("select a from p"),
        "endless": one(ENDLESS),
        "closed": outcome(room.sql, "drop table p"),
        "refused": one("select nope"),
        "no query": one(5),
        "value": value("select 5 as \"10\", 6 as a, x'00' as b"),
        "blob": value("select x'00ff'"),
        "null": value("select null"),
        "no value": value("select 1 where 0"),
        "several values": value("select 1 union select 2"),
        "same names": one("select 1 as a, 2 as a"),
        "templates": templates.others(room, "x"),
        "told": room.told,
    }


async def check_proto(room):
    """A column that an object of JavaScript's loses, also if the query does not name it."""
    room.sql('create table p ("__proto__" text, a integer)')
    room.sql("insert into p values ('x', 1)")
    queries = ["select * from p", 'select "__proto__", a from p', "select count(*) as n from p"]
    return [
        [room.sql(query)[0], room.sql_one(query), json.loads(room.sql_json(query))[0]]
        for query in queries
    ]


async def check_json(room):
    room.sql("create table p (id integer primary key, a, b)")
    rows = [
        *[(None, 1), (1.5, "x"), ("", "\ud800"), ('":{}', '":null,\\'), ("€😀\n\0", -0.0)],
        *[(2**53 - 1, 1e300), (1 - 2**53, 2**53 - 2), (True, False)],
    ]
    for a, b in rows:
        room.sql("insert into p (a, b) values (?, ?)", a, b)
    selects = [
        "select * from p",
        "select 1 where 0",
        'select 1 as "10", 2 as "9", 3 as b, 4 as a, 5 as a',
        "select 9007199254740993 as big, -0.0 as zero",
        *(f"select 'x' as \"{word}\", 1 as a union select null, 2" for word in WORDS),
    ]
    return {
        "differ": [one for one in selects if json.loads(room.sql_json(one)) != room.sql(one)],
        "written": [
            room.sql_json("create table q (a)"),
            room.sql_json("insert into q values (cast(1 as integer)), (null) returning *"),
        ],
        "templates": templates.as_json(room, "x"),
        "refused": {
            query: outcome(room.sql_json, query)
            for query in [
                "select x'00' as raw",
                "select 1 as a, null as raw union select 2, x'00'",
                "select 1 as a, 9e999 as huge",
                "select 1 as a, -9e999 as huge",
                "select x'00' as \"__proto__\"",
                'select 9e999 as "__proto__"',
                "select nope",
            ]
        },
        "told": len(room.told),
    }


# --- transactions ---------------------------------------------------------------------


class Own(BaseException):
    pass


def exiting(room):
    room.kv["n"] = "left behind"
    raise SystemExit("in a transaction")


async def later():
    raise AssertionError("never begun")


def generating():
    yield


class Callable:
    async def __call__(self):
        raise AssertionError("never begun")


def written(room):
    """What a transaction may have left behind."""
    tables = room.sql("select name from sqlite_master where name glob 't*' order by name")
    return [sorted(row["name"] for row in tables), room.kv.get("t")]


def writing(room, what, then=lambda: None):
    room.sql(f"create table t{what} (a)")
    room.sql(f"insert into t{what} values (1)")
    room.kv["t"] = what
    return then()


def raising(error):
    raise error


async def check_undone(room):
    """Whatever is raised, nothing stays, and it comes out itself."""
    found = {}
    cause, context = KeyError("cause"), KeyError("context")
    for error in [
        *[ValueError("v"), SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), Own()],
        *[BaseExceptionGroup("group", [SystemExit(2)]), GeneratorExit(), StopIteration(3)],
    ]:
        error.__cause__, error.__context__ = cause, context
        try:
            room.transaction(writing, room, 1, lambda error=error: raising(error))
        except BaseException as came:
            frames = [frame.name for frame in traceback.extract_tb(came.__traceback__)]
            found[type(error).__name__] = [
                came is error,
                (came.__cause__ is cause, came.__context__ is context),
                frames[-3:],
                written(room),
            ]
    found["JsException"] = outcome(room.transaction, writing, room, 1, lambda: js.JSON.parse("{"))
    found["SQLError"] = outcome(room.transaction, writing, room, 1, lambda: room.sql("nope"))
    found["blocking"] = outcome(
        room.transaction, writing, room, 1, lambda: run_sync(asyncio.sleep(0))
    )
    found["after all"] = written(room)
    return found


async def check_results(room):
    result = object()
    proxies = []
    module: Any = storage
    usual = module.create_proxy

    def create_proxy(*arguments):
        proxies.append(usual(*arguments))
        return proxies[-1]

    module.create_proxy = create_proxy
    try:
        found = [
            room.transaction(lambda: result) is result,
            room.transaction(int, "7"),
            room.transaction(functools.partial(writing, room), 1),
            room.transaction(marked.set, "inside") is not None and marked.get(),
            outcome(room.transaction, raising, ValueError("v")),
        ]
    finally:
        module.create_proxy = usual
    left = [outcome(lambda proxy=proxy: proxy.toString()) for proxy in proxies]
    return [found, written(room), len(left), all("destroyed" in text for text in left)]


async def check_nested(room):
    def caught():
        writing(room, 1)
        try:
            room.transaction(writing, room, 2, lambda: raising(Own()))
        except Own:
            return [written(room), room.transaction(writing, room, 3, lambda: written(room))]

    def again():
        room.transaction(again)

    def deep(levels):
        return room.transaction(deep, levels - 1) if levels else written(room)

    found = [room.transaction(caught), written(room)]
    outer = outcome(
        room.transaction, lambda: (room.transaction(writing, room, 4), raising(ValueError("outer")))
    )
    endless = outcome(room.transaction, again)
    return [*found, outer, written(room), room.transaction(deep, 40) == written(room), endless]


async def check_refused(room):
    future = asyncio.get_event_loop().create_future()
    future.set_result(None)
    begun = asyncio.create_task(asyncio.sleep(0))
    found = {
        name: outcome(room.transaction, function)
        for name, function in {
            "a coroutine function": later,
            "a partial of one": functools.partial(functools.partial(later)),
            "an async callable": Callable(),
            "a partial of that": functools.partial(Callable()),
            "a generator function": generating,
            "a coroutine": later(),
            "nothing": None,
        }.items()
    }
    found |= {
        name: outcome(room.transaction, writing, room, 1, function)
        for name, function in {
            "one that returns a coroutine": later,
            "a future": lambda: future,
            "a task": lambda: begun,
            "a promise": lambda: js.Promise.resolve(1),
        }.items()
    }
    await begun
    return [found, written(room)]


# --- the key-value storage ------------------------------------------------------------


async def check_mapping(room):
    kv = room.kv
    kv.clear()
    kv["b"], kv["a"], kv["ä"] = 2, None, {"x": (1.0,)}
    found: dict[str, Any] = {
        "same": [kv is room.kv, kv == {"a": None, "b": 2, "ä": {"x": [1]}}, len(kv), repr(kv)],
        "order": [*kv, "😀" in kv, "" in kv, "x" * 3000 in kv],
        "items": [list(kv.items()), list(kv.values())],
        "get": [kv["a"], kv.get("a", 1), kv.get("c"), kv.get("c", 1)],
        "missing": [
            outcome(kv.__getitem__, "c"),
            outcome(kv.__delitem__, "c"),
            outcome(kv.pop, "\ud800"),
        ],
        "defaults": [
            kv.setdefault("b", 3),
            kv.setdefault("d", (1.0,)),
            kv.pop("d"),
            kv.pop("d", 0),
        ],
    }
    kv.update({"u": 1}, v=2)
    kv.update([("w", 3)])
    found["updated"] = [kv["u"], kv["v"], kv["w"], kv.popitem(), "a" in kv]
    found["half an update"] = [outcome(kv.update, {"y": 1, "z": object()}), "y" in kv]
    await room.ctx.storage.put("by the SDK", {"a": [1, None]})
    found["by the SDK"] = [kv["by the SDK"], await room.ctx.storage.get("ä")]
    await room.ctx.storage.deleteAll()
    found["after deleteAll"] = [dict(kv), kv.setdefault("again", 1)]
    return found


async def check_listing(room):
    kv = room.kv
    kv.clear()
    kv.update({f"k{number:02}": number for number in range(50)} | {"j": 0, "l": 0})

    def keys(**options):
        return list(kv.list(**options))

    found = {
        "all": [len(kv), len(keys()), list(kv) == keys() == sorted(keys())],
        "values": kv.list(prefix="k1", limit=2),
        "range": keys(start="k10", end="k12"),
        "last": keys(prefix="k", limit=2, reverse=True),
        "none": [keys(limit=0), keys(start="z"), keys(start="b", end="a"), keys(prefix="K")],
        "refused": [
            outcome(kv.list, limit=-1),
            outcome(kv.list, limit="1"),
            outcome(kv.list, prefix=1),
        ],
    }
    for key in kv:  # what is changed meanwhile does not disturb it
        if key.startswith("k"):
            del kv[key]
            kv.list(limit=1)
    found["left"] = list(kv)
    return found


async def check_wrong(room):
    kv = room.kv
    kv["k"] = "kept"
    deep: Any = 1
    for _ in range(501):
        deep = [deep]
    held: list[Any] = []
    held.append(held)
    limit = 2 * 1024 * 1024
    found = {
        "keys": [
            outcome(kv.__setitem__, key, 1)
            for key in ["", "x" * 2049, "ü" * 1025, "\ud800", "__ps_name", 1, None, b"k"]
        ],
        "no keys": [outcome(kv.__contains__, 1), outcome(kv.get, None)],
        "values": [
            outcome(kv.__setitem__, "k", value)
            for value in [object(), {1: 2}, {("a",)}, [deep], held, js.Object.new(), later]
        ],
        "sizes": [
            outcome(kv.__setitem__, "k", value)
            for value in ["x" * limit, "€" * (limit // 2), [b"x" * limit], {"x" * limit: 1}]
        ],
        "kept": kv["k"],
    }
    kv["x" * 2048] = "x" * (limit - 2048 - 6)
    deep = deep[0]
    kv["deep"] = deep
    found["fit"] = [len(kv["x" * 2048]), kv["deep"] == deep, kv.list(prefix="d") == {"deep": deep}]
    return found


async def check_words(room):
    """Any word may be a key, and a key of a value; and what is copied is what comes back."""
    kv = room.kv
    stored = {word: list(values_of(word)) for word in WORDS}
    stored |= {f"seed {seed}": list(made_of(seed).values()) for seed in range(10)}
    kv.update(stored)
    return [
        key
        for key, value in stored.items()
        if not repr(kv[key]) == repr(kv.list(prefix=key)[key]) == repr(copy(value, STORED))
    ]


async def check_sizes(room):
    """What the platform says of values that are too large for a socket."""
    socket = js.WebSocketPair.new().object_values()[0]
    sizes = []
    for seed in range(20):
        value = copy(["x" * 17_000, made_of(seed), *made_of(seed).values()], STORED)
        try:
            socket.serializeAttachment(values.javascript_value(value))
        except Exception as error:
            sizes.append([size(value), int(str(error).split()[-2])])
    return sizes


# --- from the worker ------------------------------------------------------------------


async def call(worker, what, binding):
    namespace = getattr(worker.env, binding)
    if what == "unnamed":
        room = namespace.get(namespace.newUniqueId())
        await room.set_name("given")
        return await (await room.fetch("https://room/named")).json()
    room = await get_server_by_name(namespace, "called")
    if what == "by_a_call":
        return await room.by_a_call()
    found = []
    for name in ("sql_one", "sql_value", "sql_json", "transaction"):
        try:
            found.append(await getattr(room, name)("select 1"))
        except Exception as error:
            found.append(str(error).strip().splitlines()[-1])
    return found


async def check_named(room):
    """The name of an object that has been given one stands among its entries."""
    kv = room.kv
    hidden = "__ps_name"
    kv["_"] = kv["__ps_namf"] = 1
    found = [
        [*kv, hidden in kv, len(kv), list(kv.list(prefix="__")), list(kv.list(limit=1))],
        [list(kv.list(start="__", limit=1)), list(kv.list(end="__ps_namf", reverse=True, limit=1))],
        [outcome(kv.pop, hidden), outcome(kv.__setitem__, hidden, "other")],
    ]
    kv.clear()
    return [*found, list(kv), room.name, await room.ctx.storage.get(hidden)]
