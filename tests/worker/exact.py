"""Compares what comes by the shortcuts with what comes by the runtime's own ways."""

import asyncio
import importlib.util
import itertools
import json
import sys
from http import HTTPStatus
from types import ModuleType

import js
import workers
from keeping import KEYS, Random, generated
from partyserver.errors import SQLError
from partyserver.reserved import life_of
from partyserver.runtime import jsnull, storage, values
from partyserver.shortcuts import rows
from pyodide.ffi import JsProxy, can_run_sync, run_sync

rpc = sys.modules["workers.rpc"]

#: Of what SQLite gives: NULL for NaN, numbers for whole numbers of any size, text of any kind.
LITERALS = [
    *("null", "0", "1", "-1", "9007199254740991", "-9007199254740991", "9007199254740992"),
    *("9223372036854775807", "0.0", "-0.0", "1.0", "0.1", "1e15", "1e16", "123456789012345678.0"),
    *("1e21", "1e300", "-1e-300", "9e999", "-9e999", "''", "'x'", "'€😀'", "'it''s'", "'null'"),
    *("'{}'", "'9007199254740993'", "char(0, 10, 34, 92, 8232)", "x''", "x'00ff7b7d'", "'[[]]'"),
    *("'" + "long " * 30 + "'", "'" + "länger " * 100 + "'"),
]
NAMES = [*KEYS, "id", "text", "at", "a b", "é", '"', "null", "a", "A"]


def fill(execute, random):
    """Make a table of some rows, and return a query of it, with names and values of every kind."""
    names = [random.choice(NAMES).replace('"', '""') for _ in range(1 + random.below(5))]
    count = [random.below(12), 1, 40 + random.below(100)][random.below(3)]
    simple = random.below(2)  # most columns have one kind of values
    kinds = [
        [random.choice(["1", "'x'", "2.5", "null"] if simple else LITERALS)]
        if simple
        else [random.choice(LITERALS) for _ in range(1 + random.below(3))]
        for _ in names
    ]
    execute("drop table if exists exact")
    execute(f"create table exact ({', '.join(f'c{number}' for number in range(len(names)))})")
    for at in range(count):
        execute(f"insert into exact values ({', '.join(kind[at % len(kind)] for kind in kinds)})")
    columns = ", ".join(f'c{number} as "{name}"' for number, name in enumerate(names))
    return f"select {columns} from exact order by rowid"


def plain_rows(cursor):
    names = values.python_value(cursor.columnNames)
    rows = values.python_value(cursor.raw().toArray())
    if "__proto__" in names:
        return [dict(zip(names, row, strict=True)) for row in rows]
    ordered = js.Object.keys(js.Object.fromEntries([[name, 1] for name in names])).to_py()
    return [{name: dict(zip(names, row, strict=True))[name] for name in ordered} for row in rows]


def by_column(cursor):
    """The one row in the order of the query's columns, as `sql_one` has it."""
    names = values.python_value(cursor.columnNames)
    rows = values.python_value(cursor.raw().toArray())
    return dict(zip(names, rows[0], strict=True)) if rows else None


def outcome(call, *arguments):
    try:
        return repr(call(*arguments))
    except SQLError as error:
        return f"SQLError: {error}".partition("\n")[0]


def plain_json(execute, query):
    """None where there is no such JSON, or where the platform's rows lose a column."""
    if "__proto__" in query:
        return None
    rows = execute(query).toArray()
    found = storage.not_in_json(rows)
    return None if found else storage.json_of(rows)


async def check_rows(room, seed):
    """Queries whose results differ between the ways, each run often enough to take all of them."""
    execute = life_of(room).ctx.storage.sql.exec
    random = Random(seed)
    different = []
    for _ in range(40):
        query = fill(execute, random)
        one = f"{query} limit 1"
        expected = plain_rows(execute(query))
        first = values.python_value(execute(one).raw().toArray())
        value = first[0][0] if first else None
        found = [outcome(room.sql, query) for _ in range(3)]
        found += [outcome(room.sql_one, one) for _ in range(2)] + [outcome(room.sql_value, one)]
        wanted = [repr(expected)] * 3 + [repr(by_column(execute(one)))] * 2 + [repr(value)]
        text = plain_json(execute, query)
        if text is not None:
            found += [room.sql_json(query) for _ in range(3)]
            wanted += [text] * 3
        different += [
            [query[:300], at, one[:300], other[:300]]
            for at, (one, other) in enumerate(zip(found, wanted, strict=True))
            if one != other
        ]
    return different


