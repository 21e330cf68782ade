"""Agents beside Cloudflare's own, the server of npm's `agents`: the same frames in and out."""

from __future__ import annotations

import json
from typing import Any

from .comparison import BASE, CONTROL, LIBRARY, Group, Row
from .load import Message
from .works import Messages

#: Its table in the report.
TITLE = "agents"
SERVERS = {BASE: "sdk_agents", CONTROL: "sdk_agents", LIBRARY: "agents"}

#: As long as those that the SDK's clients make.
_ID = "0b6f0c8e-6f5c-4a1e-9d0b-2f6f7a1c8e55"
_WORDS = ("Hello", ", ", "how ", "are ", "you", "?")
#: Of one call. As many as a paragraph has tokens.
_CHUNKS = 100


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))


def _call(method: str, *args: int) -> str:
    return _json({"type": "rpc", "id": _ID, "method": method, "args": args})


def _answer(result: Any = None, *, done: bool = True) -> str:
    answer = {"type": "rpc", "id": _ID, "success": True, "done": done}
    return _json(answer if result is None else answer | {"result": result})


def _state(count: int) -> str:
    state = {"title": "a counter", "count": count}
    return _json({"type": "cf_agent_state", "state": state})


def _called(method: str) -> Messages:
    message = Message(text=_call(method, 20, 22), answers=(_answer(42),))
    # Identity, and the MCP servers, of which there are none.
    return Messages("plain", message=message, prefix="agents", greeting=2)


def _told() -> Messages:
    """A unit is a chunk; the end of the call is one, too."""
    chunks = [_answer(_WORDS[at % len(_WORDS)], done=False) for at in range(_CHUNKS)]
    answers = (*chunks, _answer())
    message = Message(text=_call("tell", _CHUNKS), answers=answers, fanout=len(answers))
    return Messages("plain", message=message, window=10, prefix="agents", greeting=2)


def _changed(connections: int, *, by_client: bool = False) -> Messages:
    """A unit is a change of the state, with all that hear of it."""
    if by_client:  # which has the state already
        told: dict[str, Any] = {"text": _state(7), "answers": (), "others": (_state(7),)}
    else:
        answers = (_state(1), _answer(1))
        told = {"text": _call("add", 1), "answers": answers, "others": (_state(1),)}
    fanout = connections - 1 if by_client else connections + 1
    return Messages(
        "counter",
        connections,
        Message(**told, fanout=fanout),
        window=max(1, 100 // connections),
        each_is_a_unit=True,
        prefix="agents",
        greeting=3,  # the state between the other two
    )


ROWS = [
    Row("a call and its answer", _called("add"), 1.5, warm_up=10_000),
    Row("a call of an `async` method, and its answer", _called("later"), 1.5, warm_up=10_000),
    Row("a call that sets the state", _changed(1), quick=False, warm_up=5000),
    Row("a call that sets the state, to 10", _changed(10), 1.2, warm_up=5000),
    Row("a call that sets the state, to 100", _changed(100), 1.2, warm_up=1000),
    Row(
        "a client that sets the state, to 10 others",
        _changed(11, by_client=True),
        1.2,
        warm_up=5000,
    ),
    Row("a chunk of a stream", _told(), 1.3, warm_up=20_000),
]
GROUP = Group(TITLE, ROWS, SERVERS)


def titles() -> list[str]:
    return [row.title for row in ROWS]
