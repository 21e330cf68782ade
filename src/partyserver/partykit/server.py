"""`Server`: what a ported PartyKit server derives from."""

from __future__ import annotations

from abc import ABCMeta
from typing import Any, ClassVar

from workers import DurableObject, Request, Response

from .. import reserved
from ..connection import Connection
from ..definition import own_options
from ..environment import Env, EnvHolder
from ..rules.contract import may_take_fewer, users_bases
from ..rules.options import DEFAULTS, ServerOptions, merge_options
from ..runtime import JsProxy
from ..upgrade import ConnectionContext
from . import contract
from .cron import Cron
from .definition import Definition, definition_of
from .host import host_class
from .lobby import CronLobby, FetchLobby, Lobby
from .room import Room
from .socket import FetchSocket


class _PartyType(ABCMeta):
    """Answers the platform, which constructs a Durable Object, with the party's host.

    So a party holds nothing but what its author gave it: no attribute of the library's can
    clash with a ported one, and the constructor takes what PartyKit's does.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 2 and isinstance(args[0], JsProxy):
            definition = definition_of(cls)
            if definition is not None and definition.host is not None:
                return definition.host(*args)
        return super().__call__(*args, **kwargs)


class _Bound(DurableObject):
    """The handlers that the platform wants to see on a class before it binds it.

    It calls those of the host.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Past the SDK's, which would take every `__init__` for a Durable Object's.
        super(DurableObject, cls).__init_subclass__(**kwargs)

    def fetch(self) -> None: ...
    def alarm(self) -> None: ...
    def webSocketMessage(self) -> None: ...
    def webSocketClose(self) -> None: ...
    def webSocketError(self) -> None: ...


class Server(_Bound, reserved.LifeHolder, EnvHolder[Env], metaclass=_PartyType):
    """A party of PartyKit: a class whose instances are rooms.

        class Main(partykit.Server):
            options = {"hibernate": True}

            async def on_start(self):
                self.messages = await self.room.storage.get("messages") or []

            def on_message(self, message, sender):
                self.room.broadcast(message, [sender.id])

        Default = partykit.entrypoint(Main)

    Bind the class in the wrangler config under its own name. Hooks may be plain or `async`
    functions, and may leave out arguments at their end, as in JavaScript. One that raises
    fails its own event only: the room and its other connections live on.

    The room's instance is made by the first event of a life in memory, just before
    `on_start`.

    For type checkers, `partykit.Server[Env]` says what `self.room.env` has, as
    `partyserver.Server[Env]` does for `self.env`.
    """

    options: ClassVar[ServerOptions] = DEFAULTS
    """`{"hibernate": True}` lets the room sleep; the other keys are those of
    `partyserver.ServerOptions`. Merged along the bases."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in users_bases(cls, Server):
            reserved.check_free(cls, base)
        layers = own_options(cls, Server)
        own = vars(cls).get("options", {})
        cls.options = merge_options(cls.__name__, layers)
        arguments = contract.check_members(cls, Server)
        definition = Definition(own, cls.options, arguments, None)
        reserved.define(cls, definition)
        definition.host = host_class(cls)

    def __init__(self, room: Room[Env]) -> None:
        """Keep `room` as `self.room`. Override it at will; `super().__init__` is not needed."""
        self.room = room

    # --- in the room ------------------------------------------------------------------

    def on_start(self) -> Any:
        """Called before anything else, once per life in memory: on first use and each wake.

        Nothing is processed until it has finished. If it raises, that event fails and the next
        one tries again, with a new instance.
        """

    @may_take_fewer
    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Called when a WebSocket was accepted; `ctx.request` is its upgrade request."""

    @may_take_fewer
    def on_message(self, message: str | bytes, sender: Connection) -> Any:
        """Called with each message, `str` for text and `bytes` for binary, and its sender."""

    @may_take_fewer
    def on_rate_limited(self, connection: Connection) -> Any:
        """Called for each message over `options["rate"]`, if its action is "drop".

        A `partyserver.ClientError` is told to the sender.
        """

    @may_take_fewer
    def on_close(self, connection: Connection) -> Any:
        """Called when a client has closed its connection, which cannot be sent to any more."""

    @may_take_fewer
    def on_error(self, connection: Connection, error: Exception) -> Any:
        """Called when the network or the protocol under a connection fails. Default: logs it."""

    @may_take_fewer
    def on_request(self, request: Request) -> Any:
        """Called with each HTTP request to the room; returns a `workers.Response`.

        Default: 404 "Not implemented".
        """

    def on_alarm(self) -> Any:
        """Called when the alarm of `room.storage.set_alarm` fires, at least once.

        `room.id` and `room.context.parties` are there, which PartyKit could not offer.
        """

    @may_take_fewer
    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Return up to 9 tags of a new connection, for `room.get_connections(tag)`."""
        return ()

    # --- in the worker ----------------------------------------------------------------

    @staticmethod
    @may_take_fewer
    def on_before_connect(request: Request, lobby: Lobby, ctx: Any) -> Any:
        """Called in the worker with each WebSocket request to a room of this party.

        Return the request, or another one, to let it go on; a `Response` answers it. A mapping
        that JSON can hold says who this is, and comes back as `connection.auth`, `ctx.auth` and
        `partyserver.auth_of(request)`; a request with such a mapping, as a tuple, is both. A
        `partyserver.ClientError` is told to the client. If it raises anything else, the answer is
        500 with an error id.
        """

    @staticmethod
    @may_take_fewer
    def on_before_request(request: Request, lobby: Lobby, ctx: Any) -> Any:
        """The same for HTTP requests."""

    @staticmethod
    @may_take_fewer
    def on_fetch(request: Request, lobby: FetchLobby, ctx: Any) -> Response | Any:
        """Called with each request that is for no party; returns a `Response`.

        Of the main party only. Default, and what None stands for: 404 "Not found". A
        `partyserver.ClientError` is answered with its status and JSON.
        """

    @staticmethod
    @may_take_fewer
    def on_socket(socket: FetchSocket, lobby: FetchLobby, ctx: Any) -> Any:
        """Called with each WebSocket that is for no party, once it is accepted.

        Of the main party only. Without it such requests go to `on_fetch`. A
        `partyserver.ClientError` is told to the client, and closes the socket with 1008.
        """

    @staticmethod
    @may_take_fewer
    def on_cron(cron: Cron, lobby: CronLobby, ctx: Any) -> Any:
        """Called when a schedule of the wrangler config's `triggers.crons` is due.

        Of the main party only. `partykit.entrypoint(crons=...)` gives the schedules names.
        """


reserved.define(Server, Definition({}, DEFAULTS, {}, None))
