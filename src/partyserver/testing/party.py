"""Party and Room: the running worker and one Durable Object of it, as a test sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from ..names import kebab_case
from .logs import Logs
from .runtime import RoomClass, Runtime, RuntimeCommandError
from .socket import Socket

#: Seconds. Generous: a first request imports the user's modules.
FETCH_TIMEOUT = 30.0

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
Query = Mapping[str, str] | Sequence[tuple[str, str]]


class Party:
    """The worker under test, with empty storage: what the fixture `party` gives."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._sockets: list[Socket] = []
        self._client = httpx.Client(timeout=FETCH_TIMEOUT, trust_env=False)
        runtime.flush()
        self._log_start = len(runtime.log.lines)

    @property
    def url(self) -> str:
        """Where the worker listens, without a slash at the end."""
        return self._runtime.url

    @property
    def logs(self) -> Logs:
        """What the runtime has logged since the test began, complete up to this moment."""
        self._runtime.flush()
        return Logs(self._runtime.log, self._log_start)

    def fetch(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Send an HTTP request to the worker. `options` are those of `httpx.Client.request`."""
        try:
            return self._client.request(method, self.url + path, **options)
        except httpx.TransportError as error:
            error.add_note(self.logs.as_note().lstrip())
            raise

    def connect(
        self,
        path: str,
        *,
        query: Query | None = None,
        headers: Headers | None = None,
        subprotocols: Sequence[str] | None = None,
        origin: str | None = None,
    ) -> Socket:
        """Open a WebSocket to a path of the worker.

        Raises:
            UpgradeError: the worker answered with an ordinary response.
        """
        return self._connect(path, None, query, headers, subprotocols, origin)

    def room(self, binding: str, name: str) -> Room:
        """A Durable Object, by the name of its binding (or of its class) and its own name."""
        return Room(self, self._find(binding), name)

    def restart(self) -> None:
        """Kill the runtime and start it again under the same URL.

        Storage and alarms are kept; sockets and all memory are lost. Overdue alarms fire at once.
        """
        self._client.close()
        self._client = httpx.Client(timeout=FETCH_TIMEOUT, trust_env=False)
        self._runtime.restart()

    def close(self) -> None:
        """Close what is open and empty the storage, for the next test to start afresh."""
        for socket in self._sockets:
            if socket.is_open:
                socket.drop()
        self._client.close()
        self._runtime.wipe()

    def _connect(
        self,
        path: str,
        id: str | None,
        query: Query | None,
        headers: Headers | None,
        subprotocols: Sequence[str] | None,
        origin: str | None,
    ) -> Socket:
        url = self.url.replace("http", "ws", 1) + path
        if query:
            url += ("&" if "?" in path else "?") + urlencode(query)
        socket = Socket(
            url,
            id=id,
            headers=headers,
            subprotocols=subprotocols,
            origin=origin,
            log_note=lambda: self.logs.as_note(),
        )
        self._sockets.append(socket)
        return socket

    def _find(self, binding: str) -> RoomClass:
        rooms = self._runtime.rooms
        for room in rooms:
            if room.binding == binding:
                return room
        for room in rooms:
            if room.class_name == binding:
                return room
        known = ", ".join(room.binding for room in rooms) or "none"
        raise LookupError(
            f"no Durable Object binding {binding!r} in the wrangler config; its bindings: {known}"
        )


class Room:
    """One Durable Object, under the URL that partyserver's routing gives it."""

    def __init__(self, party: Party, room_class: RoomClass, name: str) -> None:
        self._party = party
        self._class = room_class
        #: The name as the server has it: the segment of the URL, with its percent-encoding.
        self.name = quote(name, safe="")
        self._path = f"/parties/{kebab_case(room_class.binding)}/{self.name}"

    @property
    def url(self) -> str:
        return self._party.url + self._path

    def fetch(self, path: str = "/", method: str = "GET", **options: Any) -> httpx.Response:
        """Send an HTTP request to the room. `path` is what follows the room's URL."""
        return self._party.fetch(self._path + path, method, **options)

    def connect(
        self,
        *,
        id: str | None = None,
        query: Query | None = None,
        headers: Headers | None = None,
        subprotocols: Sequence[str] | None = None,
        origin: str | None = None,
        path: str = "",
    ) -> Socket:
        """Open a WebSocket to the room.

        `id` is the connection's id (`_pk` in the query); without one the server makes it.

        Raises:
            UpgradeError: the upgrade was answered with an ordinary response.
        """
        pairs = list(query.items() if isinstance(query, Mapping) else query or ())
        if id is not None:
            pairs.insert(0, ("_pk", id))
        return self._party._connect(self._path + path, id, pairs, headers, subprotocols, origin)

    def hibernate(self) -> None:
        """Evict the room from memory and keep its sockets, as the platform does when it idles.

        Raises:
            TimeoutError: something keeps the room in memory, as it would on the platform.
        """
        try:
            self._party._runtime.hibernate(self._class, self.name)
        except RuntimeCommandError:
            raise TimeoutError(
                f"{self!r} does not hibernate: an open socket that was not accepted for "
                'hibernation (options = {"hibernate": True}), a running handler or a pending '
                f"task keeps it in memory{self._party.logs.as_note()}"
            ) from None

    def evict(self) -> None:
        """Evict the room from memory and close its sockets, as a deployment does.

        Sockets that were not accepted for hibernation keep a room in memory, and the runtime can
        evict such a room only together with all others: their sockets are closed then too.
        """
        self._party._runtime.evict(self._class, self.name)

    def __repr__(self) -> str:
        return f"<Room {self._class.binding} {self.name!r}>"
