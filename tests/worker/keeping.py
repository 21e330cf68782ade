"""Rooms that keep values whose keys, depth and numbers a client may have chosen."""

import js
from partyserver import Server
from partyserver.rules.attachment import copy_state
from partyserver.runtime import values
from words import WORDS
from workers import Response


def values_of(word):
    """A dict with that key, in each way that may make it something else in JavaScript."""
    for value in (1, "x", None, True, [], {"name": "Object"}, {"name": "Map"}, {word: {word: 1}}):
        yield {word: value}
        yield {"a": [{word: value, "b": b"bytes"}]}


def nested(depth, value=1):
    for level in range(depth):
        value = {"constructor": value} if level % 3 == 2 else {"a": value} if level % 3 else [value]
    return value


class Random:
    """Python's own needs entropy when it is imported."""

    def __init__(self, seed):
        self._state = seed

    def below(self, number):
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._state >> 33) % number

    def choice(self, among):
        return among[self.below(len(among))]


LEAVES = [
    None, True, False, 0, 1, -1, 2**53 - 1, 2**53, -(2**60), 10**30, 0.0, -0.0, 1.0, -7.0, 0.5,
    1e300, 2.0**53, float("inf"), -float("inf"), float("nan"),
    "", "x", "€😀", "\ud800", b"", b"\0\1",
]  # fmt: skip
KEYS = ["b", "a", "10", "9", "0", "01", "-1", "1.5", "4294967295", "4294967294", *WORDS]


def generated(random, depth=4):
    kind = random.below(4) if depth else 3
    if kind == 0:
        return [generated(random, depth - 1) for _ in range(random.below(4))]
    if kind == 1:
        return {random.choice(KEYS): generated(random, depth - 1) for _ in range(random.below(5))}
    if kind == 2:
        return tuple(generated(random, depth - 1) for _ in range(random.below(3)))
    return random.choice(LEAVES)


def written_otherwise(connection, seed):
    """Values of which the socket keeps something else than by Pyodide's conversion."""
    random = Random(seed)
    ways = []
    for _ in range(100):
        value = generated(random)
        read = connection.set_state(value)
        ways.append(is_written_as_json(connection))
        kept = connection.socket.deserializeAttachment()
        usual = js.Object.fromEntries(js.Object.entries(kept))
        setattr(usual, "__user", values.javascript_value(copy_state(value)))
        pair = js.WebSocketPair.new().object_values()
        pair[0].serializeAttachment(usual)
        for socket in (connection.socket, pair[0]):
            found = values.python_value(socket.deserializeAttachment())["__user"]
            if not repr(found) == repr(read) == repr(connection.state):
                yield value, found, read
    if len(set(ways)) != 2:
        yield "all were written in one way"


def is_written_as_json(connection):
    """Whether what is kept is written as JSON."""
    return connection.attachment.json is not None


class Keeping(Server):
    """Sets the state that a number stands for, and tells what it is."""

    def on_message(self, connection, message):
        command, argument = message.split()
        match command:
            case "set":
                values = [generated(Random(int(argument) * 1000 + n)) for n in range(20)]
                connection.send(repr(connection.set_state(values)))
            case "each":
                connection.send(repr([*written_otherwise(connection, int(argument))]))
            case "words":
                connection.send(repr(connection.set_state(list(values_of(argument)))))
            case "deep":
                try:
                    connection.send(repr(connection.set_state(nested(int(argument)))))
                except ValueError as error:
                    connection.send(str(error))
            case "handed":
                connection.set_state(None)
                ways = []
                for state in (1, 2):
                    connection.set_state(state)
                    ways.append(connection._write is not None)
                connection.send(repr(ways))
            case "read":
                connection.send(repr(connection.state))

    def columns(self):
        found = {}
        for word in [*WORDS, "10", "9"]:
            [row] = self.sql(f'select 1 as a, 2 as "{word}"')
            found[word] = row
        return found

    async def on_request(self, request):
        return await answer(request)

    def take(self, *values):
        return repr(values)

    async def hold(self, value):
        await self.ctx.storage.put("held", value)
        return repr(await self.ctx.storage.get("held"))


class KeepingSleepy(Keeping):
    options = {"hibernate": True}


async def answer(request):
    """The JSON of a request, read as a user would."""
    try:
        return Response.from_json(await request.json())
    except ValueError as error:
        return Response(f"{type(error).__name__}: {error}", status=400)


async def call(worker, what):
    """What a room's method is given by a caller in JavaScript, which is the platform's own way."""
    stub = worker.env._env.Keeping.getByName("x")
    parse = js.JSON.parse
    try:
        match what.split("-"):
            case ["deep", depth]:
                depth = int(depth)
                return await stub.take(parse("[" * depth + "]" * depth))
            case ["deeply", "constructed", depth]:
                depth = int(depth)
                return await stub.take(parse('{"constructor":' * depth + "1" + "}" * depth))
            case ["word", word]:
                values = ["1", '"x"', "null", "[]", '{"name":"Object"}', '{"name":"Map"}']
                return [
                    [await stub.take(parse(f'[{{"{word}":{value}}}]')) for value in values],
                    [await stub.hold(parse(f'[{{"{word}":{value}}}]')) for value in values],
                ]
            case ["error"]:
                return await stub.take(parse('{"name":"a","message":"b","stack":"c"}'), 1, None)
            case ["columns"]:
                return await stub.columns()
    except Exception as error:
        return str(error).strip().splitlines()[-1]
