"""The rooms that tests/model/test_rooms.py holds against its model."""

from here import Commanded
from partyserver import ClientError
from partyserver.history import History, HistoryOptions
from partyserver.presence import Presence
from partyserver.schedule import Schedule


class Modelled(History, Presence, Schedule, Commanded):
    """Several capabilities at once."""

    migrations = ["create table rang (timer integer)"]
    history_options = HistoryOptions(max_events=5)

    def on_connect(self, connection, ctx):
        if "key" in ctx.query:
            self.track(connection, ctx.query["key"], ctx.query["meta"])
        if "fail" in ctx.query:
            raise ClientError("as it has to")

    def on_join(self, key, meta):
        self.record("join", key)

    def on_leave(self, key):
        self.record("leave", key)

    def do_sync(self, number):
        return number

    def do_look(self):
        """Who is here, and for whom hooks were called so far."""
        entries = self.sql("select entry from log order by rowid")
        return [self.present(), [row["entry"] for row in entries]]

    def one(self, id):
        """The connection that is the model's client of this number, which is its one tag."""
        [connection] = self.get_connections(id)
        return connection

    def get_connection_tags(self, connection, ctx):
        return [ctx.query["number"]]

    def do_track(self, number, key, meta):
        self.track(self.one(number), key, meta)

    def do_untrack(self, number):
        self.untrack(self.one(number))

    def do_publish(self, value, excluded):
        return self.publish(value, exclude=map(self.one, excluded))

    async def do_set_timer(self, number, hours):
        return (await self.schedule(hours * 3600, self.ring, number)).id

    async def do_cancel_timer(self, id):
        return await self.cancel_schedule(id)

    def ring(self, number):
        self.sql("insert into rang values (?)", number)

    def do_rang(self):
        timers = [timer.payload for timer in self.list_schedules()]
        return [[row["timer"] for row in self.sql("select timer from rang")], sorted(timers)]

    def do_kick(self, number):
        self.one(number).close(4000)


class ModelledSleepy(Modelled):
    options = {"hibernate": True}
