"""An echo, alone and with what the capabilities do for each message."""

from partyserver import Server, route_partykit_request
from partyserver.history import History, HistoryOptions
from partyserver.presence import Presence
from partyserver.schedule import Schedule
from workers import Response, WorkerEntrypoint


class Echo(Server):
    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(message)


class Idle(Presence, History, Schedule, Server):
    """Has them, and does nothing with them."""

    options = {"hibernate": True}

    def on_message(self, connection, message):
        connection.send(message)


class Rated(Echo):
    options = {"rate": {"messages": 1_000_000}}


class Publishing(History, Server):
    options = {"hibernate": True}
    history_options = HistoryOptions(max_events=100)

    def on_message(self, connection, message):
        self.publish("hello, how are you today?", exclude=[connection])
        connection.send(message)


class Writing(Server):
    """What a history costs by hand: a row in, and one out."""

    options = {"hibernate": True}
    migrations = ["create table said (id integer primary key, text text not null)"]

    def on_message(self, connection, message):
        [row] = self.sql("insert into said (text) values (?) returning id", message)
        self.sql("delete from said where id <= ?", row["id"] - 100)
        connection.send(message)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env) or Response("none", status=404)
