"""Where a request is about to go."""

from __future__ import annotations

from dataclasses import dataclass, field

from .query import Query
from .urls import path_behind


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
        url: the URL of the request.
        prefix_length: how many segments of the URL's path stand before the party.
    """

    party: str
    class_name: str
    name: str
    url: str = field(default="", repr=False, compare=False)
    prefix_length: int = field(default=1, repr=False, compare=False)

    @property
    def query(self) -> Query:
        """The query of the request's URL: `lobby.query.get("token")`."""
        return Query(self.url)

    @property
    def path(self) -> str:
        """What follows the room in the URL, decoded, and without a slash before it."""
        return path_behind(self.url, self.prefix_length + 2)
