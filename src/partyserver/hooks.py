"""The hooks: what a user's `Server` defines, and what happens where it does not."""

from __future__ import annotations

from typing import Any

from workers import Request, Response

from .connection import Connection
from .reserved import life_of
from .rules.contract import may_take_fewer
from .runtime import platform
from .upgrade import ConnectionContext


class Hooks:
    """The contract between `Server` and its subclasses. Any hook may be plain or `async`."""

    @may_take_fewer
    def on_start(self, props: Any = None) -> Any:
        """Called before anything else, once per life in memory: on first use and each wake.

        Nothing is processed until it has finished; the platform gives it 30 seconds. If it
        raises, that event fails and the next one tries again. `props` is what the router or
        `get_server_by_name` was given; None when a message or an alarm wakes the room. It may
        be left out of the signature.
        https://developers.cloudflare.com/durable-objects/api/state/#blockconcurrencywhile
        """

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Called when a WebSocket was accepted, and before any message of it.

        `ctx.request` is the upgrade request. If the hook raises, the client gets an error id
        and close code 1011, and `on_close` does not follow.
        """

    def on_message(self, connection: Connection, message: str | bytes) -> Any:
        """Called with each message of a connection, in the order it sent them.

        `message` is a `str` for text and `bytes` for binary, of up to
        `options["max_message_size"]` bytes. While an `async` hook awaits, other events come
        in, the connection's next message among them. A `ClientError` is told to the sender.
        """

    def on_rate_limited(self, connection: Connection) -> Any:
        """Called for each message over `options["rate"]`, if its action is "drop".

        The message is gone. A `ClientError` is told to the sender. Default: nothing.

        While the room starts, such messages are dropped without a call.
        """

    def on_close(self, connection: Connection, code: int, reason: str, was_clean: bool) -> Any:
        """Called once for each connection whose `on_connect` succeeded, at its end.

        `code` is 1005 if the client gave none, and 1006 if it went without a close frame,
        which `was_clean` tells too.

        The connection is closed already and cannot be sent to. Its close is answered with
        its own code when the hook has finished; `connection.close` in the hook answers with
        another.
        """

    def on_error(self, connection: Connection, error: Exception) -> Any:
        """Called when the network or the protocol under an open connection fails.

        `error` is a `TransportError`. `on_close` follows, with code 1006. A socket that
        breaks while it closes does not come here. Default: logs it.
        """
        platform.log_error(
            f"Error on connection {connection.id} in {life_of(self).label}: {error}\n"
            f"Define on_error on {type(self).__name__} to handle it."
        )

    def on_request(self, request: Request) -> Any:
        """Called with each HTTP request that is no WebSocket upgrade.

        Must return a `workers.Response`. What it raises, and anything else that it returns,
        is answered with 500 and an error id. Default: 404.
        """
        platform.log_info(
            f"{life_of(self).label} has no on_request, and answers {request.url} with 404. "
            f"Define on_request on {type(self).__name__}."
        )
        return Response("Not implemented", status=404)

    def on_alarm(self) -> Any:
        """Called when the alarm that was set with `ctx.storage.setAlarm` fires.

        Alarms fire at least once. If the hook raises, the platform tries again, up to 6 times.
        A room has one alarm; set it in milliseconds since 1970, and await that:

            await self.ctx.storage.setAlarm(int(time.time() * 1000) + 60_000)

        `partyserver.schedule` gives a room any number of timers beside it.
        https://developers.cloudflare.com/durable-objects/api/alarms/
        """
        platform.log_info(
            f"An alarm of {life_of(self).label} fired. "
            f"Define on_alarm on {type(self).__name__} to handle it."
        )

    def on_exception(self, error: Exception) -> Any:
        """Called with what a hook or `sql` raised, before it is answered. Default: logs it.

        Not called for methods called over RPC, whose caller gets the exception. Clients get an
        error id, which an override finds in the log beside its own.
        """
        platform.log_error(f"Exception in {life_of(self).label}", error)

    def get_connection_tags(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Return up to 9 tags of up to 256 UTF-8 bytes for a new connection.

        Called before `on_connect`; `get_connections` filters by them. The connection's id is
        always its first tag. Other tags are a `ValueError` or a `TypeError` that names the tag,
        and the upgrade fails as when `on_connect` raises.
        https://developers.cloudflare.com/durable-objects/api/state/#acceptwebsocket
        """
        return ()
