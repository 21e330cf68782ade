"""Rooms with what stands beside the core, each capability's in a module of its own."""

from both import (  # noqa: F401 -- bound in wrangler.toml
    Both,
    BothOtherwise,
    BothOtherwiseSleepy,
    BothSleepy,
)
from calls import rpc
from here import (  # noqa: F401 -- bound, too
    Here,
    HereSleepy,
    OwnNames,
    OwnNamesSleepy,
    Replacing,
    ReplacingSleepy,
)
from modelled import Modelled, ModelledSleepy  # noqa: F401 -- bound, too
from partyserver import Server, route_partykit_request
from past import Large, LargeSleepy, Past, PastSleepy  # noqa: F401 -- bound, too
from quieter import *  # noqa: F403
from timers import Timed, TimedParty, TimedSleepy  # noqa: F401 -- bound, too
from together import (  # noqa: F401 -- bound, too
    One,
    OneSleepy,
    Three,
    ThreeSleepy,
    Two,
    TwoSleepy,
)
from typed import *  # noqa: F403
from workers import Response, WorkerEntrypoint


class Plain(Server):
    """A room with none of it."""

    def on_message(self, connection, message):
        connection.send(message)


class PlainSleepy(Plain):
    options = {"hibernate": True}


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/rpc/" in request.url:
            return await rpc(request, self.env)
        return await route_partykit_request(request, self.env) or Response("Not Found", status=404)
