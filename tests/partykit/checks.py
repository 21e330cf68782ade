"""What can only be asked inside of the runtime: each check returns JSON for its test."""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, cast

from partyserver import get_server_by_name, partykit
from partyserver.presence import Presence
from partyserver.rules.cloning import STORED, copy
from workers import Response


async def run(name, subject):
    """`subject` is the party's instance in a room, and a lobby in the worker."""
    return await globals()[f"check_{name}"](subject)


async def outcome(call, *arguments, **keywords):
    try:
        result = call(*arguments, **keywords)
        return repr(await result if hasattr(result, "__await__") else result)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Level(IntEnum):
    HIGH = 3


# --- storage --------------------------------------------------------------------------

WORDS = [
    "constructor", "__proto__", "prototype", "toString", "valueOf", "hasOwnProperty", "then",
    "length", "size", "name", "get", "has", "next", "toJSON", "byteLength",
]  # fmt: skip

VALUES = {
    "str": "grüß dich 🎉",
    "empty": "",
    "int": 7,
    "big": 2**60,
    "negative": -(2**53),
    "float": 1.5,
    "true": True,
    "none": None,
    "bytes": bytes(range(256)),
    "list": [1, [None, "x"], {}],
    "dict": {"a": {"b": None}, "c": b"\0", "": []},
    "set": {1, "two"},
    "datetime": datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC),
}


async def check_values(party):
    storage = party.room.storage
    for key, value in VALUES.items():
        await storage.put(key, value)
    wrong = {}
    for key, value in VALUES.items():
        found = await storage.get(key)
        if found != value or type(found) is not type(value):
            wrong[key] = repr(found)
    if await storage.get(list(VALUES)) != VALUES:
        wrong["together"] = repr(await storage.get(list(VALUES)))
    await storage.put("other types", (bytearray(b"x"), memoryview(b"y"), frozenset([3])))
    other = await storage.get("other types")
    return [wrong, other == [b"x", b"y", {3}]]


async def check_words(party):
    """Any word may be a key; and a value is read back at once as it will be later."""
    storage = party.room.storage
    wrong = {}
    for word in WORDS:
        for value in (1, None, "x", [], {"name": "Map"}, {word: {word: b"x"}}):
            stored = {word: value, "b": [{word: value}]}
            await storage.put(word, stored)
            for found in (await storage.get(word), (await storage.list(prefix=word))[word]):
                if found != stored:
                    wrong[f"{word}: {value!r}"] = repr(found)
    await storage.put(dict.fromkeys(WORDS, 1))
    if await storage.get(WORDS) != dict.fromkeys(WORDS, 1):
        wrong["together"] = repr(await storage.get(WORDS))
    await storage.put("numbers", {"b": 1.0, "10": float("inf"), "9": -0.0})
    return [wrong, repr(await storage.get("numbers"))]


async def check_normalised(party):
    """What is read back at once, later, and in a transaction, is what the rule says."""
    storage = party.room.storage
    values = {
        "numbers": [
            1.0,
            -0.0,
            2.0**53,
            2**53 - 1,
            10**30,
            float("-inf"),
            True,
            Level.HIGH,
        ],
        "keys": {"b": 1, "10": (1, (2,)), "9": {"01": 1, "1": 2}},
        "moments": [
            datetime(1970, 1, 1, 0, 0, 1, 1_999),
            datetime(9999, 12, 31, 23, 59, 59, 999_999),
        ],
        "sets": [{1.0}, {2.5}, {"x"}],
        "buffers": [bytearray(b"x"), memoryview(b"abc")[::2]],
        "halves": ["\ud800", {"\udc00": "x\ud800"}],
    }
    await storage.put(values)
    for key, value in values.items():
        await storage.put(f"alone {key}", value)
    read = await storage.transaction(lambda transaction: transaction.list())
    wrong = {}
    for key, value in values.items():
        for found in (read[key], read[f"alone {key}"], await storage.get(key)):
            if repr(found) != repr(copy(value, STORED)):
                wrong[key] = repr(found)
    return wrong


