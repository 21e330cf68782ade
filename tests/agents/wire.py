"""How a test talks to an agent: in the frames of the Agents SDK's clients."""

from __future__ import annotations

import json
from urllib.parse import quote

IDENTITY = "cf_agent_identity"
STATE = "cf_agent_state"
STATE_ERROR = "cf_agent_state_error"
MCP_SERVERS = "cf_agent_mcp_servers"


def greeting(socket):
    """What a newcomer gets from the agent itself."""
    frames = []
    while not frames or frames[-1]["type"] != MCP_SERVERS:
        frames.append(socket.receive_json())
    return frames


def joined(room, id, **query):
    """A connection that has been greeted."""
    socket = room.connect(id=id, query=query)
    greeting(socket)
    return socket


def set_state(socket, state):
    socket.send_json({"type": STATE, "state": state})


def state_of(socket):
    """The state in the frame that comes next."""
    frame = socket.receive_json()
    assert frame["type"] == STATE, frame
    assert frame.keys() == {"type", "state"}
    return frame["state"]


def refusal_of(socket):
    """The error in the frame that comes next."""
    frame = socket.receive_json()
    assert frame.pop("type") == STATE_ERROR, frame
    assert frame.keys() == {"error"}
    return frame["error"]


def ask(socket, method, *args, id="1"):
    socket.send_json({"type": "rpc", "id": id, "method": method, "args": args})


def answer_of(socket, id="1"):
    """An answer, without what all of them have."""
    frame = socket.receive_json()
    assert (frame.pop("type"), frame.pop("id")) == ("rpc", id), frame
    return frame


def call(socket, method, *args, id="1"):
    """What a method returns to a client; None for no result. An error is a text."""
    ask(socket, method, *args, id=id)
    answer = answer_of(socket, id)
    if not answer.pop("success"):
        assert answer.keys() == {"error"}
        return answer["error"]
    assert answer.pop("done") is True
    return answer.get("result")


def hears_nothing(*sockets):
    """Nothing is on its way to these."""
    for socket in sockets:
        socket.send("ping")
        assert socket.receive() == "hook: 'ping'"
    return True


def over_rpc(party, binding, name="lobby"):
    """Call the methods of an agent as another worker does."""

    def rpc(method, *arguments):
        path = f"/rpc/{binding}/{name}/{method}?{quote(json.dumps(arguments))}"
        return party.fetch(path).json()

    return rpc
