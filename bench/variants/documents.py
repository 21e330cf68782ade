"""Shared documents, as this library's documentation says to write them."""

from partyserver import route_partykit_request
from partyserver.yjs import YServer
from workers import Response, WorkerEntrypoint


class Notes(YServer):
    options = {"hibernate": True}

    def on_request(self, request):
        """How many bytes are stored: of the document, with all that is kept for it."""
        tables = self.sql("select name from sqlite_master where name glob '_partyserver_yjs*'")
        sizes = [self.sql(f"select sum(length(data)) as n from {one['name']}") for one in tables]
        stored = sum(rows[0]["n"] or 0 for rows in sizes)
        return Response.from_json({"stored": stored})


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        answer = await route_partykit_request(request, self.env)
        return answer or Response("none", status=404)
