"""Many timers in a room, over the platform's one alarm.

    from partyserver import Server
    from partyserver.schedule import Schedule

    class Poll(Schedule, Server):
        async def on_start(self):
            await self.schedule(30, self.close_poll, {"why": "time is up"}, idempotent=True)

        def close_poll(self, payload):
            self.broadcast_json({"closed": payload["why"]})

Crons need the package cronsim, which the extra `partyserver[schedule]` brings.
"""

from .mixin import Schedule, timers_of
from .scheduled import Retry, Scheduled

__all__ = ["Retry", "Schedule", "Scheduled"]

# Not public: what the testing kit asks.
_timers_of = timers_of
