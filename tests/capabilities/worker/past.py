"""Rooms that keep what they publish, and do what a test says."""

import time
from datetime import timedelta
from functools import partial
from typing import Any

import partyserver.history
from here import VALUES, Commanded, query_of
from partyserver import Server
from partyserver.history import History, HistoryOptions

BAD_OPTIONS = {"a dict": {"max_events": 5}, "None": None, "the class": HistoryOptions}


class Past(History, Commanded):
    history_options = HistoryOptions(max_events=5)

    def on_start(self):
        super().on_start()
        if self.name == "starting":
            self.publish("started")

    def get_connection_tags(self, connection, ctx):
        if "early" in query_of(ctx.request.url):
            self.publish(["early", connection.id])
        return []

    def on_connect(self, connection, ctx):
        if "hello" in query_of(ctx.request.url):
            self.publish(["hello", connection.id])
        connection.send_json({"type": "connected"})

    def do_publish(self, *values):
        return [self.publish(value) for value in values]

    def do_publish_excluding(self, value, ids, connections):
        return self.publish(value, exclude=[*ids, *map(self.one, connections)])

    def do_publish_value(self, name):
        return self.publish(VALUES.get(name, name))

    def do_publish_large(self, size):
        return self.publish("x" * size)

    def do_publish_badly(self):
        exclude: Any = [7]
        return self.publish("bad", exclude=exclude)

    def do_publish_ago(self, *pairs):
        """Publish values as if that was so many seconds ago; negative ones are still to come."""
        module: Any = partyserver.history
        usual, now = module._now, int(time.time() * 1000)
        try:
            for seconds, value in pairs:
                module._now = partial(int, now - seconds * 1000)
                self.publish(value)
        finally:
            module._now = usual

    def do_read(self, *arguments):
        return self.read_events(*arguments)

    def do_stored(self):
        return [row["seq"] for row in self.sql("select seq from _partyserver_history")]

    def do_kick_and_publish(self, id, *values):
        self.one(id).close(4000)
        return self.do_publish(*values)

    async def do_wipe(self, *values):
        await self.ctx.storage.deleteAll()
        before = self.read_events()
        return [before, *self.do_publish(*values)]

    def do_publish_and_undo(self, value):
        """In a transaction."""

        def work():
            self.publish(value)
            raise ZeroDivisionError

        try:
            self.transaction(work)
        except Exception as error:
            return type(error).__name__
        return "not undone"

    def do_publish_in_transactions(self, first, undone, last):
        """The inner one is undone, and the outer one stands."""
        numbers = []

        def fails():
            numbers.append(self.publish(undone))
            raise ZeroDivisionError

        def work():
            numbers.append(self.publish(first))
            try:
                self.transaction(fails)
            except ZeroDivisionError:
                numbers.append(self.transaction(self.publish, last))
            self.broadcast_json(["in the transaction"])
            return "the end"

        end = self.transaction(work)
        return [*numbers, end]

    def do_publish_when_full(self, value):
        """Storage that refuses."""
        self.sql(
            "create trigger full before insert on _partyserver_history begin "
            "select raise(abort, 'the disk is full'); end"
        )
        try:
            return self.publish(value)
        finally:
            self.sql("drop trigger full")

    def do_define(self, name):
        type("Room", (History, Server), {"history_options": BAD_OPTIONS[name]})


class PastSleepy(Past):
    options = {"hibernate": True}


class Large(Past):
    """As many as by default, and for a second."""

    history_options = HistoryOptions(max_age=timedelta(minutes=1))


class LargeSleepy(Large):
    options = {"hibernate": True}
