"""An agent whose code ends and returns in the ways that Python has, where its name says so."""

from acting import act, note
from calls import Called
from partyserver import agents


class Careless(Called, agents.Agent):
    """Its name is `place.how`."""

    initial_state = 0

    def acted(self, place, value=None):
        expected, _, how = self.name.partition(".")
        return act(how, self.name, value) if place == expected else value

    def should_connection_be_readonly(self, connection, ctx):
        return self.acted("should_connection_be_readonly", False)

    def should_send_protocol_messages(self, connection, ctx):
        return self.acted("should_send_protocol_messages", True)

    def validate_state_change(self, state, source):
        return self.acted("validate_state_change")

    def on_state_changed(self, state, source):
        if state == 0:
            return None
        return self.acted("on_state_changed")

    @agents.callable
    def call(self):
        return self.acted("call", "answered")

    @agents.callable(streaming=True)
    def stream(self, stream):
        stream.send("answered")
        return self.acted("stream")

    async def later(self):
        await self.queue(self.queued)

    def queued(self):
        return self.acted("queued")

    async def try_again(self):
        tried = []

        def attempt():
            tried.append(1)
            if len(tried) < 2:
                raise ValueError
            return self.acted("retry", "answered")

        def should_retry(error, attempt):
            return self.acted("should_retry", True)

        note(self.name, await self.retry(attempt, should_retry=should_retry, base_delay_ms=1))
