"""A room's name: how an object comes to know it."""

from __future__ import annotations

from functools import cache
from typing import Any

from .errors import ServerNameError
from .rules.storage import NAME_KEY
from .runtime import platform, requests

ROOM_HEADER = "x-partykit-room"
#: A variable that `partyserver serve` sets on the nodes of a cluster.
KEPT = "PARTYSERVER_KEEP_NAMES"


@cache
def are_kept() -> bool:
    """Whether each room is to store its name.

    In a cluster of workerd's, a request that a stopping node passes on can begin a life whose id
    has no name.
    """
    return getattr(platform.worker_env(), KEPT, None) == "on"


class RoomName:
    """The name of one object: the platform's, a stored one, a router's, or none yet."""

    __slots__ = ("_class_name", "_ctx", "is_known_to_be_missing", "value")

    def __init__(self, ctx: Any, class_name: str) -> None:
        self._ctx = ctx
        self._class_name = class_name
        self.value: str | None = getattr(ctx.id, "name", None)
        #: Whether it has been looked up, and there is none.
        self.is_known_to_be_missing = False

    def get(self) -> str:
        if self.value is None:
            raise ServerNameError(
                f"this {self._class_name} has no name: it was addressed by "
                "idFromString() or newUniqueId(). Address it by name, with "
                "route_partykit_request or get_server_by_name, or call set_name first"
            )
        return self.value

    async def find(self) -> None:
        """Look into the storage, unless the name is known."""
        if self.value is None:
            stored = await self._ctx.storage.get(NAME_KEY)
            if self.value is None and isinstance(stored, str):
                self._become(stored)

    async def keep(self) -> None:
        """Store the name, if there is one, for lives that begin without it."""
        if self.value is not None and await self._ctx.storage.get(NAME_KEY) != self.value:
            await self._ctx.storage.put(NAME_KEY, self.value)

    async def find_or_raise(self) -> None:
        """As a request needs it: an object without a name was addressed wrongly."""
        await self.find()
        if self.value is None and not self._is_of_a_facet:
            self.get()

    async def find_or_miss(self) -> bool:
        """As a call needs it, which may be the one that gives the name. Whether all is known."""
        await self.find()
        self.is_known_to_be_missing = self.value is None and not self._is_of_a_facet
        return not self.is_known_to_be_missing

    async def take(self, name: str) -> None:
        """Be called `name` from now on, and in later lives."""
        if not isinstance(name, str) or not name:
            raise ServerNameError(f"a name is a str that is not empty, not {name!r}")
        await self.find()
        if self.value is not None:
            if self.value != name:
                raise ServerNameError(f"this server is named {self.value!r}, and not {name!r}")
            return
        # At once, so that of two calls the second finds the name of the first.
        self._become(name)
        await self._ctx.storage.put(NAME_KEY, name)

    def take_from(self, headers: Any) -> None:
        """Take the name that a router has put into a request."""
        if self.value is None:
            room = requests.header(headers, ROOM_HEADER)
            if room:
                self._become(room)

    def _become(self, name: str) -> None:
        self.value = name
        self.is_known_to_be_missing = False

    @property
    def _is_of_a_facet(self) -> bool:
        """Whether the id is a string that a parent has chosen, and so was addressed correctly."""
        return isinstance(self._ctx.id, str)
