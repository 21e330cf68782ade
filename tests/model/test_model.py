"""Random histories of a room on the real runtime, each checked against a simple model of it.

The seed is fixed, so each run has the same histories. Others, and more of them:

    MODEL_SEED=2 MODEL_HISTORIES=100 make test ARGS=tests/model
"""

from __future__ import annotations

import itertools
import os
import sys
import time

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from partyserver.testing import Party

from ..contracts.scripted import events, open_socket

SEED = int(os.environ.get("MODEL_SEED", "1"))
HISTORIES = int(os.environ.get("MODEL_HISTORIES", "8"))
STEPS = 30
#: Seconds for what a step causes to happen. Only a failing step takes that long.
PATIENCE = 30

ids = st.sampled_from(["ann", "bob", "cy", "dö"])
tags = st.lists(st.sampled_from(["red", "big", "ann"]), unique=True, max_size=2)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
choices = st.integers(min_value=0, max_value=99)  # of the clients that are there
close_codes = st.sampled_from([1000, 3000, 4000, 4999])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)

room_numbers = itertools.count()


class Client:
    """An open connection as the model knows it: what it must receive, and what it must know."""

    def __init__(self, socket, id, tags):
        self.socket = socket
        self.id = id
        self.tags = [id, *(tag for tag in tags if tag != id)]
        self.state = None
        self.inbox = []

    def send(self, *command):
        self.socket.send_json(command)

    def __repr__(self):
        return f"{self.id}:{'+'.join(self.tags[1:])}"


