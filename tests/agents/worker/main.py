"""Agents that do what a test says."""

from acting import NOTES
from busy import Busy, Patient  # noqa: F401 -- bound in wrangler.toml
from calling import Callable, Debugged  # noqa: F401 -- bound, too
from calls import rpc
from careless import Careless  # noqa: F401 -- bound, too
from defining import message_of
from moody import Moody  # noqa: F401 -- bound, too
from partyserver import agents, route_partykit_request
from stateful import (  # noqa: F401 -- bound, too
    Blank,
    LoudAgent,
    Merging,
    Refusing,
    Stateful,
)
from typed import Typed  # noqa: F401 -- bound, too
from upstream import (  # noqa: F401 -- bound, too
    SHOUTING_AGENT,
    Anonymous,
    Calls,
    Counts,
    Empty,
    Fixed,
    Ordered,
    Patched,
    Snake_Cased,
    route,
)
from workers import Response, WorkerEntrypoint


def before(request, lobby):
    if lobby.name == "forbidden":
        return Response("not there", status=403)
    return None


def admit(request, lobby):
    return {"may": "read"} if lobby.name == "for-readers" else None


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/rpc/" in request.url:
            return await rpc(request, self.env)
        if "/notes" in request.url:
            return Response.from_json(NOTES)
        if "/define/" in request.url:
            return Response.from_json(message_of(request.url.rpartition("/")[2]))
        if "/custom/" in request.url:  # a path of the worker's own
            name = request.url.partition("/custom/")[2].partition("?")[0].partition("/")[0]
            agent = await agents.get_agent_by_name(self.env.Stateful, name)
            return await agent.fetch(request)
        if "/nobody" in request.url and "/agents/" not in request.url:
            current = agents.current_agent()
            return Response.from_json([current.agent, current.connection, current.request])
        if "/wrong-option" in request.url:
            try:
                await agents.route_agent_request(request, corz=True)  # type: ignore[call-arg]
            except TypeError as error:
                return Response(f"TypeError: {error}")
        if "/api/" in request.url:
            return await agents.route_agent_request(request, prefix="api/agents")
        return (
            await route(request, self.env)
            or await agents.route_agent_request(
                request,
                self.env,
                props={"by": "the router"},
                on_before_connect=admit,
                on_before_request=before,
            )
            or await route_partykit_request(request, self.env)
            or Response("Not Found", status=404)
        )
