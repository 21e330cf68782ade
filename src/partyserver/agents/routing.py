"""From a request, or a name, to an agent."""

from __future__ import annotations

from typing import Any, Unpack

from workers import Response

from ..refusals import refuse_upgrade
from ..routing import DEFAULT_RETRY, find_binding, get_server_by_name, route_to_room
from ..rules import agents as rules
from ..rules.closing import POLICY_VIOLATION
from ..rules.lobby import Lobby
from ..rules.options import RoutingOptions, check_routing_options
from ..rules.retry import RoutingRetry
from ..rules.urls import match_party_url, prefix_length
from ..runtime.requests import is_upgrade, raw_object


async def route_agent_request(
    request: Any,
    env: Any = None,
    *,
    prefix: str = rules.PREFIX,
    **options: Unpack[RoutingOptions],
) -> Response | None:
    """Send a request for `/agents/:agent/:name` to its agent; None for any other URL.

        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return await agents.route_agent_request(request, self.env) or Response(
                    "Not Found", status=404
                )

    `:agent` is the kebab-case of a Durable Object binding: `MyAgent` and `MY_AGENT` are `my-agent`.
    `:name` is the agent's name exactly as the URL carries it. An agent that no binding has gets
    400.

    Clients that ask for what an agent here has not, are turned away for good: those with
    `transport: "capnweb"`, and those of sub-agents. Their WebSockets are closed with 1008, after
    which the SDK's clients do not come again, and HTTP requests for sub-agents get 404.

    The options are those of `route_partykit_request`.

    Args:
        request: the worker's request.
        env: by default the worker's own bindings.
        prefix: one or more path segments, such as "api/agents". By default "agents".

    Raises:
        TypeError: an option that is none of these.
    """
    check_routing_options("route_agent_request", options)
    js_request: Any = raw_object(request)
    url = match_party_url(js_request.url, prefix)
    if url is None:
        return None
    found = find_binding(url.party, env)
    if found is None:
        return Response("Invalid request: unknown agent", status=400)
    upgrading = is_upgrade(js_request.headers)
    if rules.asks_for_sub_agent(js_request.url, prefix):
        if not upgrading:
            return Response(f"Not found: {rules.NO_SUB_AGENTS}", status=404)
        return refuse_upgrade(js_request, None, POLICY_VIOLATION, rules.NO_SUB_AGENTS)
    if upgrading and rules.asks_for_capnweb(js_request.url):
        return refuse_upgrade(js_request, None, POLICY_VIOLATION, rules.NO_CAPNWEB)
    binding, namespace = found
    lobby = Lobby(url.party.lower(), binding, url.room, js_request.url, prefix_length(prefix))
    return await route_to_room(js_request, lobby, namespace, **options)


async def get_agent_by_name(
    namespace: Any,
    name: str,
    *,
    location_hint: str | None = None,
    jurisdiction: str | None = None,
    props: Any = None,
    routing_retry: RoutingRetry | None = DEFAULT_RETRY,
) -> Any:
    """A stub of the agent called `name`, whose `on_start` has run.

        agent = await agents.get_agent_by_name(self.env.Counter, "lobby")
        await agent.add(1)  # a public method of the class, over RPC
        response = await agent.fetch("https://agent/report")

    A client's request that you hand to `fetch`, as for a path of your own, takes its headers along.
    Of those, `x-partykit-` ones have a meaning there: `route_agent_request` removes them. A client
    that asks for a sub-agent, `/sub/:agent/:name` behind such a path, gets this agent: refuse it
    before, if your clients may do so.

    It is `get_server_by_name`, by the name that the Agents SDK has for it.
    """
    return await get_server_by_name(
        namespace,
        name,
        location_hint=location_hint,
        jurisdiction=jurisdiction,
        props=props,
        routing_retry=routing_retry,
    )
