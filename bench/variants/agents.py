"""Agents, as this library's documentation says to write them."""

from partyserver import agents
from workers import Response, WorkerEntrypoint

WORDS = ["Hello", ", ", "how ", "are ", "you", "?"]


class Plain(agents.Agent):
    @agents.callable
    def add(self, one: int, other: int) -> int:
        return one + other

    @agents.callable
    async def later(self, one: int, other: int) -> int:
        return one + other

    @agents.callable(streaming=True)
    async def tell(self, stream: agents.StreamingResponse, count: int) -> None:
        for at in range(count):
            stream.send(WORDS[at % len(WORDS)])
        stream.end()


class Counter(agents.Agent):
    initial_state = {"title": "a counter", "count": 0}

    @agents.callable
    def add(self, by: int) -> int:
        with self.change() as state:
            state["count"] += by
        return self.state["count"]


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        answer = await agents.route_agent_request(request, self.env)
        return answer or Response("none", status=404)
