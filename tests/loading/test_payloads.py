import json

import pytest
from partyserver.load.errors import LoadError
from partyserver.load.payloads import Payload


def test_a_message_is_json_and_known_by_its_id():
    payload = Payload("run")
    message = payload.make(12, 345)
    assert json.loads(message) == {"id": "run.12.345"}
    assert payload.read(message) == (12, 345)


@pytest.mark.parametrize(
    "came",
    [
        json.dumps({"type": "said", "text": json.dumps({"id": "run.1.2"})}),
        b'\xff\x00{"id": "run.1.2"}',
        "<p>run.1.2</p>",
        "run.1.2",
    ],
)
def test_whatever_the_server_makes_of_it(came):
    assert Payload("run").read(came) == (1, 2)


@pytest.mark.parametrize("came", ["", "welcome", "run.1", "run.1.x", "another.1.2", b"run.1."])
def test_what_is_of_no_load_or_of_another_is_nothing(came):
    assert Payload("run").read(came) is None


def test_a_payload_of_ones_own():
    payload = Payload("run", '{"type": "say", "text": "{n}: {id} {id}"}')
    assert payload.make(3, 4) == '{"type": "say", "text": "4: run.3.4 run.3.4"}'


@pytest.mark.parametrize("template", [None, "é{id}{pad}é{pad}", "{n} {pad} {id}"])
def test_a_size_is_in_bytes(template):
    payload = Payload("run", template, 100)
    for connection, number in ((0, 0), (999, 12345)):
        message = payload.make(connection, number)
        assert len(message.encode()) == 100
        assert payload.read(message) == (connection, number)


def test_a_message_that_is_longer_than_the_size_stays_so():
    assert Payload("run", "{id}{pad}", 3).make(10, 10) == "run.10.10"


def test_padding_without_a_size_is_none():
    assert Payload("run", "{id}{pad}").make(1, 2) == "run.1.2"


def test_a_payload_without_an_id_is_refused():
    with pytest.raises(LoadError, match=r"the payload 'hello \{n\}' has no \{id\}"):
        Payload("run", "hello {n}")


def test_a_size_without_a_place_for_it_is_refused():
    with pytest.raises(LoadError, match=r"a size needs a \{pad\} in the payload '\{id\}'"):
        Payload("run", "{id}", 100)
