"""The worker of partyflare's tests: its README's example, with every hook."""

from typing import Any

import names
from partyserver import Server
from partyserver.partyflare import Party
from workers import Response, WorkerEntrypoint

#: An author may call what is theirs as they like.
Crowded: Any = names.crowded(Party)


class MyParty(Crowded):
    def on_start(self):
        self.sql("create table if not exists event (text text)")

    def record(self, *event):
        self.sql("insert into event values (?)", " ".join(map(str, event)))

    def get_connection_tags(self, connection, ctx):
        return [ctx.request.url.rpartition("=")[2]]

    def on_connect(self, connection, ctx):
        self.record("connected", connection.id, "to room", self.room)
        connection.send("connected")

    async def on_message(self, connection, message):
        if message == "ids":
            for tag in ([], [connection.tags[1]], [*connection.tags]):
                connection.send_json([one.id for one in self.get_connections(tag)])
        elif message == "me":
            connection.send_json(self.get_connection(connection.id) == connection)
        else:
            self.broadcast(message, [connection.id])

    def on_close(self, connection, code, reason, was_clean):
        self.record("closed", connection.id, code, reason, was_clean)

    def on_error(self, connection, error):
        self.record("error", connection.id)

    def on_request(self, request):
        rows = self.sql("select text from event order by rowid")
        return Response.from_json([self.room, [row["text"] for row in rows]])


class MyPartySleepy(MyParty):
    options = {"hibernate": True}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        hint = "weur" if "hint" in request.url else None
        if "/stub/" in request.url:
            stub = await Party.with_room(self.env.MyParty, "y", hint)
            return await stub.fetch(request.url)
        if "/early" in request.url:
            answer = await Server.party_fetch(
                request, self.env, prefix="early/parties", location_hint=hint
            )
        else:
            answer = await Party.fetch_room_for_request(request, self.env, hint)
        return answer or Response("Not Found", status=404)
