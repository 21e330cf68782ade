"""Random histories of a room with capabilities, each checked against a simple model of it.

What must be true, whatever happens: nobody is present without a socket, and everybody sees who is;
nothing is missed or seen twice by a client that resumes; every timer runs at least once, and none
before its time. As for `test_model.py`:

    MODEL_SEED=2 MODEL_HISTORIES=100 make test ARGS=tests/model/test_rooms.py
"""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from partyserver.testing import Party

from .test_model import HISTORIES, PATIENCE, choices, run_histories

STEPS = 25
#: Of the room's history.
MAX_EVENTS = 5

keys = st.sampled_from(["ann", "bob", "1"])
metas = st.sampled_from(["x", "y"])

numbers = itertools.count()


@pytest.fixture
def party_config():
    return Path(__file__).parents[1] / "capabilities" / "wrangler.toml"


class Client:
    """A client, which may lose its connection and come back."""

    def __init__(self):
        #: Of its connection.
        self.number = None
        self.socket = None
        #: For whom it stands, and since when.
        self.key = self.meta = self.at = None
        #: The last event that it has had; None before it has connected.
        self.last = None
        #: What it must hear of events.
        self.inbox = []
        #: Who is here, as it has been told; None if it has not been.
        self.view = None

    def __repr__(self):
        return f"client {self.number}"


