"""Frames that are none: nothing of them is stored or sent on, and the room lives."""

from __future__ import annotations

import pytest
from partyserver.yjs import frames

from .vectors import HI, MARK
from .wire import edit, hears_nothing, joined, news, same, state_of

MALFORMED = {
    "no number": b"\xff",
    "nothing": b"",
    "no kind": b"\0",
    "a kind that nobody knows": b"\0\3\0",
    "a length that lies": b"\0\2\x7f" + HI,
    "an update that ends early": frames.update(HI[:-1]),
    "bytes behind the update": frames.update(HI + b"\0"),
    "bytes behind the frame": frames.update(HI) + b"\0",
    "no update": frames.update(b""),
    "no answer": frames.step_2(b"\1"),
    "no state vector": frames.step_1(b"\1\5"),
    "no awareness": b"\1\0",
    "an awareness state that is no JSON": bytes.fromhex("01 04 01 05 01 01 7b"),
    "many clients": frames.awareness(b"\x7f"),
}


@pytest.mark.log_may_hold("a malformed frame of connection")
@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_frame_is_dropped(room, malformed):
    with joined(room, "a") as a, joined(room, "b") as b:
        edit(a, HI)
        news(b)
        a.send(malformed)
        assert hears_nothing(a, b)
        edit(a, MARK)
        assert news(b) == MARK
    assert same(state_of(room), [HI, MARK])


@pytest.mark.log_may_hold("a malformed frame of connection")
@pytest.mark.no_party_chaos  # what is counted is in memory
def test_after_a_few_the_connection_is_closed(room):
    with joined(room, "a") as a, joined(room, "b") as b:
        for _ in range(5):
            a.send(MALFORMED["an update that ends early"])
        a.wait_closed()
        assert (a.close_code, a.close_reason) == (1008, "Malformed document frames")
        edit(b, HI)
        assert hears_nothing(b)
    assert state_of(room) == HI


def test_the_log_says_what_was_wrong(party, room):
    with joined(room, "a") as a:
        a.send(MALFORMED["an update that ends early"])
        assert hears_nothing(a)
    (line,) = party.logs.warnings if hasattr(party.logs, "warnings") else [str(party.logs)]
    assert "a malformed frame of connection 'a' is dropped: the bytes end too early" in line
