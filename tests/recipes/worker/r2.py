import uuid
from typing import Any, Protocol

from partyserver import ClientError, Server, path_of, route_partykit_request
from workers import Request, Response, WorkerEntrypoint

MAX_BYTES = 5_000_000
KINDS = {"image/png", "image/jpeg", "image/webp"}


class Env(Protocol):
    Album: Any
    FILES: Any  # an R2 bucket


class Album(Server[Env]):
    options = {"hibernate": True}
    migrations = ["create table file (id text primary key, kind text, size integer)"]

    async def on_request(self, request: Request) -> Response:
        path = path_of(request)
        if request.method == "GET" and not path:
            return Response.from_json(self.sql("select * from file limit 1000"))
        if request.method == "POST" and not path:
            return await self.add(request)
        file = self.sql_one("select * from file where id = ?", path)
        if request.method == "GET" and file:  # a file that this room knows, and no other key
            stored = await self.env.FILES.get(self.key(file["id"]))
            if stored is None:
                raise ClientError("there is no such file", status=404)
            headers = {"content-type": file["kind"], "x-content-type-options": "nosniff"}
            return Response(stored.body, headers=headers)
        raise ClientError("there is no such file", status=404)

    async def add(self, request: Request) -> Response:
        kind, length = request.headers.get("content-type"), request.headers.get("content-length")
        if not (length or "").isdecimal() or int(length or 0) > MAX_BYTES:
            raise ClientError(f"a file has at most {MAX_BYTES} bytes", status=413)
        if kind not in KINDS:
            raise ClientError(f"a file is one of {', '.join(sorted(KINDS))}", status=415)
        id = str(uuid.uuid4())
        body = await request.bytes()
        # First the file: an entry without one would be a broken picture.
        await self.env.FILES.put(self.key(id), body)
        self.sql("insert into file values (?, ?, ?)", id, kind, len(body))
        self.broadcast_json({"type": "file", "id": id, "kind": kind})
        return Response.from_json({"id": id}, status=201)

    def key(self, id: str) -> str:
        return f"album/{self.name}/{id}"


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
