"""The agent that tests/agents/test_model.py holds against its model."""

from partyserver import ClientError, agents
from stateful import Recording


class Moody(Recording):
    initial_state = {"n": 0}

    def should_send_protocol_messages(self, connection, ctx):
        return "quiet" not in ctx.query

    def validate_state_change(self, state, source):
        if state["n"] % 5 == 3:
            raise ClientError("not this number")

    @agents.callable
    def add(self, by: int):
        with self.change() as state:
            state["n"] += by
        return self.state["n"]

    @agents.callable(streaming=True)
    def count_to(self, stream, n: int):
        for number in range(n):
            stream.send(number)
        stream.end(n)

    def set_readonly(self, id, readonly):
        [connection] = self.get_connections(id)
        self.set_connection_readonly(connection, readonly)

    async def later(self, number):
        await self.schedule(3600, self.note, number)

    async def soon(self, number):
        await self.queue(self.note, number)

    def note(self, number):
        self.record("done", number)
