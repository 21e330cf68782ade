"""Rooms with several capabilities, whose hooks call `super()` or do not."""

from here import Commanded, query_of
from partyserver.events import Event, Events, on
from partyserver.history import History
from partyserver.presence import Presence


class Both(Presence, History, Commanded):
    """Its hooks call no `super()`."""

    def on_start(self):
        self.sql("create table if not exists log (entry text)")

    def on_connect(self, connection, ctx):
        if "key" in ctx.query:
            self.track(connection, ctx.query["key"])
        self.publish(["connected", connection.id])

    def on_join(self, key, meta):
        self.publish(["joined", key])

    async def on_leave(self, key):
        self.publish(["left", key])

    def on_close(self, connection, code, reason, was_clean):
        self.publish(["closed", connection.id])

    def do_publish(self, value):
        return self.publish(value)

    def do_present(self):
        return self.present()

    def do_define(self, kind):
        """A room with an event of this type."""

        class Said(Event, tag=kind):
            text: str

        def say(self, connection, event: Said): ...

        type("Room", (History, Events, Presence, Commanded), {"say": on(say)})
        return "defined"


class Between(Presence):
    """A mixin of a mixin."""

    def on_join(self, key, meta):
        super().on_join(key, meta)
        self.joined(key)

    def joined(self, key): ...


class BothOtherwise(History, Between, Commanded):
    """All of its hooks call `super()`."""

    def on_connect(self, connection, ctx):
        super().on_connect(connection, ctx)
        if "key" in query_of(ctx.request.url):
            self.track(connection, ctx.query["key"])
        self.publish(["connected", connection.id])

    def joined(self, key):
        self.publish(["joined", key])

    def on_leave(self, key):
        super().on_leave(key)
        self.publish(["left", key])

    def on_close(self, connection, code, reason, was_clean):
        super().on_close(connection, code, reason, was_clean)
        self.publish(["closed", connection.id])

    def do_publish(self, value):
        return self.publish(value)

    def do_present(self):
        return self.present()


class BothSleepy(Both):
    options = {"hibernate": True}


class BothOtherwiseSleepy(BothOtherwise):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        """A hook of a subclass's own."""
        return super().on_message(connection, message)
