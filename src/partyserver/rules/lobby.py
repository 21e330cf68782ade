"""Where a request is about to go."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lobby:
    """Where a request is about to go, for `on_before_connect` and `on_before_request`.

        def may_enter(request, lobby):
            if lobby.name not in rooms_of(request):
                return Response("not your room", status=403)

    Attributes:
        party: the party as in the URL, in kebab-case and lower case.
        class_name: the name of the party's Durable Object binding.
        name: the room's name.
    """

    party: str
    class_name: str
    name: str
