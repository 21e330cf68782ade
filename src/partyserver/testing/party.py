"""Party and Room: the running worker and one Durable Object of it, as a test sees them."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from ..rules.names import kebab_case
from ..rules.timers import milliseconds_of
from .errors import RuntimeCommandError, RuntimeLostError
from .evictions import Address, Evictions
from .logs import TIMEOUT, Logs
from .runtime import SUSPICION, RoomClass, Runtime
from .socket import Socket, abandon

#: Seconds. Generous: a first request imports the user's modules. (`party_timeout` may be longer.)
FETCH_TIMEOUT = 30.0
ALARM_TIMEOUT = 25.0

Headers = Mapping[str, str] | Sequence[tuple[str, str]]
Query = Mapping[str, str] | Sequence[tuple[str, str]]


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all clients: each would read the certificates anew, for 20 ms."""
    return httpx.create_ssl_context(trust_env=False)


class AlarmError(Exception):
    """What `Room.run_alarm` or `Room.run_due` was to run has failed.

    The message says why: it holds the traceback of a hook or a callback that has raised, or the
    reason with which the object was aborted, and the worker's log.
    """

    __module__ = "partyserver.testing"  # where users have it from, in messages


class Party:
    """The worker under test, with empty storage: what the fixture `party` gives."""

    def __init__(self, runtime: Runtime, *, chaos: bool = False, timeout: float = TIMEOUT) -> None:
        runtime.begin()
        self._runtime = runtime
        self._timeout = timeout
        self._loss_is_told = False
        self._evictions = Evictions(runtime, chaos=chaos)
        self._sockets: list[tuple[Socket, Address | None]] = []
        self._client = self._new_client()
        self._log_start = len(runtime.log.lines)

    @property
    def url(self) -> str:
        """Where the worker listens, without a slash at the end."""
        return self._runtime.url

    @property
    def logs(self) -> Logs:
        """What the runtime has logged since the test began, complete up to this moment.

        Raises:
            RuntimeLostError: the worker no longer answers. From then on, `logs` is what it had
                logged before.
        """
        self._flush()
        return self._logs_so_far()

    @property
    def losses(self) -> str:
        """What rooms have lost in evictions since the test began, one attribute on each line.

        Lost is what was set or changed after the room's start, and was not there again after its
        next start. A failing test shows it.
        """
        return self._evictions.report()

    def fetch(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """Send an HTTP request to the worker. `options` are those of `httpx.Client.request`."""
        self._runtime.check()
        self._before_event(self._room_at(path))
        try:
            return self._client.request(method, self.url + path, **options)
        except httpx.TimeoutException as error:
            error.add_note(f"{method} {path} was not answered in time\n")
            error.add_note(self._late_note().lstrip())
            raise
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
        self._client = self._new_client()
        self._evictions.forget()
        self._runtime.restart()

    def close(self) -> None:
        """Close what is open and empty the storage, for the next test to start afresh.

        Raises:
            RuntimeLostError: the worker no longer answers, and no failure has told it so far.
        """
        for socket, _ in self._sockets:
            if socket.is_open:
                abandon(socket)
        self._client.close()
        if not self._loss_is_told:
            self._runtime.wipe()

    @property
    def lost(self) -> str | None:
        """Why the worker is gone, if it was found hung or ended."""
        return self._runtime.lost

    def report(self) -> dict[str, str]:
        """What a failing test shows, under titles."""
        with contextlib.suppress(RuntimeLostError):
            self._flush(SUSPICION)
        log, losses = str(self._logs_so_far()), self.losses
        self._loss_is_told = bool(self.lost)
        texts = {"Log of the worker": log, "Evictions": losses}
        return {title: text for title, text in texts.items() if text}

    def _new_client(self) -> httpx.Client:
        timeout = max(FETCH_TIMEOUT, self._timeout)
        return httpx.Client(timeout=timeout, trust_env=False, verify=_tls())

    def _flush(self, patience: float | None = None) -> None:
        """Complete the log; once the worker is known to be lost, it is as complete as can be."""
        # A command fails when the runtime has crashed, and the log tells that.
        with contextlib.suppress(RuntimeCommandError):
            if self._runtime.is_alive:
                self._runtime.flush(patience)

    def _logs_so_far(self) -> Logs:
        return Logs(
            self._runtime.log,
            self._log_start,
            timeout=self._timeout,
            check=lambda: self._flush(SUSPICION),
        )

    def _late_note(self) -> str:
        """The log, as the end of the message that a wait has timed out.

        Raises:
            RuntimeLostError: the worker no longer answers, and that is the true message.
        """
        self._flush(SUSPICION)
        return self._logs_so_far().as_note()

    def _connect(
        self,
        path: str,
        id: str | None,
        query: Query | None,
        headers: Headers | None,
        subprotocols: Sequence[str] | None,
        origin: str | None,
    ) -> Socket:
        self._runtime.check()
        room = self._room_at(path)
        self._before_event(room)
        url = self.url.replace("http", "ws", 1) + path
        if query:
            url += ("&" if "?" in path else "?") + urlencode(query)
        socket = Socket(
            url,
            id=id,
            headers=headers,
            subprotocols=subprotocols,
            origin=origin,
            timeout=self._timeout,
            log_note=lambda: self.logs.as_note(),
            late_note=self._late_note,
            before_event=lambda: self._before_event(room),
        )
        self._sockets.append((socket, room))
        return socket

    def _before_event(self, room: Address | None) -> None:
        self._evictions.before_event(
            room,
            with_sockets={
                address for socket, address in self._sockets if address and socket.is_open
            },
        )

    def _room_at(self, path: str) -> Address | None:
        """The room that partyserver's routing finds at a path."""
        match path.partition("?")[0].split("/"):
            case ["", "parties", party, name, *_]:
                for room_class in self._runtime.rooms:
                    if kebab_case(room_class.binding) == party:
                        return Address(room_class, name)
        return None

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
        #: The name as the server has it: the segment of the URL, with its percent-encoding.
        self.name: str = quote(name, safe="")
        self._address = Address(room_class, self.name)
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
            TimeoutError: for 10 s, something keeps the room in memory, as it would on the platform.
        """
        try:
            self._party._evictions.hibernate(self._address)
        except RuntimeCommandError:
            raise TimeoutError(
                f"{self!r} does not hibernate: an open socket that was not accepted for "
                'hibernation (options = {"hibernate": True}), a running handler or a pending '
                f"task keeps it in memory{self._party._late_note()}"
            ) from None

    def evict(self) -> None:
        """Evict the room from memory and close its sockets, as a deployment does.

        Sockets that were not accepted for hibernation keep a room in memory, and the runtime can
        evict such a room only together with all others: their sockets are closed then too.
        """
        self._party._evictions.evict(self._address)

    def run_alarm(self) -> None:
        """Fire the pending alarm now instead of at its time, and wait until it has been handled.

        The runtime itself delivers it. After a failure, the platform's retry is pending. In a room
        with `partyserver.schedule.Schedule`, what is due first runs, be it a timer or the alarm.

        Raises:
            LookupError: no alarm is pending.
            AlarmError: the handler raised, has aborted the object, or has not ended within 25 s (or
                `party_timeout`, if that is longer); or the object's class is not a Python one.
        """
        self._party._before_event(self._address)
        timeout = max(ALARM_TIMEOUT, self._party._timeout)
        try:
            answer = self._party._runtime.run_alarm(*self._address, timeout)
        except RuntimeCommandError as error:
            log = self._party._late_note()
            raise AlarmError(f"{self._why_no_alarm(error, timeout)}{log}") from None
        if not answer["pending"]:
            raise LookupError(f"{self!r} has no pending alarm")
        if answer["error"]:
            raise AlarmError(f"the alarm of {self!r} raised\n\n{answer['error']}")

    def run_due(self, at: datetime | None = None) -> int:
        """Run the timers that are due at a time, as the alarm would then, and wait until they end.

            room.run_due(at=datetime.now(UTC) + timedelta(hours=1))

        They run in the order of their times, each once; those that recur have their next time
        after `at` then. The clock stays as it is: a timer that a callback makes meanwhile is for
        the next `run_due`, and so is the next attempt of a callback that has failed.

        Args:
            at: a time with a timezone. Default: now.

        Returns:
            How many callbacks have run, failed ones included. `on_alarm` is one of them, if an
            alarm of `ctx.storage.setAlarm` was due.

        Raises:
            LookupError: the room's class is without `partyserver.schedule.Schedule`.
            ValueError: `at` has no timezone.
            AlarmError: a callback, or `on_start`, raised; what was due has run all the same. Or it
                has aborted the object, or does not end within 25 s (or `party_timeout`, if that is
                longer).
        """
        order: dict[str, int | None] = {
            "at": None if at is None else milliseconds_of(at, "at"),
            "last_id": None,
        }
        self._party._before_event(self._address)
        ran: int = 0
        errors: list[str] = []
        while True:
            answer = self._run_some(order)
            ran += answer["ran"]
            errors += answer["errors"]
            order["last_id"] = answer["last_id"]
            if not answer["more"]:
                break
        if errors:
            raise AlarmError(
                f"{len(errors)} of the {ran} callbacks that {self!r} ran have raised\n\n"
                + "\n".join(errors)
            )
        return ran

    def _run_some(self, order: dict[str, int | None]) -> dict[str, Any]:
        timeout = max(ALARM_TIMEOUT, self._party._timeout)
        try:
            answer = self._party._runtime.run_due(*self._address, timeout, order)
        except RuntimeCommandError as error:
            log = self._party._late_note()
            raise AlarmError(f"{self._why_no_alarm(error, timeout)}{log}") from None
        if not answer["timers"]:
            name = self._address.room_class.class_name
            raise LookupError(
                f"{self!r} has no timers: class {name}(Schedule, Server) would have some, with "
                "Schedule from partyserver.schedule"
            )
        if answer["error"]:
            raise AlarmError(f"the timers of {self!r} did not run\n\n{answer['error']}")
        return answer

    def _why_no_alarm(self, error: RuntimeCommandError, timeout: float) -> str:
        match error.kind:
            case "reset":
                return f"{self!r} was aborted or reset while its alarm ran: {error}"
            case "late":
                hook = "its hook is still running"
                return f"the alarm of {self!r} has not ended within {timeout:g} s: {hook}"
            case "crash":
                return f"the runtime crashed while the alarm of {self!r} ran"
            case "no probe":
                reason = "it must be of a Python class in the worker's main module"
                return f"the alarm of {self!r} cannot be fired: {reason}"
        return f"the alarm of {self!r} cannot be fired: {error}"

    def __repr__(self) -> str:
        return f"<Room {self._address.room_class.binding} {self.name!r}>"
