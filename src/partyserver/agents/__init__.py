"""The server of Cloudflare's Agents SDK, in Python: for its unchanged clients.

    from partyserver import agents

    class Counter(agents.Agent):
        initial_state = {"count": 0}

        @agents.callable
        def add(self, by: int) -> int:
            with self.change() as state:
                state["count"] += by
            return self.state["count"]

The clients are `agents/client` and `agents/react` of the npm package `agents`.
"""

from .agent import Agent
from .callables import CallableInfo
from .current import CurrentAgent, current_agent
from .decorator import callable
from .queue import Queued
from .routing import get_agent_by_name, route_agent_request
from .streams import StreamingResponse

__all__ = [
    "Agent",
    "CallableInfo",
    "CurrentAgent",
    "Queued",
    "StreamingResponse",
    "callable",
    "current_agent",
    "get_agent_by_name",
    "route_agent_request",
]
