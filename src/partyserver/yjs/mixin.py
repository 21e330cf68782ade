"""`YServer` and `YMixin`: the public API of a room with a shared document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..environment import Env
from ..parts import attach
from ..reserved import life_of
from ..server import Server
from .frames import CUSTOM
from .room import YJS, Room

if TYPE_CHECKING:
    from ..connection import Connection


def _room(server: Any) -> Room:
    room: Room = YJS.of(server)
    return room


@attach(YJS)
class YMixin:
    """A room with one document of Yjs, for its unchanged clients.

        class Notes(YMixin, Server):
            options = {"hibernate": True}

    It takes binary messages, and texts that begin with `__YPS:`. All others are `on_message`'s.
    """

    # --- hooks ------------------------------------------------------------------------

    def is_read_only(self, connection: Connection) -> bool:
        """Whether a connection may read and not edit. It is asked for each edit, and plain.

            def is_read_only(self, connection):
                return connection.auth is None or connection.auth["role"] != "editor"

        An edit that is refused stays in its client alone, which is told so once.
        """
        return False

    def on_custom_message(self, connection: Connection, text: str) -> Any:
        """Called with what a client has sent by `provider.sendMessage`."""

    async def on_load(self) -> bytes | list[bytes] | None:
        """Called when the room starts and has no document yet: return one or more updates of Yjs.

        What it returns is stored, and it is not called again; after None it is, whenever the room
        starts, until there is a document. If it raises, the room has not started. An update has to
        be made once, and not at each call: a document that is made anew has another client, and
        what it says would be there twice.
        """
        return None

    async def on_save(self, update: bytes) -> None:
        """Called some time after an edit, with the whole document as one update.

        The room keeps the document by itself: this is for a copy elsewhere. It comes
        `options["debounce_wait"]` seconds after the last edit, at most
        `options["debounce_max_wait"]` after the first one, and when the last connection has left.
        If it raises, it is called again with the next edit, when the room wakes, or by an alarm:
        after `options["debounce_max_wait"]` seconds, then after pauses that double up to an hour.
        Where the room's own code has set an alarm, it comes with that one instead.
        """

    # --- what the room can do ---------------------------------------------------------

    def send_custom_message(self, connection: Connection, text: str) -> None:
        """Send a text to a client's `provider.on("custom-message", ...)`.

        Raises:
            ConnectionClosedError: the connection is closed.
            TypeError: it is no text.
        """
        connection.send(CUSTOM + _checked(text))

    def broadcast_custom_message(self, text: str, exclude: Iterable[str | Connection] = ()) -> None:
        """The same to all, but for those in `exclude`, as in `broadcast`."""
        life_of(self).connections.broadcast(CUSTOM + _checked(text), exclude)

    def encode_state(self, vector: bytes | None = None) -> bytes:
        """The document as one update of Yjs, or what somebody with this state vector lacks.

        Raises:
            ValueError: it is no state vector.
        """
        document = _room(self).document
        if vector is None:
            return document.encode()
        return document.encode(_bytes(vector, "a state vector"))

    def state_vector(self) -> bytes:
        """What the document has, as `Y.encodeStateVector` writes it."""
        return _room(self).document.vector()

    def apply_update(self, update: bytes) -> bool:
        """Take an update of Yjs, and send it to all; tell whether anything in it was new.

        In a transaction, be it of `self.transaction` or of `ctx.storage`, it is sent when that has
        ended, and not if it was undone.

        Raises:
            ValueError: it is none. The document is as before.
            PartyServerError: the document would become larger than the room can load, likewise:
                some 12 MB, or 110,000 pieces.
        """
        return _room(self).apply(_bytes(update, "an update of Yjs"))


def _bytes(given: Any, what: str) -> bytes:
    if not isinstance(given, bytes | bytearray | memoryview):
        raise TypeError(f"{what} is bytes, not {type(given).__name__}: {given!r}")
    return bytes(given)


def _checked(text: Any) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a custom message is a str, not {type(text).__name__}: {text!r}")
    return text


class YServer(YMixin, Server[Env]):
    """A room with a shared document: `YMixin` and `Server`.

        from partyserver.yjs import YServer

        class Notes(YServer):
            options = {"hibernate": True}

    Its clients are those of the npm packages `y-partyserver` and `y-websocket`:

        const provider = new YProvider(location.host, "my-notes", doc, { party: "notes" });
    """