async def check_depth(party):
    storage = party.room.storage
    answers = []
    for depth in (500, 501):
        value: Any = 1
        for level in range(depth):
            value = {"constructor": value} if level % 2 else [value]
        answers.append(await outcome(storage.put, "deep", value))
        answers.append(repr(await storage.get("deep")) == repr(value))
    return answers


async def check_wrong_values(party):
    storage = party.room.storage
    return {
        "object": await outcome(storage.put, "k", object()),
        "in set": await outcome(storage.put, "k", {("a", "b")}),
        "key in dict": await outcome(storage.put, "k", {"a": {1: 2}}),
        "key": await outcome(storage.put, 1, 2),
        "key of get": await outcome(storage.get, None),
        "nothing stored": await outcome(storage.list, prefix="k"),
    }


async def check_keys(party):
    storage = party.room.storage
    await storage.delete_all()
    await storage.put({"b": 2, "a": 1, "c": 3, "pa": 4, "pb": 5})
    found = {
        "all": await storage.list(),
        "prefix": await storage.list(prefix="p"),
        "range": await storage.list(start="b", end="pa"),
        "after": await storage.list(start_after="b", limit=1),
        "last": await storage.list(reverse=True, limit=2),
    }
    return {
        **{name: list(entries.items()) for name, entries in found.items()},
        "missing": await storage.get("nothing"),
        "several": await storage.get(["a", "nothing", "c"]),
        "deleted": [await storage.delete("a"), await storage.delete("a")],
        "deleted several": await storage.delete(["b", "c", "nothing"]),
        "left": list(await storage.list()),
        "emptied": [await storage.delete_all(), await storage.list()],
    }


async def check_limits(party):
    storage = party.room.storage
    limit = 2 * 1024 * 1024
    return {
        "fit": [await outcome(storage.put, "k", "x" * size) for size in (131_072, 2_000_000)],
        "too big": [
            await outcome(storage.put, "k", value)
            for value in ("x" * limit, [b"x" * limit], {"a": bytearray(limit)}, {"x" * limit: 1})
        ],
        "kept": len(await storage.get("k")),
        "keys": [
            await outcome(storage.put, "k" * 2048, 1),
            await outcome(storage.put, "k" * 2049, 1),
            await outcome(storage.get, "ü" * 1025),
            await outcome(storage.put, {"ü" * 1025: 1}),
        ],
    }


async def check_transactions(party):
    storage = party.room.storage
    await storage.put("balance", 10)

    async def spend(transaction, amount):
        balance = await transaction.get("balance")
        await transaction.put("balance", balance - amount)
        if amount > balance:
            raise ValueError(f"only {balance} left")
        return balance - amount

    spent = await storage.transaction(lambda transaction: spend(transaction, 3))
    refused = await outcome(storage.transaction, lambda transaction: spend(transaction, 30))
    return [spent, refused, await storage.get("balance")]


async def check_alarms(party):
    storage = party.room.storage
    before = await storage.get_alarm()
    when = datetime.now(UTC) + timedelta(hours=1)
    await storage.set_alarm(when)
    given = await storage.get_alarm()
    await storage.set_alarm(given + 1000.5)
    moved = await storage.get_alarm()
    seconds = await outcome(storage.set_alarm, when.timestamp())
    await storage.delete_alarm()
    same = given == int(when.timestamp() * 1000)
    return [before, same, type(given).__name__, moved - given, seconds, await storage.get_alarm()]


# --- the project ----------------------------------------------------------------------


async def ask_models(lobby):
    answer = await lobby.ai.run("a-model", {"prompt": "hello"})
    found = await lobby.vectorize.my_index.query([1, 2, 3])
    return Response(f"{answer['answer']} {found['count']}")


