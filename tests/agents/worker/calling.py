"""An agent whose methods clients call."""

import asyncio
import functools
from typing import Annotated

from calls import Called
from msgspec import Meta, Struct
from partyserver import ClientError, agents, path_of, query_of
from workers import Response


class Item(Struct):
    name: str
    count: Annotated[int, Meta(ge=1)] = 1


def logged(method):
    @functools.wraps(method)
    def outer(*args, **kwargs):
        return method(*args, **kwargs)

    return outer


class Base(Called, agents.Agent):
    initial_state = {"count": 0}

    @agents.callable
    def inherited(self):
        return "inherited"

    @agents.callable
    def overridden(self):
        return "never"

    @agents.callable
    def hidden(self):
        return "never"

    @agents.callable
    def replaced(self):
        return "never"


class Callable(Base):
    replaced = 5  # type: ignore[assignment]

    def should_connection_be_readonly(self, connection, ctx):
        return ctx.query.get("readonly") == "true" or connection.auth == {"may": "read"}

    def should_send_protocol_messages(self, connection, ctx):
        return ctx.query.get("protocol") != "false"

    def on_exception(self, error):
        self.sql("create table if not exists failures (text)")
        self.sql("insert into failures values (?)", f"{type(error).__name__}: {error}")

    async def on_connect(self, connection, ctx):
        if "slow" in ctx.query:
            await asyncio.sleep(0.05)
            connection.set_state("connected")
        if "who" in ctx.query:
            request = agents.current_agent().request
            connection.send_json([*self.who(), request is ctx.request])

    async def on_message(self, connection, message):
        if message == "connected?":
            connection.send_json(connection.state)
        elif message == "who?":
            await asyncio.sleep(0)
            connection.send_json([*self.who(), agents.current_agent().request])
        else:
            connection.send(f"hook: {message!r}")

    def on_start(self, props):
        self.props = props

    async def on_request(self, request):
        path = path_of(request)
        if path == "headers":
            headers = request.headers
            return Response.from_json(
                {
                    "props": self.props,
                    "lifecycle": headers.get("x-agents-lifecycle-props"),
                    "other": headers.get("x-agents-other"),
                }
            )
        current = agents.current_agent()
        return Response.from_json(
            {
                "method": request.method,
                "path": path,
                "query": dict(query_of(request)),
                "body": await request.text(),
                "current": [
                    current.agent is self,
                    current.connection,
                    current.request is request,
                ],
            }
        )

    def failures(self):
        self.sql("create table if not exists failures (text)")
        return [row["text"] for row in self.sql("delete from failures returning text")]

    def methods(self):
        return {
            name: [info.streaming, info.description]
            for name, info in self.get_callable_methods().items()
        }

    # --- what clients call

    @agents.callable
    def add(self, a: int, b: int = 0):
        return a + b

    @agents.callable(description="again what it is given")
    def echo(self, *values):
        return list(values)

    @agents.callable
    def take(self, item: Item):
        return f"{item.count} {item.name}"

    @logged
    @agents.callable
    async def slow(self, milliseconds: int):
        await asyncio.sleep(milliseconds / 1000)
        return milliseconds

    @agents.callable
    async def wait_for(self, gate: str):
        self.gates = {**getattr(self, "gates", {}), gate: asyncio.Event()}
        await self.gates[gate].wait()
        return gate

    @agents.callable
    def let_go(self, gate: str):
        self.gates[gate].set()

    @agents.callable
    def fail(self, text):
        raise ValueError(text)

    @agents.callable
    async def fail_later(self, text):
        await asyncio.sleep(0)
        raise ValueError(text)

    @agents.callable
    async def refuse(self, text):
        raise ClientError(text)

    @agents.callable
    def nothing(self): ...

    @agents.callable
    def no_json(self):
        return {1, 2}

    @agents.callable
    def overridden(self):
        return "the nearest"

    def hidden(self):
        return "not decorated, and so not callable"

    @agents.callable
    async def close_and_answer(self):
        [connection] = self.get_connections()
        connection.close(4001, "enough")
        await asyncio.sleep(0)
        return "to nobody"

    @agents.callable
    def read(self):
        return self.state

    @agents.callable
    def count(self, by: int):
        with self.change() as state:
            state["count"] += by
        return self.state["count"]

    @agents.callable
    async def count_later(self, by: int):
        await asyncio.sleep(0)
        return self.count(by)

    @agents.callable
    def count_in_task(self, by: int):
        self.background = asyncio.ensure_future(self.count_later(by))

    @agents.callable
    async def count_by_timer(self, by: int):
        await self.schedule(3600, self.count, by)

    @agents.callable
    async def count_by_queue(self, by: int):
        await self.queue(self.count, by)

    @agents.callable
    async def count_by_timer_if_it_may(self, by: int):
        connection = agents.current_agent().connection
        if connection is not None and self.is_connection_readonly(connection):
            raise ClientError("you only watch")
        await self.schedule(3600, self.count, by)

    @agents.callable
    def who(self):
        current = agents.current_agent()
        return [current.agent is self, current.connection and current.connection.id]

    # --- streams

    @agents.callable(streaming=True)
    async def count_to(self, stream: agents.StreamingResponse, n: int):
        for number in range(n):
            await asyncio.sleep(0)
            assert stream.send(number)
        assert not stream.is_closed
        assert stream.end("done")
        assert stream.is_closed
        assert [stream.send(1), stream.end(), stream.error("late")] == [False] * 3

    @agents.callable(streaming=True)
    def stream_at_once(self, stream, *chunks):
        for chunk in chunks:
            stream.send(chunk)
        stream.end()

    @agents.callable(streaming=True)
    def stream_error(self, stream):
        stream.send(1)
        stream.error("graceful")
        raise ValueError("after its end")

    @agents.callable(streaming=True)
    async def stream_fails(self, stream, kind):
        stream.send(1)
        await asyncio.sleep(0)
        if kind == "set":
            stream.send({1, 2})
        raise ClientError("told") if kind == "told" else ValueError("secret")

    @agents.callable(streaming=True)
    async def stream_returns(self, stream, result, ends):
        stream.send(1)
        await asyncio.sleep(0)
        if ends:
            stream.end("ended")
        return result

    @agents.callable(streaming=True)
    def stream_open(self, stream):
        self.streams = [*getattr(self, "streams", ()), stream]
        stream.send("open")

    @agents.callable
    def end_streams(self):
        return [stream.end("ended") for stream in self.streams]

    @agents.callable(streaming=True)
    async def stream_to_nobody(self, stream):
        [connection] = self.get_connections()
        connection.close(4001, "enough")
        done = [stream.send(1), stream.is_closed, stream.end(2)]
        self.sql("create table if not exists failures (text)")
        self.sql("insert into failures values (?)", str(done))

    def private(self):
        return "private"


class Debugged(Base):
    options = {"debug": True}

    @agents.callable
    def fail(self):
        raise ValueError("in detail")
