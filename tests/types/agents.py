"""Agents, as users with strict type checkers have them."""

from typing import Any, Protocol, assert_type

from partyserver import Connection, ConnectionContext, agents
from partyserver.schedule import Scheduled
from workers import Request, Response

# --- accepted -------------------------------------------------------------------------


class Env(Protocol):
    GREETING: str
    Counter: Any


class Counter(agents.Agent[Env]):
    initial_state = {"count": 0}
    options = {"client_state": "merge", "send_identity": False, "debug": True}

    @agents.callable
    def add(self, by: int, note: str = "") -> int:
        with self.change() as state:
            state["count"] += by
        self.set_state({"count": 1})
        assert_type(self.env.GREETING, str)
        return len(self.state)

    @agents.callable(streaming=True, description="counts")
    async def count_to(self, stream: agents.StreamingResponse, n: int) -> None:
        assert_type(stream.send({"n": n}), bool)
        assert_type(stream.is_closed, bool)
        stream.error("no")
        stream.end()

    def validate_state_change(self, state: dict[str, int], source: Any) -> None: ...

    async def on_state_changed(self, state: dict[str, int], source: Connection | str) -> None: ...

    def should_connection_be_readonly(self, connection: Connection, ctx: ConnectionContext) -> bool:
        return ctx.path == "screen"

    async def should_send_protocol_messages(
        self, connection: Connection, ctx: ConnectionContext
    ) -> bool:
        return True

    async def work(self, connection: Connection) -> None:
        self.set_connection_readonly(connection)
        assert_type(self.is_connection_readonly(connection), bool)
        assert_type(await self.queue(self.remind, {"a": 1}), str)
        assert_type(self.get_queue(), list[agents.Queued])
        assert_type(self.get_queue("1"), agents.Queued | None)
        assert_type(self.dequeue("1"), bool)
        assert_type(self.dequeue_all("remind"), int)
        assert_type(await self.schedule(1, self.remind), Scheduled)
        assert_type(self.get_callable_methods(), dict[str, agents.CallableInfo])
        await self.retry(lambda: None, max_attempts=2, should_retry=lambda error, attempt: True)
        await self.destroy()

    def remind(self, payload: Any) -> None: ...


async def route(request: Request, env: Env) -> Response:
    counter = await agents.get_agent_by_name(env.Counter, "lobby", location_hint="weur")
    await counter.add(1)
    return await agents.route_agent_request(request, env, cors=True) or Response("no", status=404)


def call(counter: Counter) -> None:
    assert_type(counter.add(1), int)
    assert_type(agents.current_agent(), agents.CurrentAgent)
    assert_type(agents.current_agent().connection, Connection | None)


# --- refused --------------------------------------------------------------------------


class Wrong(agents.Agent):
    options = {"client_state": "no"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]

    def on_state_changed(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, state: Any
    ) -> None: ...


def misuse(counter: Counter) -> None:
    counter.add("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    agents.callable(stream=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    counter.set_connection_readonly("a")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
