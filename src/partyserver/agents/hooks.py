"""The hooks of an agent, and what happens where it does not define them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..connection import Connection
    from ..upgrade import ConnectionContext

#: What each is called with, `self` aside.
HOOK_ARGUMENTS = {
    "validate_state_change": ("state", "source"),
    "on_state_changed": ("state", "source"),
    "should_connection_be_readonly": ("connection", "ctx"),
    "should_send_protocol_messages": ("connection", "ctx"),
}

#: TypeScript's spellings, and what to write instead.
CAMEL_CASE = {
    "initialState": "initial_state",
    "onStateChanged": "on_state_changed",
    "onStateUpdate": "on_state_changed",
    "on_state_update": "on_state_changed",
    "validateStateChange": "validate_state_change",
    "shouldConnectionBeReadonly": "should_connection_be_readonly",
    "shouldSendProtocolMessages": "should_send_protocol_messages",
}

#: Hooks of the SDK's that are never called here, by what they are of.
NOT_THERE = {
    "onEmail": "e-mail",
    "onChatMessage": "the chat of @cloudflare/ai-chat",
    "onBeforeSubAgent": "sub-agents",
    "onAgentToolStart": "agents as tools",
    "onAgentToolFinish": "agents as tools",
    "onProgress": "agents as tools",
    "onFiberRecovered": "fibers",
    "onJob": "jobs",
    "onAlarmMemoryLimit": "limits of memory",
    "onWorkflowCallback": "workflows",
    "onWorkflowProgress": "workflows",
    "onWorkflowComplete": "workflows",
    "onWorkflowError": "workflows",
    "onWorkflowEvent": "workflows",
}


class AgentHooks:
    """They may be plain or async, but for `validate_state_change`."""

    def validate_state_change(self, state: Any, source: Any) -> Any:
        """Called before the state changes, to refuse it by raising. It is a plain function.

        `source` is "server", or the connection whose client sets the state. That may be any JSON.
        A client is told the text of a `ClientError`, and else "State update rejected"; in either
        case it gets the true state again.
        """

    def on_state_changed(self, state: Any, source: Any) -> Any:
        """Called when the state has changed, and all have been told.

        `source` is that of `validate_state_change`. It is called with "server", too, when
        `initial_state` is stored, which is at the first reading. What the hook raises fails nothing
        but itself.

        It may set the state, and is called again for that. 100 changes that lead to each other are
        an error; but an async hook that sets the state after an `await` goes on without end, unless
        it does so under a condition that ceases.

        Where one of `ctx.storage`'s own transactions is undone, it is called with the state that
        stands, and "server".
        """

    def should_connection_be_readonly(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Whether a new connection may change no state. Called before it is accepted.

        Its state frames are refused, and so is `set_state` in its events: what it calls, and
        what it sends to `on_message`. But not in tasks that these start, as by `asyncio.gather` or
        `ctx.waitUntil`: ask `is_connection_readonly` yourself. `set_connection_readonly` changes
        that later.
        """
        return False

    def should_send_protocol_messages(self, connection: Connection, ctx: ConnectionContext) -> Any:
        """Whether a new connection gets the agent's own frames. Called before it is accepted.

        One that does not, as a device that speaks something else, gets no identity and no state,
        then or later. It may call methods all the same.
        """
        return True


def defines(cls: type, hook: str) -> bool:
    """Whether a class of agents has a hook of its own."""
    return getattr(cls, hook) is not getattr(AgentHooks, hook)
