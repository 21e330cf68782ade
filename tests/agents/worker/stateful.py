"""Agents with a state."""

import asyncio
import contextlib
import json
from math import nan

from calls import Called
from partyserver import ClientError, agents
from workers import Response

INITIAL = {"count": 0, "items": [], "last": None}


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


#: What JSON does not bring into a room.
VALUES = {"nan": nan, "set": {1}, "deep": nested(600), "large": "x" * 1_900_000}


class Recording(Called, agents.Agent):
    """Keeps what has happened in its storage."""

    def record(self, *entry):
        self.sql("create table if not exists log (entry text)")
        self.sql("insert into log values (?)", json.dumps(entry))

    def log(self):
        self.sql("create table if not exists log (entry text)")
        entries = [json.loads(row["entry"]) for row in self.sql("select entry from log")]
        self.sql("delete from log")
        return entries

    def on_exception(self, error):
        self.record("exception", f"{type(error).__name__}: {error}")

    def on_message(self, connection, message):
        connection.send(f"hook: {message!r}")

    def get(self):
        return [self.state]

    def put(self, state):
        self.set_state(state)
        return [self.state]

    def query(self, text):
        return self.sql(text)


class Blank(Recording):
    """It has no state until somebody sets one."""

    def change_it(self):
        with self.change() as state:
            state["a"] = 1


class Stateful(Recording):
    initial_state = INITIAL
    options = {"debug": False}

    async def should_connection_be_readonly(self, connection, ctx):
        await asyncio.sleep(0)
        return ctx.query.get("readonly") == "true"

    async def should_send_protocol_messages(self, connection, ctx):
        await asyncio.sleep(0)
        if ctx.query.get("protocol") == "slow":
            self.set_state({"count": "meanwhile"})
            await asyncio.sleep(0.01)
        return "protocol" not in ctx.query

    def validate_state_change(self, state, source):
        if isinstance(state, dict) and state.get("count") == -1:
            raise ValueError("negative")
        if isinstance(state, list):
            raise ClientError("no lists, please")

    def on_state_changed(self, state, source):
        match state:
            case {"count": 1000 | 1001 | 1002 as count}:
                self.set_state({"count": count + 1})
            case "for ever":
                self.set_state("for ever, 1 times more")
            case str() if state.startswith("for ever, "):
                self.set_state(f"for ever, {int(state.split()[2]) + 1} times more")
            case _:
                return self.told(state, source)
        return None

    async def told(self, state, source):
        self.record("changed", state, source if source == "server" else source.id)
        await asyncio.sleep(0)
        if isinstance(state, dict) and state.get("count") == -2:
            raise ValueError("in on_state_changed")

    def on_connect(self, connection, ctx):
        if "set" in ctx.query:
            try:
                self.set_state(json.loads(ctx.query["set"]))
            except ClientError as error:
                connection.send(f"refused: {error.message}")

    async def on_message(self, connection, message):
        match message.partition(" ") if isinstance(message, str) else None:
            case ("set", _, state):
                self.set_state(json.loads(state))
            case ("later", _, state):
                await asyncio.sleep(0.01)
                self.set_state(json.loads(state))
            case ("change", _, state):
                with self.change() as value:
                    connection.send("in the block")
                    value |= json.loads(state)
            case ("task", _, state):
                self.background = asyncio.create_task(self.set_later(state))
            case ("background", _, state):
                self.ctx.waitUntil(self.set_later(state))
            case _:
                connection.send(f"hook: {message!r}")

    async def set_later(self, state):
        await asyncio.sleep(0)
        self.set_state(json.loads(state))

    def on_request(self, request):
        return Response.from_json({"state": self.state})

    # --- over RPC

    def put_value(self, name):
        self.set_state(VALUES[name])

    def add(self, by):
        with self.change() as state:
            state["count"] += by
        return self.state["count"]

    def add_and_fail(self, by):
        with self.change() as state:
            state["count"] += by
            raise ZeroDivisionError("in the block")

    def assign(self):
        self.state = {"count": 1}  # type: ignore[assignment]

    def spoil(self):
        self.state["count"] = 7
        self.state["items"].append("spoilt")
        return [self.state, INITIAL]

    async def interleaved(self):
        async def add():
            with self.change() as state:
                await asyncio.sleep(0.01)
                state["count"] += 1

        results = await asyncio.gather(add(), add(), return_exceptions=True)
        return [self.state["count"], *[type(one).__name__ for one in results if one]]

    def undone(self):
        def change():
            self.set_state({"count": 77})
            raise ZeroDivisionError

        try:
            self.transaction(change)
        except ZeroDivisionError:
            return [self.state]

    def done(self):
        def change():
            self.set_state({"count": 77})
            self.set_state({"count": 78})

        self.transaction(change)
        return [self.state]

    async def undone_by_the_platform(self, how):
        def change():
            self.set_state({"count": 77})
            raise ZeroDivisionError

        async def change_later(transaction):
            self.set_state({"count": 77})
            await asyncio.sleep(0)
            if how == "raises":
                raise ZeroDivisionError
            transaction.rollback()

        with contextlib.suppress(Exception):  # JavaScript's, or Python's
            if how == "at once":
                self.ctx.storage.transactionSync(change)
            else:
                await self.ctx.storage.transaction(change_later)
        return [self.state]

    async def delete_all(self):
        await self.ctx.storage.deleteAll()

    def rights(self):
        """What each connection may do, and its state, which is another matter."""
        return {
            one.id: [
                self.is_connection_readonly(one),
                self.is_connection_protocol_enabled(one),
                one.state,
            ]
            for one in self.get_connections()
        }

    def set_readonly(self, id, readonly):
        [connection] = self.get_connections(id)
        self.set_connection_readonly(connection, readonly)

    def set_connection_state(self, id, state):
        self.get_connection(id).set_state(state)

    def misuse(self):
        self.set_connection_readonly("a", True)  # type: ignore[arg-type]


class Merging(Stateful):
    options = {"client_state": "merge"}


class Refusing(Stateful):
    options = {"client_state": "refuse", "send_identity": False}


class LoudAgent(agents.Agent):
    """Its binding is all in capitals."""
