"""The agents of the contracts in tests/agents/UPSTREAM.md, for the clients of npm."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

from partyserver import ClientError, agents, path_of, query_of
from workers import Response


class Calls(agents.Agent):
    """It has methods, and no state."""

    def on_start(self):
        self.held = {}

    def on_message(self, connection, message):
        heard = message if isinstance(message, str) else list(message)
        connection.send_json(["heard", heard])

    def on_close(self, connection, code, reason, was_clean):
        self.broadcast(json.dumps(["left", connection.id]))

    async def on_request(self, request):
        return Response.from_json(
            {
                "method": request.method,
                "path": path_of(request),
                "query": dict(query_of(request)),
                "body": await request.text() if request.body else "",
                "name": self.name,
            }
        )

    @agents.callable(description="The sum of two numbers")
    def add(self, a, b):
        return a + b

    @agents.callable
    def echo(self, *values):
        return list(values)

    @agents.callable
    def same(self, value):
        return value

    @agents.callable
    async def later(self, value):
        await asyncio.sleep(0.01)
        return value

    @agents.callable
    def nothing(self):
        pass

    @agents.callable
    def no_json(self):
        return {1, 2}

    @agents.callable
    def throw(self, text):
        raise ClientError(text)

    @agents.callable
    async def throw_later(self, text):
        await asyncio.sleep(0.01)
        raise ClientError(text)

    @agents.callable
    def fail(self, text):
        raise ValueError(text)

    def private(self):
        return "nobody asks for this"

    @agents.callable
    async def hold(self, name):
        """Answers when `release` is called."""
        return await self.future(name)

    @agents.callable
    def release(self, name, value=None):
        self.future(name).set_result(value)

    def future(self, name):
        return self.held.setdefault(name, asyncio.get_running_loop().create_future())

    @agents.callable
    def methods(self):
        return {
            name: [info.description, info.streaming]
            for name, info in self.get_callable_methods().items()
        }

    @agents.callable
    def who(self):
        connection = agents.current_agent().connection
        return {"id": connection.id, "query": dict(connection.query), "name": self.name}

    @agents.callable
    def connected(self):
        return [connection.id for connection in self.get_connections()]

    @agents.callable
    def close_all(self, code, reason):
        for connection in self.get_connections():
            connection.close(code, reason)

    # --- streams

    @agents.callable(streaming=True)
    def numbers(self, stream, n):
        for number in range(n):
            stream.send(number)
        stream.end(n)

    @agents.callable(streaming=True, description="One chunk after the other")
    async def slowly(self, stream, chunks):
        for chunk in chunks:
            await asyncio.sleep(0.01)
            stream.send(chunk)
        stream.end()

    @agents.callable(streaming=True)
    def stream_throws(self, stream):
        raise ClientError("at once")

    @agents.callable(streaming=True)
    async def stream_throws_later(self, stream):
        stream.send("a chunk")
        await asyncio.sleep(0.01)
        raise ClientError("in the middle")

    @agents.callable(streaming=True)
    def stream_fails(self, stream, text):
        stream.send("a chunk")
        raise ValueError(text)

    @agents.callable(streaming=True)
    def stream_error(self, stream):
        stream.send("a chunk")
        stream.error("said by the stream")

    @agents.callable(streaming=True)
    def stream_ends_twice(self, stream):
        told = [stream.is_closed, stream.send("a chunk"), stream.end("first"), stream.is_closed]
        told += [stream.send("late"), stream.end("second"), stream.error("late")]
        self.kv["told"] = told

    @agents.callable
    def told(self):
        return self.kv["told"]

    @agents.callable(streaming=True)
    def left_open(self, stream, name):
        """Its stream ends when `release` is called."""
        stream.send("a chunk")
        self.future(name).add_done_callback(lambda future: stream.end(future.result()))


class SHOUTING_AGENT(Calls):
    """A class with a further callable, and one that is none any more."""

    @agents.callable
    def shout(self, text):
        return text.upper()

    def echo(self, *values):
        return "no callable here"


class Snake_Cased(Calls):
    pass


class Empty(agents.Agent):
    """It has no state until somebody sets one. -1 and lists are refused, -2 makes a hook fail."""

    def should_connection_be_readonly(self, connection, ctx):
        return ctx.query.get("readonly") == "true"

    async def should_send_protocol_messages(self, connection, ctx):
        await asyncio.sleep(0)
        return ctx.query.get("protocol") != "false"

    def validate_state_change(self, state, source):
        if isinstance(state, list):
            raise ClientError("a list is no state here")
        if isinstance(state, dict) and state.get("count") == -1:
            raise ValueError("negative")

    def on_state_changed(self, state, source):
        told = [state, source if source == "server" else source.id]
        self.kv["changes"] = [*self.kv.get("changes", []), told]
        if isinstance(state, dict) and state.get("count") == -2:
            raise ValueError("on_state_changed has failed")

    def on_connect(self, connection, ctx):
        if "remember" in ctx.query:
            connection.set_state({"word": ctx.query["remember"]})

    @agents.callable
    def get(self):
        return self.state

    @agents.callable
    def put(self, state):
        self.set_state(state)

    @agents.callable
    def increment(self, by=1):
        with self.change() as state:
            state["count"] += by
        return self.state["count"]

    @agents.callable
    def count_up(self, times):
        for _ in range(times):
            self.increment()

    @agents.callable
    def changes(self):
        return self.kv.get("changes", [])

    @agents.callable
    async def forget(self):
        await self.ctx.storage.deleteAll()

    # --- connections

    def find(self, id):
        connection = self.get_connection(id) if id else agents.current_agent().connection
        assert connection, f"nobody is {id}"
        return connection

    @agents.callable
    def flags(self, id=None):
        """Of a connection, or of the caller's."""
        connection = self.find(id)
        return {
            "readonly": self.is_connection_readonly(connection),
            "protocol": self.is_connection_protocol_enabled(connection),
            "state": connection.state,
        }

    @agents.callable
    def set_readonly(self, id, flag):
        self.set_connection_readonly(self.find(id), flag)

    @agents.callable
    def remember(self, id, word, by_function=False):
        """In the connection's own state."""
        connection = self.find(id)
        connection.set_state((lambda _: {"word": word}) if by_function else {"word": word})


class Counts(Empty):
    initial_state = {"count": 0, "items": [], "last": None}


class Patched(Counts):
    """What clients set are merge patches."""

    options = {"client_state": "merge"}


class Fixed(Counts):
    """Clients cannot set its state."""

    options = {"client_state": "refuse"}


class Anonymous(Counts):
    """It does not say who it is."""

    options = {"send_identity": False}


class Ordered(agents.Agent):
    """It takes its time to get to know somebody."""

    async def on_connect(self, connection, ctx):
        self.note("connecting")
        await asyncio.sleep(0.05)
        self.note("connected")

    def on_message(self, connection, message):
        self.note(message)
        connection.send_json(self.kv["notes"])

    def note(self, text):
        self.kv["notes"] = [*self.kv.get("notes", []), text]


async def route(request, env):
    """The worker's own paths, which lead to agents; None for others.

    `/named/:name`, and `/user?as=name`, where the worker says which agent it is.
    """
    url = urlsplit(request.url)
    match url.path.split("/"):
        case ["", "named", name, *_]:
            agent = await agents.get_agent_by_name(env.Counts, name)
        case ["", "user", *_]:
            user = parse_qs(url.query)["as"][0]
            agent = await agents.get_agent_by_name(env.Calls, f"user-{user}")
        case _:
            return None
    return await agent.fetch(request)