class History(RuleBasedStateMachine):
    """A room, and the model of it: the clients in the order in which they came, and its events."""

    party: Party
    class_name: str
    hibernates: bool

    @initialize()
    def begin(self):
        self.room = self.party.room(self.class_name, f"history-{next(room_numbers)}")
        self.clients: list[Client] = []
        self.happened = []
        self.starts = 1

    # --- what happens -----------------------------------------------------------------

    @rule(id=ids, tags=tags)
    @precondition(lambda self: len(self.clients) < 6)
    def connect(self, id, tags):
        socket = open_socket(self.room, id, query=[("tag", tag) for tag in tags])
        client = Client(socket, id, tags)
        self.clients.append(client)
        self.happened.append(["connect", [id, client.tags]])

    @rule(choice=choices, text=texts, how=st.sampled_from(["echo", "echo_later"]))
    @precondition(lambda self: self.clients)
    def send(self, choice, text, how):
        sender = self.choose(choice)
        sender.send(how, text)
        sender.inbox.append(text)
        if how == "echo_later":
            # What comes next may overtake a hook that suspends.
            self.receive(sender)

    @rule(choice=choices, text=texts, excluded=st.sets(ids, max_size=2))
    @precondition(lambda self: self.clients)
    def broadcast(self, choice, text, excluded):
        self.choose(choice).send("broadcast", text, sorted(excluded))
        for client in self.clients:
            if client.id not in excluded:
                client.inbox.append(text)

    @rule(choice=choices, other=choices, count=st.integers(1, 10), evict=st.booleans())
    @precondition(lambda self: self.clients)
    def talk_across_each_other(self, choice, other, count, evict):
        """Two clients broadcast without waiting: the order of each is kept."""
        senders = list(dict.fromkeys([self.choose(choice), self.choose(other)]))
        if evict:
            self.evict()
        for number in range(count):
            for at, sender in enumerate(senders):
                sender.send("broadcast", f"{at} {number}")
        for client in self.clients:
            heard = [client.socket.receive(PATIENCE).split() for _ in range(count * len(senders))]
            for at in range(len(senders)):
                of_one = [int(number) for sender, number in heard if sender == str(at)]
                assert of_one == list(range(count)), heard

    @rule(choice=choices, id=ids, text=texts)
    @precondition(lambda self: self.clients)
    def tell(self, choice, id, text):
        """To the newest connection with that id; the hook fails where there is none."""
        self.choose(choice).send("tell", id, text)
        named = [client for client in self.clients if client.id == id]
        if named:
            named[-1].inbox.append(text)
        else:
            self.happened.append(["exception", "AttributeError"])

    @rule(choice=choices, value=json_values)
    @precondition(lambda self: self.clients)
    def set_state(self, choice, value):
        client = self.choose(choice)
        client.send("set_state", value)
        client.state = value
        client.inbox.append(["state", value])

    @rule(choice=choices, how=st.sampled_from(["raise", "raise_later"]))
    @precondition(lambda self: self.clients)
    def fail_in_a_hook(self, choice, how):
        self.choose(choice).send(how)
        self.happened.append(["exception", "ZeroDivisionError"])

    @rule(choice=choices, code=st.none() | close_codes | st.just(1001), reason=texts)
    @precondition(lambda self: self.clients)
    def client_closes(self, choice, code, reason):
        client = self.leave(choice, 1005 if code is None else code)
        client.socket.close(code, "" if code is None else reason)
        assert client.socket.close_code == (1005 if code is None else code)

    @rule(choice=choices)
    @precondition(lambda self: self.clients)
    def client_vanishes(self, choice):
        client = self.leave(choice, 1006)
        client.socket.drop()

    @rule(choice=choices, code=close_codes, evict=st.booleans())
    @precondition(lambda self: self.clients)
    def server_closes(self, choice, code, evict):
        """The sender's own connection; with `evict`, the room may have to wake to hear its end."""
        client = self.leave(choice, code)
        self.happened.insert(-2, ["send", "ConnectionClosedError"])
        # What is behind it on its way is dropped.
        client.send("close", code, "enough")
        self.expect_close(client, code, evict)

    @rule(choice=choices, other=choices, code=close_codes)
    @precondition(lambda self: len(self.clients) > 1)
    def server_closes_another(self, choice, other, code):
        victim = self.choose(other)
        closer = self.choose(choice)
        victim = [client for client in self.clients if client.id == victim.id][-1]
        if closer is victim:
            return
        self.leave(self.clients.index(victim), code)
        closer.send("close_other", victim.id, code, "")
        self.expect_close(victim, code)

    @rule(choice=choices, evict=st.booleans())
    @precondition(lambda self: self.clients)
    def an_alarm_fires(self, choice, evict):
        client = self.choose(choice)
        evict = evict and self.hibernates
        client.send("alarm", 50 if evict else 0)
        client.inbox.append(["alarm set"])
        self.receive(client)
        self.happened.append(["alarm", self.room.name])
        if evict:
            self.evict()

    @rule()
    @precondition(lambda self: self.hibernates)
    def the_room_is_evicted(self):
        self.evict()

    # --- what must be true ------------------------------------------------------------

    @invariant()
    def check(self):
        for client in self.clients:
            client.send("state")
            client.inbox.append(["state", client.state])
        for client in self.clients:
            self.receive(client)
        self.compare_events()
        for client in self.clients:
            for wanted in ([], ["red"], ["red", "big"], ["ann"]):
                client.send("ids", *wanted)
                found = [one.id for one in self.clients if {*wanted} <= {*one.tags}]
                client.inbox.append(["ids", found])
            self.receive(client)

    def teardown(self):
        if sys.exception() is not None:
            return
        for client in list(self.clients):
            self.leave(0, 1000)
            client.socket.close()
        self.compare_events()
        names = [name for name, _ in self.happened]
        assert names.count("connect") == names.count("close")
        with open_socket(self.room, "witness") as witness:
            witness.send_json(["ids"])
            assert witness.receive_json() == ["ids", ["witness"]]

    # --- how it is done ---------------------------------------------------------------

    def choose(self, choice):
        return self.clients[choice % len(self.clients)]

    def leave(self, choice, code):
        """A client is about to go: from here on nothing may reach it."""
        client = self.choose(choice)
        self.receive(client)
        self.clients.remove(client)
        self.happened.append(["close", [client.id, code]])
        self.happened.append(["left", [one.id for one in self.clients]])
        return client

    def expect_close(self, client, code, evict=False):
        client.socket.wait_closed(PATIENCE)
        assert client.socket.close_code == code
        assert list(client.socket) == []
        if evict:
            self.evict()

    def evict(self):
        if self.hibernates:
            self.room.hibernate()
            self.starts += 1

    def receive(self, client):
        """What is in a client's inbox comes next, in that order."""
        while client.inbox:
            expected = client.inbox.pop(0)
            text = isinstance(expected, str)
            received = (
                client.socket.receive(PATIENCE) if text else client.socket.receive_json(PATIENCE)
            )
            assert received == expected, f"to {client}"

    def compare_events(self):
        deadline = time.monotonic() + PATIENCE
        while (seen := self.events()) != self.happened and time.monotonic() < deadline:
            continue
        assert seen == self.happened

    def events(self):
        """The recorded events as the model has them; the starts are looked at by themselves."""
        recorded = events(self.room)
        assert recorded[0] == ["start", None], "something happened before on_start"
        assert [name for name, _ in recorded].count("start") == self.starts
        return [_simple(*event) for event in recorded if event[0] in RECORDED]


RECORDED = ("connect", "close", "left", "send", "exception", "error", "alarm")


def _simple(name, detail):
    match name:
        case "close":
            return [name, detail[:2]]
        case "exception":
            return [name, detail.partition(":")[0]]
    return [name, detail]


def run_histories(machine, histories, steps, party, class_name, *, hibernates):
    """Run random histories of a machine, whose rooms are of a class of the worker's."""

    print(f"MODEL_SEED={SEED}")

    of_this_test = {"party": party, "class_name": class_name, "hibernates": hibernates}
    run_state_machine_as_test(
        seed(SEED)(type(machine.__name__, (machine,), of_this_test)),
        settings=settings(
            max_examples=histories,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


@pytest.mark.timeout(3600)  # the time that Hypothesis takes to shorten a history that fails
def test_random_histories_go_as_in_the_model(party, mode, binding):
    run_histories(
        History, HISTORIES, STEPS, party, binding("Scripted"), hibernates=mode == "hibernating"
    )
