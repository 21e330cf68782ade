"""The model is a server of the tests' own, which answers as it is told."""

from __future__ import annotations

from partyserver.testing import Party

from ..assistant.api import Api, api, end, event, server

__all__ = ["api", "server"]


def test_an_answer_streams_to_everybody_and_is_kept(party: Party, api: Api) -> None:
    text = event(content="Grüße") + event(content=", 世界") + end()
    api.answers.append((200, [text[:60], text[60:100], text[100:]]))
    room = party.room("Conversation", str(api.server_port))
    with room.connect() as ann, room.connect() as bob:
        ann.send("Hello")
        parts = ""
        while parts != "Grüße, 世界":
            parts += bob.receive_json(until={"type": "part"})["text"]
        answer = {"role": "assistant", "text": "Grüße, 世界"}
        assert ann.receive_json(until={"type": "event", "seq": 2})["data"] == answer
    with room.connect(query={"since": "0"}) as late:
        assert late.receive_json()["data"] == {"role": "user", "text": "Hello"}
        assert late.receive_json()["data"] == answer
    [(path, authorization, asked)] = api.seen
    assert (path, authorization) == ("/v1/chat/completions", "Bearer sk-of-the-tests")
    assert asked["messages"] == [{"role": "user", "content": "Hello"}]


def test_a_model_that_fails_is_told_and_can_be_asked_again(party: Party, api: Api) -> None:
    broken_off = [event(content="H")]
    api.answers += [(500, []), (200, broken_off), (200, [event(content="Hi"), end()])]
    with party.room("Conversation", str(api.server_port)).connect() as ann:
        for _ in range(2):
            ann.send("Hello")
            ann.receive_json(until={"type": "failed"})
            assert ann.receive_json()["code"] == "model"
        ann.send("Hello again")
        ann.receive_json(until={"type": "part", "text": "Hi"})


def test_one_question_at_a_time(party: Party, api: Api) -> None:
    api.answers.append((200, [event(content="Hm"), None]))  # and no more, until the test is over
    with party.room("Conversation", str(api.server_port)).connect() as ann:
        ann.send("Hello")
        ann.receive_json(until={"type": "part"})
        ann.send("Hello?")
        assert ann.receive_json()["code"] == "busy"
