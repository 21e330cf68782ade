"""`Server[Env]` and `self.ctx`, as rooms.py has the rest."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Never, Protocol, assert_type

from partyserver import (
    Connection,
    ConnectionContext,
    Server,
    get_server_by_name,
    partykit,
    route_partykit_request,
)
from partyserver.events import Event, Events, on
from partyserver.history import History
from partyserver.partyflare import Party
from partyserver.presence import Presence
from partyserver.schedule import Schedule
from workers import Request, Response, WorkerEntrypoint

# --- accepted -------------------------------------------------------------------------


class Env(Protocol):
    Chat: Any
    SECRET: str
    LIMIT: int


class OtherEnv:
    GREETING: str


class Typed(Server[Env]):
    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        assert_type(self.env, Env)
        assert_type(self.env.SECRET, str)

    async def announce(self, text: str) -> None:
        other = await get_server_by_name(self.env.Chat, "lobby")
        await other.announce(text)

    async def on_request(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response(str(self.env.LIMIT), status=404)


class Derived(Typed):
    def __init__(self, ctx: Any, env: Env) -> None:
        super().__init__(ctx, env)
        assert_type(self.env.LIMIT, int)


class Declared(Server):
    env: Env

    def on_alarm(self) -> None:
        assert_type(self.env.SECRET, str)


class Untyped(Server):
    def on_alarm(self) -> None:
        assert_type(self.env, Any)
        assert_type(self.env.anything, Any)


class Say(Event):
    text: str


class Mixed(Events, Schedule, Presence, History, Server[OtherEnv]):
    @on
    def say(self, connection: Connection, event: Say) -> None:
        assert_type(self.env.GREETING, str)


class MixedBehind(Server["OtherEnv"], Presence, Events):
    def on_leave(self, key: str) -> None:
        assert_type(self.env.GREETING, str)


class Shared[E: Env](Server[E]):
    def limit(self) -> int:
        return self.env.LIMIT


class OfShared(Shared[Env]):
    def on_alarm(self) -> None:
        assert_type(self.env, Env)
        assert_type(self.limit(), int)


class Flare(Party[Env]):
    def on_alarm(self) -> None:
        assert_type(self.env.SECRET, str)


class Ported(partykit.Server[Env]):
    def on_start(self) -> None:
        assert_type(self.room.env.SECRET, str)

    def on_rate_limited(self) -> None: ...

    def on_close(self) -> None: ...

    def on_request(self) -> Response:
        return Response(self.room.env.SECRET)


class PortedWithRoom(Schedule, partykit.Server[Env]):
    def __init__(self, room: partykit.Room[Env]) -> None:
        super().__init__(room)
        assert_type(room.env.LIMIT, int)


class PortedWithAnyRoom(partykit.Server):
    def __init__(self, room: partykit.Room) -> None:
        self.room = room
        assert_type(room.env, Any)


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        assert_type(self.env.SECRET, str)
        return await route_partykit_request(request, self.env) or Response("", status=404)


def takes_any_room(room: Server) -> str:
    return room.name


def gives_rooms(typed: Typed, mixed: Mixed, untyped: Untyped) -> list[str]:
    return [takes_any_room(room) for room in (typed, mixed, untyped)]


class Stored(Server):
    async def on_start(self) -> None:
        storage = self.ctx.storage
        assert_type(await storage.get("key"), Any)
        assert_type(await storage.get(["a", "b"]), dict[str, Any])
        assert_type(await storage.list(prefix="a", limit=1), dict[str, Any])
        assert_type(await storage.list({"prefix": "a"}), dict[str, Any])
        assert_type(await storage.delete("key"), bool)
        assert_type(await storage.delete(["a", "b"]), int)
        await storage.put("key", {"any": ["value"]})
        await storage.put({"a": 1, "b": 2})
        if await storage.getAlarm() is None:
            await storage.setAlarm(1_000_000)
            await storage.setAlarm(datetime.now(UTC))
        await storage.deleteAlarm()
        await storage.deleteAll()
        await storage.sync()
        await asyncio.gather(storage.get("a"), storage.put("b", 1))
        self.ctx.waitUntil(self.later())
        self.ctx.waitUntil(asyncio.create_task(storage.sync()))
        await self.ctx.blockConcurrencyWhile(self.later)
        assert_type(self.ctx.id.toString(), Any)
        assert_type(storage.sql.databaseSize, Any)
        assert_type(storage.transactionSync(dict), Any)
        assert_type(await storage.transaction(self.in_transaction), Any)
        # What is not named in these types is there all the same.
        assert_type(await storage.getCurrentBookmark(), Any)
        assert_type(self.ctx.getWebSockets(), Any)

    async def later(self) -> None: ...

    async def in_transaction(self, transaction: Any) -> int:
        return 1

    def end(self) -> Never:
        self.ctx.abort("over")


# --- refused --------------------------------------------------------------------------


class Misread(Server[Env]):
    def on_alarm(self) -> None:
        print(self.env.SECRT)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]
        number: int = self.env.SECRET  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
        print(number)


class TwoEnvs(Server[Env, OtherEnv]):  # type: ignore[type-arg]  # pyright: ignore[reportInvalidTypeArguments]
    pass


class Forgetful(Server):
    async def on_start(self) -> None:
        self.ctx.storage.put("key", 1)  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
        await self.ctx.storage.setAlarm("soon")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.ctx.waitUntil(self.on_start)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def internals(server: Server) -> None:
    """What JavaScript calls is not for users, nor for what editors show them."""
    print(server.webSocketMessage)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]
    print(server.alarm)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]
    print(server.setName)  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType, reportAttributeAccessIssue]
