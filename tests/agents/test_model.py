"""Many clients, and things in any order, with sleeps between: everybody ends with the truth."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from ..contracts.scripted import eventually
from .wire import STATE, ask, greeting, over_rpc, set_state

STEPS = 80


class Client:
    """What a client of the SDK knows: the state as it has set it, or as it has been told."""

    def __init__(self, room, id, *, quiet):
        self.socket = room.connect(id=id, query={"quiet": ""} if quiet else {})
        self.id = id
        self.quiet = quiet
        self.readonly = False
        self.state = None if quiet else greeting(self.socket)[1]["state"]
        #: The last answers to its calls, and the chunks.
        self.answers: dict[str, list] = {}

    def take_all(self):
        """All that is on its way."""
        self.socket.send("ping")
        while (message := self.socket.receive()) != "hook: 'ping'":
            frame = json.loads(message)
            if frame["type"] == STATE:
                assert not self.quiet
                self.state = frame["state"]
            elif frame["type"] == "rpc":
                self.answers.setdefault(frame["id"], []).append(frame)


class Model:
    """What a room with these clients is to do."""

    def __init__(self, party, random):
        self.random = random
        self.room = party.room("Moody", "lobby")
        self.rpc = over_rpc(party, "Moody")
        self.clients: list[Client] = []
        self.n = 0
        self.numbers = 0
        self.promised: list[int] = []

    def accepts(self, n):
        return n % 5 != 3

    def number(self):
        self.numbers += 1
        return self.numbers

    def one(self):
        if not self.clients:
            self.connect()
        return self.random.choice(self.clients)

    def connect(self):
        if len(self.clients) < 5:
            quiet = self.random.random() < 0.2
            self.clients.append(Client(self.room, f"c{self.number()}", quiet=quiet))

    def leave(self):
        if len(self.clients) > 1:
            client = self.one()
            self.clients.remove(client)
            client.socket.close()

    def set_state(self):
        client, n = self.one(), self.random.randrange(100)
        client.take_all()
        set_state(client.socket, {"n": n})
        client.state = {"n": n}
        if self.accepts(n) and not client.readonly:
            self.n = n
        client.take_all()

    def put(self):
        n = self.random.randrange(100)
        told = self.rpc("put", {"n": n})
        assert told == ([{"n": n}] if self.accepts(n) else "ClientError: not this number")
        if self.accepts(n):
            self.n = n

    def call(self):
        client, by, id = self.one(), self.random.randrange(1, 10), str(self.number())
        ask(client.socket, "add", by, id=id)
        client.take_all()
        [answer] = client.answers.pop(id)
        if client.readonly:
            assert answer["error"] == "Connection is readonly"
        elif not self.accepts(self.n + by):
            assert answer["error"] == "not this number"
        else:
            self.n += by
            assert answer["result"] == self.n

    def stream(self):
        client, n, id = self.one(), self.random.randrange(5), str(self.number())
        ask(client.socket, "count_to", n, id=id)
        client.take_all()
        assert [answer["result"] for answer in client.answers.pop(id)] == [*range(n), n]

    def flip(self):
        client = self.one()
        client.readonly = not client.readonly
        self.rpc("set_readonly", client.id, client.readonly)

    def sleep(self):
        self.room.hibernate()

    def later(self):
        self.promised.append(self.number())
        self.rpc(self.random.choice(["later", "soon"]), self.promised[-1])

    def check(self):
        assert self.rpc("get") == [{"n": self.n}]
        for client in self.clients:
            client.take_all()
            assert client.quiet or client.state == {"n": self.n}
            assert not client.answers  # none came twice


@pytest.mark.parametrize("seed", range(3))
def test_everybody_ends_with_the_truth(party, seed):
    random = Random(seed)
    model = Model(party, random)
    often = ["set_state", "put", "call", "call", "stream", "sleep", "connect"]
    steps = [*often, *often, "leave", "flip", "later", "check"]
    for _ in range(STEPS):
        getattr(model, random.choice(steps))()
    model.check()
    model.room.run_due(at=datetime.now(UTC) + timedelta(hours=2))
    done = []

    def all_done():
        done.extend(number for what, number, *_ in model.rpc("log") if what == "done")
        return sorted(done) == sorted(model.promised)

    assert eventually(all_done)
    model.check()
    for client in model.clients:
        client.socket.close()
