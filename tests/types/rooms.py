"""Rooms, as users write them: what type checkers accept, and what they refuse.

Not run but read, by mypy and by pyright, each in its strict mode. A line that must be refused has
both of their ignores, and an ignore that is not needed is an error.
"""

from collections.abc import Iterator
from typing import Any, assert_type

from partyserver import (
    ClientError,
    Connection,
    ConnectionClosedError,
    ConnectionContext,
    Query,
    RateLimit,
    Server,
    StateTooLargeError,
    auth_of,
    parse_json,
    path_of,
    query_of,
)
from workers import Request, Response

# --- accepted -------------------------------------------------------------------------


class Nothing(Server):
    pass


class Plain(Server):
    options = {"hibernate": True, "duplicate_ids": "reject", "max_message_size": 1024}

    def on_start(self) -> None:
        self.count = 0
        self.sql("create table if not exists message (id integer primary key, text text)")

    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> list[str]:
        return [ctx.request.headers.get("x-team") or "none"]

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send(f"welcome to {self.name}")
        connection.set_state({"score": 0})

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.count += 1
        connection.set_state(lambda state: {**state, "score": state["score"] + 1})
        self.broadcast(message, exclude=[connection.id])
        self.broadcast(b"binary", [connection.id])
        self.broadcast(message, to="red")
        self.broadcast(message, to=connection)
        self.broadcast_json({"score": 1}, to=self.get_connections("red"), exclude=[connection])

    def on_close(self, connection: Connection, code: int, reason: str, was_clean: bool) -> None: ...

    def on_error(self, connection: Connection, error: Exception) -> None: ...

    def on_request(self, request: Request) -> Response:
        return Response(request.url)

    def on_alarm(self) -> None: ...

    def on_exception(self, error: Exception) -> None:
        super().on_exception(error)


class Awaiting(Server):
    async def on_start(self, props: Any = None) -> None:
        await super().on_start(props)

    async def get_connection_tags(
        self, connection: Connection, ctx: ConnectionContext
    ) -> tuple[str, ...]:
        return ("red", "captain")

    async def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        if await self.ctx.storage.getAlarm() is None:
            await self.ctx.storage.setAlarm(60_000)

    async def on_message(self, connection: Connection, message: str | bytes) -> None:
        try:
            connection.send_json(parse_json(message))
        except ConnectionClosedError, StateTooLargeError, ValueError:
            connection.close(4000, "not JSON")

    async def on_close(
        self, connection: Connection, code: int, reason: str, was_clean: bool
    ) -> None: ...

    async def on_error(self, connection: Connection, error: Exception) -> None: ...

    async def on_request(self, request: Request) -> Response:
        return Response(await request.text())

    async def on_alarm(self) -> None: ...

    async def on_exception(self, error: Exception) -> None: ...

    async def fetch(self, request: Request) -> Response:
        return await super().fetch(request)


RATE: RateLimit = {"messages": 20, "per": 1.0, "burst": 40, "action": "drop"}


class Limited(Server):
    options = {"rate": RATE, "max_connections": 100}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        if ctx.auth is None or ctx.path != "play":
            raise ClientError("members only", status=403, code="who")
        connection.set_state({"color": ctx.query.get("color", "grey")})

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.broadcast_json({"by": connection.auth["user"]}, exclude=[connection])
        raise ClientError("not now", code=7)

    def on_rate_limited(self, connection: Connection) -> None:
        connection.send_json({"type": "slow down"})

    def on_request(self, request: Request) -> Response:
        return Response.from_json([auth_of(request), path_of(request), {**query_of(request)}])


class LimitedLater(Server):
    options = {"rate": {"messages": 0.5}, "max_connections": None}

    async def on_rate_limited(self, connection: Connection) -> None: ...


class WithProps(Server):
    def on_start(self, props: dict[str, str] | None) -> None: ...


class WithKeywordProps(Server):
    def on_start(self, *, props: Any) -> None: ...


class Queries(Server):
    options = {}
    migrations = [
        "create table message (id integer primary key, text text)",
        "alter table message add column author text",
    ]

    def move(self, from_: str, amount: int = 1) -> bool:
        return self.kv.get(from_) == amount

    def moved(self) -> bool:
        assert_type(self.transaction(self.move, "a", 1), bool)
        return self.transaction(self.move, "a")

    def since(self, last: int) -> list[dict[str, Any]]:
        self.sql("insert into message (text) values (?)", "text")
        return self.sql(t"select * from message where id > {last}")


def what_things_are(
    server: Server, connection: Connection, ctx: ConnectionContext, request: Request
) -> None:
    assert_type(server.name, str)
    assert_type(server.get_connection("id"), Connection | None)
    connections: Iterator[Connection] = server.get_connections("red")
    assert_type(next(connections), Connection)
    assert_type(len(server.get_connections(["red", "captain"])), int)
    assert_type([one.id for one in server.get_connections()], list[str])
    assert_type(server.sql("select 1"), list[dict[str, Any]])
    assert_type(server.sql_one("select ? as a", 1), dict[str, Any] | None)
    assert_type(server.sql_value("select 1"), Any)
    assert_type(server.sql_json(t"select {1}"), str)
    assert_type(server.transaction(len, "text"), int)
    assert_type(server.kv["key"], Any)
    assert_type(server.kv.list(prefix="k", limit=1), dict[str, Any])
    server.kv["key"] = {"a": 1}
    del server.kv["key"]
    assert_type(connection.tags, tuple[str, ...])
    assert_type(connection.is_open, bool)
    assert_type(connection.auth, Any)
    assert_type(ctx.auth, Any)
    assert_type(auth_of(request), Any)
    assert_type(connection.query, Query)
    assert_type(ctx.query["team"], str)
    assert_type(ctx.query.get("team"), str | None)
    assert_type(query_of(request).get_all("tag"), list[str])
    assert_type(ctx.path, str)
    assert_type(path_of(request), str)
    error = ClientError("no")
    assert_type(error.message, str)
    assert_type(error.status, int)
    assert_type(error.code, str | int | None)


# --- refused --------------------------------------------------------------------------


class Misspelt(Server):
    options = {"hibernat": True}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]


class OneStatement(Server):
    migrations = 1  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


class NoSuchChoice(Server):
    options = {"duplicate_ids": "refuse"}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]


class NoSuchAction(Server):
    options = {"rate": {"messages": 1, "action": "wait"}}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]


class NoMessages(Server):
    options = {"rate": {"per": 1.0}}  # type: ignore[typeddict-item]  # pyright: ignore[reportAssignmentType]


class Wrong(Server):
    def on_connect(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, connection: Connection
    ) -> None: ...

    def on_message(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, connection: Connection, message: str
    ) -> None: ...

    def on_request(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: str
    ) -> Response:
        return Response(request)

    def on_alarm(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, info: Any
    ) -> None: ...

    def on_rate_limited(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, connection: Connection, message: str
    ) -> None: ...


def misuse(server: Server, connection: Connection) -> None:
    server.brodcast("text")  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    server.broadcast({"not": "text"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.transaction(len, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.kv[1] = 1  # type: ignore[index]  # pyright: ignore[reportArgumentType]
    server.broadcast("", without=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    server.get_connection("id").send("text")  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    connection.send(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.close("4000")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    server.broadcast("", exclude=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    server.broadcast("", [], "red")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    server.broadcast("", to=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.auth = {}  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    ClientError("no", 400)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    ClientError("no", status="400")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connection.id = "other"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
