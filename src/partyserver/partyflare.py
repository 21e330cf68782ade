"""partyflare, from which PartyServer grew: `Party` in the place of `Server`.

from partyserver.partyflare import Party

class MyParty(Party):
    def on_message(self, connection, message):
        self.broadcast(message, [connection.id])
"""

from __future__ import annotations

from typing import Any

# First, because outside of Cloudflare's runtime this import says what to do.
from . import Lobby, Server, get_server_by_name  # isort: skip

from workers import Request, Response

from .environment import Env
from .reserved import life_of
from .routing import route_to_room, server_bindings
from .rules.urls import match_party_url
from .runtime.requests import raw_object

__all__ = ["Party"]


class Party(Server[Env]):
    """A `Server` under partyflare's names; its hooks, options and methods are the same."""

    @property
    def room(self) -> str:
        """The room's name, exactly as the URL carries it."""
        return life_of(self).name.get()

    @staticmethod
    async def with_room(namespace: Any, room: str, location_hint: str | None = None) -> Any:
        """A stub of the room, whose `on_start` has run; see `get_server_by_name`."""
        return await get_server_by_name(namespace, room, location_hint=location_hint)

    @staticmethod
    async def fetch_room_for_request(
        request: Request, env: Any, location_hint: str | None = None
    ) -> Response | None:
        """Send a request for `/parties/:party/:room` to its room; None for any other.

        `:party` is a binding's name in any case, `MyParty` or `myparty`, or its kebab-case.
        """
        js_request = raw_object(request)
        url = match_party_url(js_request.url)
        if url is None:
            return None
        party = url.party.lower()
        for kebab, (binding, namespace) in server_bindings(env).items():
            if party in (kebab, binding.lower()):
                lobby = Lobby(kebab, binding, url.room)
                return await route_to_room(
                    js_request, lobby, namespace, location_hint=location_hint
                )
        return None