# --- calls ----------------------------------------------------------------------------


def untouched(module):
    """A module of the SDK's as it is without anything replaced in it."""
    name = f"workers.untouched_{module.__name__.rpartition('.')[2]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, module.__file__)
        assert spec is not None
        assert spec.loader is not None
        made: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[name] = made
        spec.loader.exec_module(made)
    return sys.modules[name]


def described(value, levels=12):
    """A JavaScript value by the kinds of all that it holds, and their order."""
    if not isinstance(value, JsProxy):
        return f"{type(value).__name__} {value!r}"
    kind = values.kind_of(value)
    if kind not in values.CONTAINERS or not levels:
        return f"{kind} {value.toString()}"
    pairs = js.Object.entries(value) if kind != "[object Map]" else js.Array["from"](value)
    return [kind, [[key, described(item, levels - 1)] for key, item in pairs]]


def converted(function, value):
    try:
        return described(function(value))
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:100]


async def check_calls(room, seed):
    """Values that the two ways convert to something else, and results that come back otherwise."""
    random = Random(seed)
    different = []
    for _ in range(60):
        value = generated(random)
        if random.below(3) == 0:
            value = rpc.JsDict({"a": value, "b": [rpc.JsDict(c=1)]})
        found, wanted = (
            converted(rpc.python_to_rpc, value),
            converted(untouched(rpc).python_to_rpc, value),
        )
        if found != wanted:
            different.append([repr(value), found, wanted])
    for value in (None, True, 0, 2**53, 1.5, "x", jsnull, b"x", {1: 2}, {None: 1}, (1,), [()], len):
        found, wanted = (
            converted(rpc.python_to_rpc, value),
            converted(untouched(rpc).python_to_rpc, value),
        )
        if found != wanted:
            different.append([repr(value), found, wanted])
    return json.loads(json.dumps(different))


# --- responses ------------------------------------------------------------------------

BODIES = ["ok", "", "€😀", "\ud800", None, b"bytes", 5, {"a": [1, None]}]
STATUSES = [None, 200, 201, 404, 0, 99, 204, 600, True, "404", HTTPStatus.CREATED]
HEADERS = [
    None,
    {},
    {"content-type": "text/html", "x-a": "1"},
    {"X-A": "1", "x-a": "2", "set-cookie": "a=1"},
    [("set-cookie", "a=1"), ("set-cookie", "b=2")],
    {"bad name": "x"},
    {"x-a": "line\nbreak"},
    {"x-a": 1},
    "text",
]


async def told(make, *arguments, **options):
    try:
        response = make(*arguments, **options)
        headers = list(response.js_object.headers.entries())
        fields = [[*pair] for pair in headers]
        text = await response.text()
        return [response.status, response.status_text, response.url, fields, text, response.ok]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def check_responses(room):
    """Responses that the two ways make otherwise, or refuse otherwise."""
    other = untouched(sys.modules["workers.response"]).Response
    different = []
    for body, status, headers in itertools.product(BODIES, STATUSES, HEADERS):
        for name in ("__call__", "json", "from_json"):
            ours, theirs = (
                one if name == "__call__" else getattr(one, name)
                for one in (workers.Response, other)
            )
            options = (
                {"headers": headers} if status is None else {"status": status, "headers": headers}
            )
            found, wanted = await told(ours, body, **options), await told(theirs, body, **options)
            if found != wanted:
                different.append([name, repr(body), repr(options), found, wanted])
    return different[:5]


# --- turns ----------------------------------------------------------------------------


async def check_ways(room):
    """By which ways rows have come."""
    for _ in range(2):
        room.sql(f"select '{'x' * 1000}' as text")
        room.sql_value("select 1")
    reader = rows.reader(life_of(room).exec_sql)
    return None if reader is None else sorted(reader.trusted)


async def check_turns(room):
    """Whether Python can still suspend after a promise, and others have their turns."""
    await js.Promise.resolve()
    can_suspend = [can_run_sync()]
    await js.scheduler.wait(1)
    can_suspend.append(can_run_sync())
    done = asyncio.ensure_future(asyncio.sleep(0.001))
    waited = 0
    while not done.done():
        await js.Promise.resolve()  # in JavaScript, nothing else would have a turn any more
        waited += 1
    return [can_suspend, waited > 0, run_sync(js.Promise.resolve(5))]
