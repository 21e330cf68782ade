from typing import Annotated, ClassVar

from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    Server,
    route_partykit_request,
)
from partyserver.events import Event, Events, Meta, on
from partyserver.presence import Presence
from workers import Request, Response, WorkerEntrypoint

MOST_TABS = 5


class Draft(Event):  # both ways: {"type": "draft", "text": "Dear"}
    text: Annotated[str, Meta(max_length=2000)]


class People(Event):
    count: int


class Desk(Events, Presence, Server):
    options = {"hibernate": True}
    sends: ClassVar = (Draft, People)
    migrations = ["create table draft (user text primary key, text text)"]

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        user = connection.auth["user"]
        if len(self.tabs_of(user)) > MOST_TABS:  # this one is among them
            raise ClientError(f"this is open {MOST_TABS} times already", code="tabs")
        self.track(connection, user)
        text = self.sql_value("select text from draft where user = ?", user)
        self.emit(Draft(text or ""), to=connection)

    @on
    def draft(self, connection: Connection, event: Draft) -> None:
        user = connection.auth["user"]
        self.sql("insert or replace into draft values (?, ?)", user, event.text)
        self.emit(event, to=self.tabs_of(user), exclude=[connection])

    def on_join(self, key: str, meta: object) -> None:  # the first tab of somebody
        self.emit(People(len(self.present())))

    def on_leave(self, key: str) -> None:  # the last one
        self.emit(People(len(self.present())))

    def tabs_of(self, user: str) -> list[Connection]:
        return [one for one in self.get_connections() if one.auth["user"] == user]


def who(request: Request, lobby: Lobby) -> dict[str, str]:
    name = lobby.query.get("name", "").strip()
    if not 1 <= len(name) <= 32:
        raise ClientError("a name has 1 to 32 characters", code="name")
    return {"user": name}


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env, on_before_connect=who)
        return answer or Response("Not Found", status=404)
