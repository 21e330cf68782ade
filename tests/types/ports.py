"""Ports of PartyKit and partyflare, and the testing kit, as rooms.py has the rest."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, assert_type

import httpx
from partyserver import Server, partykit
from partyserver.partyflare import Party
from partyserver.schedule import Retry, Schedule, Scheduled
from partyserver.testing import Party as TestedParty
from partyserver.testing import Room, Socket
from workers import Request, Response, WorkerEntrypoint

# --- accepted -------------------------------------------------------------------------


class Whole(partykit.Server):
    options = {"hibernate": True}

    def __init__(self, room: partykit.Room) -> None:
        self.room = room
        self.messages: list[str | bytes] = []

    async def on_start(self) -> None:
        self.messages = await self.room.storage.get("messages") or []

    def on_connect(
        self, connection: partykit.Connection, ctx: partykit.ConnectionContext
    ) -> None: ...

    async def on_message(self, message: str | bytes, sender: partykit.Connection) -> None:
        self.room.broadcast(message, [sender.id])

    async def on_request(self, request: Request) -> Response:
        return Response(await request.text())

    @staticmethod
    async def on_before_connect(
        request: Request, lobby: partykit.Lobby, ctx: object
    ) -> Request | Response:
        return request

    @staticmethod
    async def on_before_request(
        request: Request, lobby: partykit.Lobby, ctx: object
    ) -> tuple[Request, dict[str, str]]:
        return request, {"user": lobby.query.get("user", lobby.path)}

    def on_rate_limited(self, connection: partykit.Connection) -> None:
        assert_type(connection.auth, Any)

    @staticmethod
    async def on_cron(cron: partykit.Cron, lobby: partykit.CronLobby, ctx: object) -> None:
        await lobby.parties.other.get(cron.name).fetch(method="POST")


class Shorter(partykit.Server):
    """Hooks may leave out arguments at their end."""

    def on_connect(self, connection: partykit.Connection) -> None: ...

    def on_message(self, message: str | bytes) -> None:
        self.room.broadcast(message)

    def on_error(self, connection: partykit.Connection) -> None: ...

    def get_connection_tags(self, connection: partykit.Connection) -> list[str]:
        return [connection.id]

    @staticmethod
    def on_before_connect(request: Request) -> Request:
        return request

    @staticmethod
    def on_before_request(request: Request, lobby: partykit.Lobby) -> Response | None:
        return None

    @staticmethod
    async def on_fetch(request: Request) -> Response:
        return Response(request.url)

    @staticmethod
    async def on_socket(socket: partykit.FetchSocket) -> None: ...


Default = partykit.entrypoint(Whole, parties={"other": Shorter}, crons={"daily": "0 0 * * *"})
assert_type(Default, type[WorkerEntrypoint])


class Flare(Party):
    def on_message(self, connection: partykit.Connection, message: str | bytes) -> None:
        self.broadcast(f"in {self.room}", [connection.id])


class Timed(Schedule, Server):
    async def on_start(self) -> None:
        timer = await self.schedule(30, self.close, {"why": "late"}, idempotent=True)
        assert_type(timer, Scheduled)
        assert_type(timer.time, datetime)
        assert_type(timer.type, Literal["delayed", "scheduled", "cron", "interval"])
        await self.schedule(timedelta(hours=1), "close", retry=Retry(max_attempts=1))
        await self.schedule(timer.time, "close")
        await self.schedule("0 9 * * 1", self.remind)
        assert_type(await self.schedule_every(60, self.remind), Scheduled)
        assert_type(self.get_schedule(timer.id), Scheduled | None)
        assert_type(self.list_schedules(type="cron", before=timer.time), list[Scheduled])
        assert_type(await self.cancel_schedule(timer.id), bool)

    def close(self, payload: dict[str, str]) -> None: ...

    async def remind(self) -> None: ...


class TimedParty(Schedule, partykit.Server):
    async def on_start(self) -> None:
        await self.schedule(30, self.close)

    def close(self) -> None: ...


def test_with_the_kit(party: TestedParty) -> None:
    room = party.room("Chat", "lobby")
    assert_type(room, Room)
    assert_type(room.fetch("/"), httpx.Response)
    with room.connect(id="a", query={"from": "mail"}) as a:
        assert_type(a, Socket)
        assert_type(a.receive(), str | bytes)
        room.hibernate()
    assert_type(room.run_due(at=datetime.now(UTC)), int)


# --- refused --------------------------------------------------------------------------


class Misspelt(partykit.Server):
    options = {"hibernat": True}  # type: ignore[typeddict-unknown-key]  # pyright: ignore[reportAssignmentType]


class NoParty: ...


partykit.entrypoint(NoParty)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
partykit.entrypoint(Whole, partys={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class Mistimed(Schedule, Server):
    async def on_start(self) -> None:
        await self.schedule(None, self.on_start)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        await self.schedule(1, self.on_start, retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.list_schedules(type="weekly")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
