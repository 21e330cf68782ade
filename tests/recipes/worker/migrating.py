from typing import Annotated

from partyserver import Connection, Server, route_partykit_request
from partyserver.events import Event, Events, Meta, on
from workers import Request, Response, WorkerEntrypoint


class Add(Event):
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Done(Event):
    id: int


class Notes(Events, Server):
    options = {"hibernate": True}
    migrations = [
        "create table note (id integer primary key, text text not null)",  # version 2
        "alter table note add column done integer not null default 0",  # version 3
        "create index note_done on note (done)",
    ]

    def on_start(self) -> None:
        if "notes" in self.kv:
            self.transaction(self.move_notes)

    def move_notes(self) -> None:
        """Version 1 had a list of texts in `kv`."""
        for text in self.kv.pop("notes"):
            self.sql("insert into note (text) values (?)", text)

    @on
    def add(self, connection: Connection, event: Add) -> None:
        self.sql("insert into note (text) values (?)", event.text)
        self.broadcast(self.as_json())

    @on
    def done(self, connection: Connection, event: Done) -> None:
        self.sql("update note set done = 1 where id = ?", event.id)
        self.broadcast(self.as_json())

    def on_request(self, request: Request) -> Response:
        return Response(self.as_json(), headers={"content-type": "application/json"})

    def as_json(self) -> str:
        return self.sql_json("select id, text, done from note order by id")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
