"""A `Server` inside of another one, as a facet: with a name of its own, storage, sockets, and RPC.

The class of a facet is one of the parent's own worker, so a parent and its facet speak the same
language; from there they call rooms of the other one.
https://developers.cloudflare.com/dynamic-workers/usage/durable-object-facets/
"""

from __future__ import annotations

import pytest

from .test_rpc import SAMPLE

#: A facet needs an id of its own, or it has its parent's, and with it its parent's name.
FACET = {"facet": "key", "name": "inner"}


def test_a_facet_has_its_own_name_storage_and_start(party):
    parent = party.room("PyParent", "outer")
    facet = {**FACET, "class": "PySleepy"}
    assert parent.fetch("/path", params=facet).json()["name"] == "inner"
    other = {**facet, "facet": "other", "name": "another"}
    assert parent.fetch("/path", params=other).json()["name"] == "another"
    [start, request] = parent.fetch("/events", params=facet).json()
    assert start == ["start", "inner", None]
    assert request[1:3] == ["GET", "/path"]


def test_a_facet_without_an_id_has_its_parents_name(party):
    facet = {"facet": "key", "class": "PySleepy"}
    assert party.room("PyParent", "outer").fetch("/", params=facet).json()["name"] == "outer"


PLAIN = {"facet": "key", "name": "plain id", "class": "PyUnnamed"}


def test_a_facet_whose_id_is_a_plain_string_lives_and_only_its_name_raises(party):
    parent = party.room("PyParent", "outer")
    method, error = parent.fetch("/", params=PLAIN).json()
    assert method == "GET"
    assert error.startswith("this PyUnnamed has no name")
    assert parent.fetch("/", params=PLAIN | {"method": "name_or_error"}).json() == error
    with parent.connect(id="a", query=PLAIN) as socket:
        assert socket.receive() == "a"
        parent.hibernate()
        socket.send("hi")
        assert socket.receive() == "hi from a"


def test_a_method_of_a_facet_whose_id_is_a_plain_string_sees_an_initialised_server(party):
    started = PLAIN | {"method": "started"}
    assert party.room("PyParent", "outer").fetch("/", params=started).json() is True


def test_a_facet_whose_id_is_a_plain_string_may_be_named(party):
    parent = party.room("PyParent", "outer")
    assert parent.fetch("/", params=PLAIN | {"method": "become"}).json() == "inner"
    for _ in range(2):
        assert parent.fetch("/", params=PLAIN).json() == ["GET", "inner"]
        parent.hibernate()


def test_a_method_of_a_facet_sees_an_initialised_server(party):
    facet = {**FACET, "class": "PySleepy", "method": "events"}
    assert party.room("PyParent", "outer").fetch("/", params=facet).json() == [
        ["start", "inner", None]
    ]


def test_sockets_of_a_facet(party):
    parent = party.room("PyParent", "outer")
    query = [*FACET.items(), ("class", "PySleepy"), ("tag", "red")]
    with parent.connect(id="a", query=query) as a, parent.connect(id="b", query=query) as b:
        for socket in (a, b):
            assert socket.receive_json() == ["connected", socket.id]
        a.send_json(["set_state", 1])
        assert a.receive_json() == ["state", 1]
        b.send_json(["broadcast", "hi"])
        assert a.receive() == b.receive() == "hi"
        parent.hibernate()
        a.send_json(["describe"])
        [_, about] = a.receive_json()
        assert about["server"] == "inner"
        assert (about["tags"], about["state"]) == (["a", "red"], 1)


@pytest.mark.parametrize(("language", "other"), [("Py", "Js"), ("Js", "Py")])
@pytest.mark.parametrize("what", ["describe", "echo", "sample"])
def test_a_facet_calls_a_room_of_the_other_language(party, language, other, what):
    facet = {**FACET, "class": f"{language}Caller"}
    ask = {"binding": f"{other}Caller", "what": what}
    parent = party.room(f"{language}Parent", "outer")
    assert parent.fetch("/ask", params=facet | ask).json() == SAMPLE
