"""A capability that stands beside the core: it attaches as a part."""

import json

import js
from partyserver import Server
from partyserver.parts import NOT_MINE, Part, attach


class Counts:
    """How many messages a room has had in this life, and what the part has seen."""

    def __init__(self):
        self.messages = 0
        self.seen = []


def connecting(server, connection, ctx):
    COUNTING.of(server).seen.append(["connecting", connection.id, len(server.audience())])


def accepted(server, connection, ctx):
    COUNTING.of(server).seen.append(["accepted", connection.id, len(server.audience())])


def message(server, connection, content):
    counts = COUNTING.of(server)
    if content == "how many?":
        connection.send_json({"messages": counts.messages})
        return None
    if content == "what was seen?":
        connection.send_json(counts.seen)
        return None
    if content.startswith("keep "):
        COUNTING.keep(connection, {"word": content.removeprefix("keep "), "raw": b"\x00"})
        return None
    if content == "what is kept?":
        kept = COUNTING.kept(connection)
        connection.send_json([kept and [kept["word"], len(kept["raw"])], connection.state])
        return None
    if content == "fail":
        raise ZeroDivisionError("of the part")
    counts.messages += 1
    return NOT_MINE


def closed(server, connection, code, reason, was_clean):
    COUNTING.of(server).seen.append(["closed", connection.id, code])


async def alarm(server, info):
    if await server.ctx.storage.get("whose") == "counting":
        COUNTING.of(server).seen.append(["alarm"])
        return None
    return NOT_MINE


COUNTING = Part(
    name="counting",
    rank=500,
    construct=lambda server: Counts(),
    connecting=connecting,
    accepted=accepted,
    message=message,
    closed=closed,
    alarm=alarm,
)


@attach(COUNTING)
class Counting:
    """Counts messages. `how many?` is answered, and reaches no hook."""

    @property
    def count(self):
        return COUNTING.of(self).messages

    def reset(self):
        COUNTING.of(self).messages = 0


def loud(server, connection, content):
    if isinstance(content, str) and content.isupper():
        connection.send("not so loud")
        return None
    return NOT_MINE


#: Parts of a lower rank are asked first, whatever the order of the bases.
LOUD = Part(name="loud", rank=100, message=loud)


@attach(LOUD)
class Quiet: ...


class Counted(Counting, Quiet, Server):
    """Hooks that call no `super()`: the parts lose nothing."""

    def audience(self):
        return list(self.get_connections())

    def on_connect(self, connection, ctx):
        if connection.id == "unwelcome":
            raise PermissionError("not you")
        if connection.id == "closed and failed":
            connection.close(4000)
            raise PermissionError("not you either")
        connection.send(f"welcome, {len(COUNTING.of(self).seen)} seen")

    def on_message(self, connection, message):
        if message == "state":
            connection.set_state({"a": 1})
            return
        if message == "foreign":
            kept = connection.socket.deserializeAttachment()
            kept.ofAnother = js.Date.new(1000)
            connection.socket.serializeAttachment(kept)
            return
        if message == "foreign?":
            kept = connection.socket.deserializeAttachment()
            connection.send_json([kept.ofAnother.getTime(), js.Object.keys(kept).to_py()])
            return
        connection.send(f"{self.count}: {message}")

    def on_close(self, connection, code, reason, was_clean):
        COUNTING.of(self).seen.append(["on_close", connection.id])

    def on_alarm(self):
        COUNTING.of(self).seen.append(["on_alarm"])

    async def set_alarm(self, whose):
        await self.ctx.storage.put("whose", whose)
        await self.ctx.storage.setAlarm(4 * 10**12)

    def what_was_seen(self):
        return json.loads(json.dumps(COUNTING.of(self).seen))


class CountedSleepy(Counted):
    options = {"hibernate": True}