class Rooms(RuleBasedStateMachine):
    """A room, and the model of it."""

    party: Party
    class_name: str
    hibernates: bool

    @initialize()
    def begin(self):
        self.room = self.party.room(self.class_name, f"room-{next(numbers)}")
        self.here: list[Client] = []
        self.away: list[Client] = []
        self.events = []
        #: Who has joined, and the hooks that were called for each key.
        self.keys = set()
        self.hooks = {}
        self.clock = itertools.count()
        #: Those that are to run: their ids, and after how many hours.
        self.timers = {}
        self.cancelled = set()
        self.rung = set()

    # --- what happens -----------------------------------------------------------------

    @rule(back=st.booleans(), choice=choices, key=st.none() | keys, meta=metas)
    @precondition(lambda self: len(self.here) < 5)
    def connect(self, back, choice, key, meta):
        """A new client, or one that resumes; tracked by `on_connect`, or not."""
        client = Client()
        if back and self.away:
            client = self.away.pop(choice % len(self.away))
        client.number = str(next(numbers))
        query = {"number": client.number}
        if client.last is not None:
            query["since"] = client.last
            self.miss(client)
        client.last = len(self.events)
        if key is not None:
            query |= {"key": key, "meta": meta}
        client.socket = self.room.connect(query=query)
        self.here.append(client)
        if key is not None:
            self.stand(client, key, meta)

    @rule(choice=choices, key=keys, meta=metas)
    @precondition(lambda self: self.here)
    def track(self, choice, key, meta):
        client = self.choose(choice)
        assert self.do("track", client.number, key, meta) is None
        self.stand(client, key, meta)

    @rule(choice=choices)
    @precondition(lambda self: self.here)
    def untrack(self, choice):
        client = self.choose(choice)
        assert self.do("untrack", client.number) is None
        self.stand(client, None)

    @rule(count=st.integers(1, 3), excluded=st.sets(st.integers(0, 4), max_size=2))
    def publish(self, count, excluded):
        left_out = [client for at, client in enumerate(self.here) if at in excluded]
        for _ in range(count):
            number = len(self.events) + 1
            value = {"n": number}
            assert self.do("publish", value, [one.number for one in left_out]) == number
            self.events.append({"type": "event", "seq": number, "data": value})
            for client in self.here:
                if client not in left_out:
                    client.inbox.append(self.events[-1])
                    client.last = number

    @rule(key=keys, meta=metas)
    def an_on_connect_fails(self, key, meta):
        query = {"number": "none", "key": key, "meta": meta, "fail": "1"}
        with self.room.connect(query=query) as socket:
            socket.wait_closed(PATIENCE)
        if key not in self.keys:
            self.hooks.setdefault(key, []).extend(["join", "leave"])

    @rule(choice=choices, how=st.sampled_from(["close", "drop", "kick"]), evict=st.booleans())
    @precondition(lambda self: self.here)
    def a_connection_ends(self, choice, how, evict):
        client = self.leave(self.choose(choice))
        if evict:
            self.evict()
        match how:
            case "close":
                client.socket.close()
            case "drop":
                client.socket.drop()
            case "kick":
                assert self.do("kick", client.number) is None
                client.socket.wait_closed(PATIENCE)
        self.stand(client, None)

    @rule(evict=st.booleans())
    @precondition(lambda self: len(self.here) > 1)
    def several_vanish_at_once(self, evict):
        """Those that vanish in one sleep may meet in one wake."""
        lost = [self.leave(client) for client in self.here[:-1][:3]]
        if evict:
            self.evict()
        for client in lost:
            client.socket.drop()
        for client in lost:
            self.stand(client, None)

    @rule(hours=st.integers(1, 9), evict=st.booleans())
    def set_a_timer(self, hours, evict):
        number = next(numbers)
        self.timers[number] = (self.do("set_timer", number, hours), hours)
        if evict:
            self.evict()

    @rule(choice=choices)
    @precondition(lambda self: self.timers)
    def cancel_a_timer(self, choice):
        number = list(self.timers)[choice % len(self.timers)]
        id, _ = self.timers.pop(number)
        self.cancelled.add(number)
        assert self.do("cancel_timer", id) is True
        assert self.do("cancel_timer", id) is False

    @rule(hours=st.integers(0, 9), evict=st.booleans())
    @precondition(lambda self: self.timers)
    def time_passes(self, hours, evict):
        """For the room's alarm: half an hour more, within which a history has been gone through."""
        if evict:
            self.evict()
        self.room.run_due(at=datetime.now(UTC) + timedelta(hours=hours, minutes=30))
        due = {number for number, (_, after) in self.timers.items() if after <= hours}
        self.rung |= due
        self.timers = {number: one for number, one in self.timers.items() if number not in due}

    @rule()
    @precondition(lambda self: self.hibernates)
    def the_room_sleeps(self):
        self.evict()

    @rule()
    @precondition(lambda self: self.here)
    def a_new_version_is_deployed(self):
        """All sockets are lost with the room, and nobody leaves."""
        lost = [self.leave(client) for client in list(self.here)]
        self.room.evict()
        for client in lost:
            client.socket.wait_closed(PATIENCE)
            client.key = None
        self.keys = set()

    # --- what must be true ------------------------------------------------------------

    @invariant()
    def check(self):
        """What an end causes comes when the room has heard of it."""
        deadline = time.monotonic() + PATIENCE
        while (problem := self.problem()) and time.monotonic() < deadline:
            continue
        assert not problem, problem

    @invariant()
    def check_timers(self):
        if self.timers or self.rung or self.cancelled:
            rang, waiting = self.do("rang")
            assert set(rang) == self.rung
            assert waiting == sorted(self.timers)

    def problem(self):
        present, entries = self.do("look")
        if present != self.present():
            return f"{present} are present, and not {self.present()}"
        called = {}
        for entry in entries:
            hook, key = json.loads(entry)
            called.setdefault(key, []).append(hook)
        if called != self.hooks:
            return f"the hooks were {called}, and not {self.hooks}"
        self.receive_all()
        for client in self.here:
            if client.view is not None and client.view != present:
                return f"{client} sees {client.view}, and not {present}"
        return None

    def teardown(self):
        for client in self.here:
            client.socket.close()

    # --- the model --------------------------------------------------------------------

    def do(self, *command):
        return self.room.fetch("/", "POST", content=json.dumps(command)).json()

    def choose(self, choice):
        return self.here[choice % len(self.here)]

    def present(self):
        present = {}
        for client in sorted(filter(_stands, self.here), key=lambda one: one.at):
            present.setdefault(client.key, []).append(client.meta)
        return present

    def stand(self, client, key, meta=None):
        """It stands for somebody else from here on, and knows that without being told."""
        before = client.key
        if before != key:
            client.at = next(self.clock)
        client.key, client.meta = key, meta
        present = self.present()
        for left in self.keys - present.keys():
            self.hooks[left].append("leave")
        for joined in present.keys() - self.keys:
            self.hooks.setdefault(joined, []).append("join")
        self.keys = {*present}
        if client in self.here and before is not None:
            for one in (before, key):
                client.view.pop(one, None)
                if one in present:
                    client.view[one] = present[one]

    def leave(self, client):
        self.receive(client)
        self.here.remove(client)
        self.away.append(client)
        client.view = None
        return client

    def miss(self, client):
        """What a client gets that comes back."""
        first = max(1, len(self.events) - MAX_EVENTS + 1)
        after = client.last
        if after + 1 < first:
            client.inbox.append({"type": "history_gap", "first": first})
            after = first - 1
        client.inbox += self.events[after:]

    def evict(self):
        if self.hibernates:
            self.room.hibernate()

    def receive_all(self):
        for client in self.here:
            self.receive(client)

    def receive(self, client):
        """All that is on its way to a client."""
        mark = ["done", next(numbers)]
        client.socket.send_json(["sync", mark[1]])
        while (message := client.socket.receive_json(PATIENCE)) != mark:
            match message["type"]:
                case "presence_state":
                    client.view = message["presence"]
                case "presence_diff":
                    assert not message["joins"].keys() & message["leaves"]
                    if client.view is not None:
                        client.view |= message["joins"]
                        for key in message["leaves"]:
                            del client.view[key]
                case _:
                    assert message == client.inbox.pop(0), f"to {client}"
        assert client.inbox == [], f"to {client}"


def _stands(client):
    return client.key is not None


@pytest.mark.timeout(3600)  # the time that Hypothesis takes to shorten a history that fails
def test_random_histories_go_as_in_the_model(party, mode, binding):
    histories = max(1, HISTORIES * 2 // 3)
    run_histories(
        Rooms, histories, STEPS, party, binding("Modelled"), hibernates=mode == "hibernating"
    )
