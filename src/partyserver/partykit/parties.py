"""The other rooms of a project, and how to talk to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workers import Request, Response

from ..incoming import NAMESPACE_HEADER, PREFIX_HEADER
from ..runtime import JsProxy
from .project import Project
from .socket import Socket

#: Requests between rooms never leave the platform; a URL has to have a host.
HOST = "https://partykit.internal"


class Parties:
    """The parties of a project: `parties.other`, or `parties["other"]`.

    Raises:
        UnknownPartyError: `partykit.entrypoint` was not told of such a party.
        MissingBindingError: the wrangler config does not bind its class.
    """

    def __init__(self, project: Project, env: Any) -> None:
        self._project = project
        self._env = env

    def __getattr__(self, name: str) -> Party:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Party:
        name = self._project.party_name(name)
        return Party(name, self._project.binding(self._env, name)[1])


class Party:
    """One party of a project, of which `get` gives rooms."""

    def __init__(self, name: str, namespace: Any) -> None:
        self.name = name
        self._namespace = namespace

    def get(self, id: str) -> Stub:
        """The room with this id, as its URL carries it: percent-encoded."""
        if not isinstance(id, str) or not id:
            raise ValueError(f"a room's id is a str that is not empty, not {id!r}")
        stub = self._namespace.get(self._namespace.idFromName(id))
        return Stub(stub, self.name, f"{HOST}/parties/{self.name}/{id}")


class Stub:
    """A room, as other rooms and the worker see it.

    Its hooks before a request do not run: they guard the way in from outside.

        other = self.room.context.parties.other.get("room-id")
        response = await other.fetch(method="POST", body="hello")
        socket = await other.socket()
    """

    def __init__(self, stub: Any, party: str, url: str) -> None:
        self._stub = stub
        self._party = party
        self._url = url

    async def fetch(
        self,
        path: str = "",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Response:
        """Send the room an HTTP request, which its `on_request` answers.

        Args:
            path: what follows the room's URL: "/history?limit=10".
            method: "GET", "POST", ...
            headers: the request's headers.
            body: str, bytes, or what else `workers.Request` takes.

        Raises:
            ValueError: the path does not begin with a slash or a question mark.
        """
        return Response(await self._send(path, method=method, headers=headers or {}, body=body))

    async def socket(self, path: str = "", *, headers: Mapping[str, str] | None = None) -> Socket:
        """Open a WebSocket to the room, whose `on_connect` is called.

        While it is open, the room that opened it stays in memory.

        Raises:
            ConnectionError: the room answered with an ordinary response.
        """
        upgrade = {"upgrade": "websocket", **(headers or {})}
        response = await self._send(path, headers=upgrade)
        if response.status != 101:
            raise ConnectionError(f"{self!r} answered the upgrade with {response.status}")
        return Socket(response.webSocket)

    async def _send(self, path: str, **options: Any) -> JsProxy:
        if path and path[0] not in "/?":
            raise ValueError(f"a path begins with a slash or a question mark, not {path!r}")
        request = Request(self._url + path, **options)
        request.js_object.headers.set(NAMESPACE_HEADER, self._party)
        # It may have come with the headers of a request that is passed on, whose URL was another.
        request.js_object.headers.delete(PREFIX_HEADER)
        return await self._stub.fetch(request.js_object)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<Stub of {self._url.removeprefix(HOST)}>"
