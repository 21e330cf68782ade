"""The conversation of fixtures/agent, in frames, with the model that needs no key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from partyserver.testing import Party, UpgradeError

from .conftest import NAME, OpenTab, Tab, run_due


@pytest.fixture
def tab(open_tab: OpenTab) -> Tab:
    return open_tab()


def reminders(tab: Tab) -> list[str]:
    return [one["text"] for one in tab.state["reminders"]]


def test_an_answer_streams_and_is_kept_when_it_is_whole(tab: Tab) -> None:
    id = tab.start("ask", " Hello?\n")
    tab.hears(id)
    assert tab.state["status"] == "answering"
    assert tab.said() == [("user", "Hello?")]
    assert tab.finish(id) is None
    assert tab.state["status"] == "ready"
    assert len(tab.chunks[id]) > 5
    assert tab.said() == [("user", "Hello?"), ("assistant", "".join(tab.chunks[id]))]
    assert "“Hello?”" in tab.said()[1][1]


def test_every_page_has_the_conversation(party: Party, tab: Tab, open_tab: OpenTab) -> None:
    other = open_tab()
    tab.call("ask", "Hello?")
    other.until(lambda state: len(state["messages"]) == 2)
    assert other.said() == tab.said()
    assert other.chunks == {}
    party.room("Assistant", NAME).hibernate()
    assert open_tab().said() == tab.said()
    party.restart()
    assert open_tab().said() == tab.said()
    assert open_tab("another-conversation").said() == []


def test_an_answer_is_finished_and_kept_when_its_page_is_gone(tab: Tab, open_tab: OpenTab) -> None:
    other = open_tab()
    tab.hears(tab.start("ask", "Hello?"))
    tab.socket.close()
    other.until(lambda state: state["status"] == "ready" and state["messages"])
    assert [role for role, _ in other.said()] == ["user", "assistant"]
    assert other.said()[1][1].endswith("With a key of a real model I can do the rest.")


def test_one_question_at_a_time(tab: Tab, open_tab: OpenTab) -> None:
    other = open_tab()
    id = tab.start("ask", "Hello?")
    tab.hears(id)
    for method, args in (("ask", ["And this?"]), ("ask_again", [])):
        told = other.call(method, *args)
        assert told == "One question at a time: an answer is being written."
    assert tab.finish(id) is None
    assert [text for role, text in tab.said() if role == "user"] == ["Hello?"]
    assert other.call("ask", "And now?") is None


def test_a_question_that_was_cut_off_can_be_asked_again(
    party: Party, tab: Tab, open_tab: OpenTab
) -> None:
    tab.hears(tab.start("ask", "Hello?"))
    party.restart()
    tab = open_tab()
    assert tab.state["status"] == "unanswered"
    assert tab.said() == [("user", "Hello?")]
    assert run_due(party) == 1  # what limits the first attempt ends nothing else
    assert tab.call("ask_again") is None
    assert [role for role, _ in tab.said()] == ["user", "assistant"]
    assert tab.state["status"] == "ready"
    assert tab.call("ask_again") == "Everything has been answered."


def test_an_answer_that_takes_too_long_is_given_up(party: Party, tab: Tab) -> None:
    id = tab.start("ask", "Hello?")
    tab.hears(id)
    assert run_due(party) == 1
    assert tab.finish(id) is None
    assert tab.state["status"] == "unanswered"
    assert tab.said() == [("user", "Hello?")]
    assert tab.call("ask", "And now?") is None
    assert [role for role, _ in tab.said()] == ["user", "user", "assistant"]
    assert run_due(party) == 0  # nothing is left of either


@pytest.mark.parametrize(
    ("method", "args", "told"),
    [
        ("ask", [" \n "], "The question is empty."),
        ("ask", ["x" * 2001], "text: Expected `str` of length <= 2000"),
        ("ask", [1], "text: Expected `str`, got `int`"),
        ("ask_again", [], "Everything has been answered."),
        ("cancel_reminder", ["1"], "id: Expected `int`, got `str`"),
        ("remind", [1], "Method remind is not callable"),
        ("give_up", [0], "Method give_up is not callable"),
    ],
)
def test_what_is_refused_is_told(tab: Tab, method: str, args: list[object], told: str) -> None:
    assert tab.call(method, *args) == told
    assert tab.said() == []
    assert tab.state["status"] == "ready"


def test_a_page_cannot_change_the_conversation(tab: Tab) -> None:
    before = tab.state
    tab.socket.send_json({"type": "cf_agent_state", "state": {"messages": []}})
    assert tab.next() == {"type": "cf_agent_state_error", "error": "State update rejected"}
    tab.next()
    assert tab.state == before


@pytest.mark.no_party_chaos
def test_who_sends_too_much_is_out(tab: Tab) -> None:
    for _ in range(40):
        tab.start("cancel_reminder", 1)
    tab.socket.wait_closed()
    assert tab.socket.close_code == 1008


@pytest.mark.parametrize("name", ["short", "x" * 65, "what%20is%20no%20name%20of%20ours"])
def test_a_conversation_has_a_name_that_nobody_can_guess(party: Party, name: str) -> None:
    with party.connect(f"/agents/assistant/{name}") as socket:
        told = socket.receive_json()["error"]
        assert told == "The name of a conversation has 16 to 64 letters, digits, - and _."
        socket.wait_closed()
        assert socket.close_code == 1008
    answer = party.fetch(f"/agents/assistant/{name}")
    assert (answer.status_code, answer.json()["error"]) == (400, told)


def test_the_kit_says_how_to_connect_where_a_worker_has_agents_alone(party: Party) -> None:
    how = ". To an agent it is party.connect('/agents/...')"
    with pytest.raises(UpgradeError, match="answered with 404 Not Found") as caught:
        party.room("Assistant", NAME).connect()
    assert str(caught.value).endswith(how)
    with pytest.raises(UpgradeError, match="answered with 404 Not Found") as caught:
        party.connect("/nowhere")
    assert how not in str(caught.value)


def test_the_latest_messages_are_kept(tab: Tab) -> None:
    tab.call("ask", "What time is it?")
    text = "Remind me in 1 hour to stretch"
    for _ in range(20):
        tab.call("ask", text)
    assert len(tab.said()) == 40
    assert tab.said()[0] == ("user", text)
    ids = [one["id"] for one in tab.state["messages"]]
    assert ids == sorted(set(ids))


def test_it_tells_the_time(tab: Tab) -> None:
    tab.call("ask", "What time is it?")
    assert tab.said()[1][1].endswith("UTC.")
    assert f"{datetime.now(UTC):%B %Y}" in tab.said()[1][1]


def test_a_reminder_comes_after_the_agent_has_slept(
    party: Party, tab: Tab, open_tab: OpenTab
) -> None:
    tab.call("ask", "Please remind me in 2 hours to stretch my legs.")
    assert tab.said()[-1][1] == "The reminder is set, in 2 hours: stretch my legs"
    assert reminders(tab) == ["stretch my legs"]
    party.room("Assistant", NAME).hibernate()
    assert run_due(party) == 1
    tab.until(lambda state: not state["reminders"])
    tab.until(lambda state: state["messages"][-1]["role"] == "reminder")
    assert tab.said()[-1] == ("reminder", "stretch my legs")
    assert open_tab().said() == tab.said()
    assert run_due(party) == 0


def test_a_reminder_comes_by_itself_and_also_in_the_midst_of_an_answer(tab: Tab) -> None:
    tab.call("ask", "Remind me in 1 second to stretch")
    id = tab.start("ask", "Hello?")
    tab.until(lambda state: any(one["role"] == "reminder" for one in state["messages"]))
    tab.finish(id) if tab.state["status"] == "answering" else None
    tab.until(lambda state: state["status"] == "ready")
    assert sorted(role for role, _ in tab.said()) == [*["assistant"] * 2, "reminder", *["user"] * 2]


def test_what_is_asked_again_is_the_question_also_when_a_reminder_has_come_since(
    party: Party, tab: Tab, open_tab: OpenTab
) -> None:
    tab.call("ask", "Remind me in 2 hours to stretch")
    tab.hears(tab.start("ask", "Hello?"))
    party.restart()
    tab = open_tab()
    assert tab.state["status"] == "unanswered"
    run_due(party)
    tab.until(lambda state: state["messages"][-1]["role"] == "reminder")
    assert tab.call("ask_again") is None
    assert "You said: “Hello?”" in tab.said()[-1][1]


def test_a_reminder_can_be_cancelled(party: Party, tab: Tab) -> None:
    for text in ("stretch", "drink"):
        tab.call("ask", f"Remind me in 1 day to {text}")
    stretch, _ = tab.state["reminders"]
    assert tab.call("cancel_reminder", stretch["id"]) is None
    assert reminders(tab) == ["drink"]
    assert tab.call("cancel_reminder", stretch["id"]) is None
    assert run_due(party) == 1
    tab.until(lambda state: not state["reminders"])
    tab.until(lambda state: state["messages"][-1]["role"] == "reminder")
    assert [text for role, text in tab.said() if role == "reminder"] == ["drink"]


def test_a_reminder_has_limits(tab: Tab) -> None:
    tab.call("ask", "Remind me in 31 days to stretch")
    assert tab.said()[-1][1].startswith("That did not work: Expected `int` <= 2592000")
    tab.call("ask", f"Remind me in 1 day to {'x' * 201}")
    assert tab.said()[-1][1].startswith("That did not work: Expected `str` of length <= 200")
    for _ in range(11):
        tab.call("ask", "Remind me in 1 day to stretch")
    assert tab.said()[-1][1] == "That did not work: there are 10 reminders already."
    assert len(tab.state["reminders"]) == 10