async def check_bindings(subject):
    """In a room with its `context`, and in the worker with a lobby: both have the same."""
    context = subject.room.context if hasattr(subject, "room") else subject
    return {
        "ai": await context.ai.run("a-model", {"prompt": "hello"}),
        "vectorize": await context.vectorize.my_index.query([1, 2, 3]),
        "by key": await context.vectorize["my-index"].query([1]),
        "no index": await outcome(lambda: context.vectorize.products),
        "unknown": await outcome(lambda: context.parties.nowhere),
        "unbound": await outcome(lambda: context.parties.unbound),
        "has": [hasattr(context.parties, "other"), hasattr(context.parties, "nowhere")],
        "dashes": repr(context.parties.main_sleepy.get("x")),
        "main": repr(context.parties.main.get("x")),
        "no id": await outcome(context.parties.main.get, ""),
        "wrong path": await outcome(context.parties.main.get("x").fetch, "events"),
        "no socket": await outcome(context.parties.starting.get("options").socket),
    }


async def check_no_ai(lobby):
    class Empty:
        _env = {}

    return await outcome(lambda: partykit.FetchLobby(lobby._project, Empty()).ai)


async def check_other_methods(lobby):
    """All that a stub's `fetch` sends arrives."""
    stub = lobby.parties.other.get("methods")
    response = await stub.fetch("/a?b=c", method="PUT", headers={"x-a": "b"}, body=b"bytes")
    return [response.status, await response.text(), await (await stub.fetch("/events")).json()]


async def check_by_name(lobby):
    """A party is a Durable Object like others of the library: it is found by name."""
    stub = await get_server_by_name(lobby.env.Other, "by-name")
    response = await stub.fetch("https://x/parties/other/by-name/p", method="POST", body="b")
    return await response.text()


# --- classes --------------------------------------------------------------------------


def define(**members: Any) -> Any:
    return type("Poll", (partykit.Server,), members)


async def check_classes(_):
    cases: dict[str, dict[str, Any]] = {
        "onMessage": {"onMessage": lambda self, message, sender: None},
        "onFetch": {"onFetch": staticmethod(lambda request: None)},
        "on_close": {"on_close": lambda self, connection, code, reason, was_clean: None},
        "on_cron": {"on_cron": lambda self, cron, lobby, ctx: None},
        "option": {"options": {"hibernation": True}},
    }
    answers = {name: await outcome(define, **members) for name, members in cases.items()}
    bases: list[Any] = [Presence, partykit.Server]
    return answers | {"mixin": await outcome(type, "Poll", tuple(bases), {})}


async def check_options(_):
    base = define(options={"hibernate": True})
    child = type("Child", (base,), {"options": {"debug": True}})
    classes: list[Any] = [partykit.Server, base, child]
    return [dict(cls.options) for cls in classes]


async def check_instance(_):
    """A party is an ordinary class: a test can make an instance with a room of its own."""

    class Poll(partykit.Server):
        def on_message(self, message, sender):
            return [self.room, message, sender]

    return Poll(cast(Any, "a room")).on_message("a message", "a sender")


class FakeServer:
    pass


def room_of_no_project():
    return partykit.Room(cast(Any, FakeServer()), None, cast(Any, None))


async def check_entrypoint(_):
    poll = define()
    with_cron = define(on_cron=staticmethod(lambda cron: None))
    return {
        "class": await outcome(partykit.entrypoint, object),
        "slash": await outcome(partykit.entrypoint, poll, {"a/b": poll}),
        "main": await outcome(partykit.entrypoint, poll, {"main": define()}),
        "no on_cron": await outcome(partykit.entrypoint, poll, crons={"a": "* * * * *"}),
        "cron": await outcome(partykit.entrypoint, with_cron, crons={"a": "every minute"}),
        "name": partykit.entrypoint(poll).__name__,
        "no project": await outcome(
            lambda: partykit.Room(cast(Any, FakeServer()), None, cast(Any, None)).context
        ),
    }
