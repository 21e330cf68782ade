"""A notebook: each note is a room with a shared document, found by its name in the URL.

`POST /notes` makes the name and the key of a new one. The page asks three things of
`/parties/notes/NAME`: a WebSocket, `/history`, and `/history/TIME`. It sends the key of its link
with each, as `Authorization: Bearer KEY`. A browser's WebSocket has no such header: its URL ends
in `?key=KEY`.
"""

import json
import logging
import re
import time
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

from links import DEVELOPMENT_SECRET, MISSING, UNSAFE, make_key, make_name, right_of, secret_for
from partyserver import (
    ClientError,
    Connection,
    ConnectionContext,
    Lobby,
    path_of,
    route_partykit_request,
)
from partyserver.yjs import YServer
from snapshots import LARGEST, outdated
from workers import Request, Response, WorkerEntrypoint

#: What somebody with a link may see is kept by no cache.
PRIVATE = {"Cache-Control": "no-store"}


class Env(Protocol):
    NOTES_SECRET: str | None  # a secret. On localhost it may be missing


@cache
def warn() -> None:
    """Once in each start of the worker."""
    logging.warning(UNSAFE)


class Notes(YServer[Env]):
    # The room does not know what the text says: it keeps edits, and sends them on.
    options = {
        "hibernate": True,
        "max_connections": 50,
        "max_message_size": 4_000_000,
        # Each key that somebody types is two messages: the edit, and where the cursor is then.
        "rate": {"messages": 200, "burst": 1000},
        "debounce_max_wait": 30,
    }
    migrations = ["create table snapshot (at integer primary key, document blob not null)"]

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        # For the page. What somebody may do is decided below, and not by what their page knows.
        self.send_custom_message(connection, json.dumps(connection.auth))

    def is_read_only(self, connection: Connection) -> bool:
        auth = connection.auth  # each access reads it anew
        return auth is None or auth["right"] != "edit"

    async def on_save(self, update: bytes) -> None:
        """Some seconds after an edit, and when the last one has left: keep a snapshot."""
        now = int(time.time())
        last = self.sql_one("select document from snapshot order by at desc limit 1")
        if last is not None and last["document"] == update:
            return
        if len(update) > LARGEST:
            logging.warning("a note of %d bytes is too large for a snapshot", len(update))
            return
        self.sql("insert or replace into snapshot values (?, ?)", now, update)
        rows = self.sql("select at, length(document) as size from snapshot")
        for at in outdated([(row["at"], row["size"]) for row in rows], now):
            self.sql("delete from snapshot where at = ?", at)

    def on_request(self, request: Request) -> Response:
        if request.method != "GET":
            return Response("Method Not Allowed", status=405, headers={"Allow": "GET"})
        match path_of(request).split("/"):
            case ["history"]:
                times = self.sql("select at from snapshot order by at desc")
                return Response.from_json([row["at"] for row in times], headers=PRIVATE)
            case ["history", at] if re.fullmatch(r"\d{1,12}", at, re.ASCII):
                row = self.sql_one("select document from snapshot where at = ?", int(at))
                if row is not None:
                    return Response(row["document"], headers=PRIVATE)
            case _:
                pass
        return Response("Not Found", status=404)


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        # The files of public/ are served before this runs.
        if urlsplit(request.url).path == "/notes":
            return self.make_note(request)
        answer = await route_partykit_request(
            request,
            self.env,
            on_before_connect=self.check_socket,
            on_before_request=self.check_request,
        )
        return answer or Response("Not Found", status=404)

    def make_note(self, request: Request) -> Response:
        if request.method != "POST":
            return Response("Method Not Allowed", status=405, headers={"Allow": "POST"})
        secret = self.secret(request)
        if secret is None:
            return Response(MISSING, status=500)
        name = make_name()
        note = {"name": name, "key": make_key(secret, name, "edit")}
        return Response.from_json(note, headers=PRIVATE)

    def check_socket(self, request: Request, lobby: Lobby) -> dict[str, str]:
        return self.check(request, lobby, lobby.query.get("key", ""))

    def check_request(self, request: Request, lobby: Lobby) -> dict[str, str]:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        return self.check(request, lobby, key if scheme == "Bearer" else "")

    def check(self, request: Request, lobby: Lobby, key: str) -> dict[str, str]:
        """What somebody may do, by the key of their link. The room has it as `connection.auth`."""
        secret = self.secret(request)
        if secret is None:
            raise ClientError(MISSING)
        right = right_of(secret, lobby.name, key)
        if right is None:
            raise ClientError("This link is none of a note. Ask for it again.", status=403)
        # Who may edit may let others read.
        return {"right": right, "read": make_key(secret, lobby.name, "read")}

    def secret(self, request: Request) -> str | None:
        host = urlsplit(request.url).hostname or ""
        secret = secret_for(host, getattr(self.env, "NOTES_SECRET", None))
        if secret == DEVELOPMENT_SECRET:
            warn()
        return secret
