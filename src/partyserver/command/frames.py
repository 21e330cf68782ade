"""The frames that clients get beside a room's own events, by `type`, in TypeScript."""

from __future__ import annotations

from typing import NamedTuple

from ..rules import agents
from ..rules.events import ERROR


class Frame(NamedTuple):
    name: str
    doc: str
    fields: str


FRAMES = {
    ERROR: Frame(
        "ErrorFrame",
        "What is wrong with what the client has sent, or what the room has to say of it.",
        "error: string; event?: string; code?: string | number",
    ),
    "presence_state": Frame(
        "PresenceState",
        "Who is here: for each key what its connections have told of themselves.",
        "presence: { [key: string]: unknown[] }",
    ),
    "presence_diff": Frame(
        "PresenceDiff",
        "Who has come or changed, with all that is told of them now, and who has left.",
        "joins: { [key: string]: unknown[] }; leaves: string[]",
    ),
    "event": Frame(
        "HistoryEvent",
        "What the room has published, with its number.",
        "seq: number; data: unknown",
    ),
    "history_gap": Frame(
        "HistoryGap",
        "What was published before the number `first` is not there any more.",
        "first: number",
    ),
    agents.IDENTITY: Frame(
        "AgentIdentity",
        "Which agent this is, and whether its state comes next.",
        "name: string; agent: string; stateFollows?: boolean",
    ),
    agents.STATE: Frame("AgentState", "The agent's state.", "state: unknown"),
    agents.STATE_ERROR: Frame(
        "AgentStateError",
        "Why the state that the client has set was refused.",
        "error: string",
    ),
    agents.MCP_SERVERS: Frame("AgentMcpServers", "There are none.", "mcp: unknown"),
    agents.RPC: Frame(
        "AgentAnswer",
        "The answer to a call, or a part of it.",
        "id: string; success: boolean; done?: boolean; result?: unknown; error?: string",
    ),
}


def body(kind: str) -> str:
    """The fields of a frame; of one that is not known here, its type."""
    fields = FRAMES[kind].fields if kind in FRAMES else "[key: string]: unknown"
    lines = "".join(f"  {field};\n" for field in fields.split("; "))
    return f'{{\n  type: "{kind}";\n{lines}}}'
