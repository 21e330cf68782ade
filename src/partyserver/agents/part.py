"""How an agent attaches to the events of its room."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from inspect import getattr_static, iscoroutinefunction
from typing import Any

from ..errors import ClientError, ConnectionClosedError
from ..parts import NOT_MINE, Part, mark_of, mixins_of, parts_of
from ..reserved import life_of
from ..rules import agents as rules
from ..rules.contract import HOOKS
from ..rules.names import kebab_case
from ..runtime import events
from ..undoing import follow
from ..usercode import call
from . import flags
from .callables import Calls, Table, table_of
from .current import Event, begin
from .hooks import CAMEL_CASE, HOOK_ARGUMENTS, NOT_THERE, defines
from .state import NONE, State


class Core:
    """What the library knows of one agent, in one life of it."""

    __slots__ = ("calls", "life", "silent", "state")

    def __init__(self, server: Any) -> None:
        self.life = life_of(server)
        may_be_some = defines(type(server), "should_send_protocol_messages")
        self.silent = flags.Silent(self.life.connections, may_be_some=may_be_some)
        self.state = State(self.life, self.silent)
        self.calls = Calls(self.life, AGENT.defined(type(server)))
        follow(server.ctx.storage, deleting=self.state.forget, ended=self.state.read_again)

    async def destroy(self) -> None:
        storage = self.life.server.ctx.storage
        await storage.deleteAlarm()
        await storage.deleteAll()
        await self.life.ctx.storage.sync()  # until then the platform holds answers back
        events.abort_empty_soon(self.life.ctx, "the agent was destroyed")


def _define(cls: Any) -> Table:
    if iscoroutinefunction(cls.validate_state_change):
        raise TypeError(
            f"{cls.__name__}.validate_state_change decides before anything else happens: let it "
            "be a plain function"
        )
    for base in cls.__mro__:
        for name, what in NOT_THERE.items():
            if name in vars(base) and mark_of(vars(base)[name]) is None:
                raise TypeError(
                    f"{cls.__name__}.{name} is never called: this library has no hook for it, as "
                    f"it is of {what}. Coming from the Agents SDK in TypeScript, in the "
                    "documentation, has what to do instead"
                )
    owner = next(base for base in cls.__mro__ if "state" in vars(base))
    if owner not in mixins_of(cls) and not isinstance(vars(owner)["state"], property):
        raise TypeError(
            f"{cls.__name__}.state is the agent's own: what it is at first is named initial_state"
        )
    initial = getattr_static(cls, "initial_state", NONE)
    if initial is not NONE and not hasattr(initial, "__get__"):
        try:
            rules.state_json(initial)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{cls.__name__}.initial_state cannot be a state: {error}") from None
    hooks = HOOKS.union(*(part.hooks for part in parts_of(cls).all))
    return table_of(cls, AGENT, hooks)


async def _connecting(server: Any, connection: Any, ctx: Any) -> None:
    if rules.asks_for_capnweb(ctx.request.url):  # by a way past `route_agent_request`
        raise ClientError(rules.NO_CAPNWEB)
    begin(Event(server, connection, ctx.request, asyncio.current_task()))
    if await call(server.should_connection_be_readonly, connection, ctx):
        flags.set_flags(connection, flags.READONLY, True)
    if not await call(server.should_send_protocol_messages, connection, ctx):
        flags.set_flags(connection, flags.NO_PROTOCOL, True)
        return
    core: Core = AGENT.of(server)
    core.state.text()  # if that stores the initial one, this connection hears of it but once


def _accepted(server: Any, connection: Any, ctx: Any) -> None:
    core: Core = AGENT.of(server)
    if flags.has(connection, flags.NO_PROTOCOL):
        core.silent.add(connection)
        return
    life = core.life
    state = core.state.text()
    with suppress(ConnectionClosedError):
        if life.options.get("send_identity", True):
            agent = kebab_case(type(life.server).__name__)
            name = life.name.value or ""  # of a facet, which has none
            frame = rules.identity_frame(name, agent, state_follows=state is not None)
            connection.send(frame)
        if state is not None:
            connection.send(rules.state_frame(state))
        connection.send(rules.MCP_FRAME)


def _message(server: Any, connection: Any, message: str | bytes) -> Any:
    frame = rules.parse_frame(message)
    if frame is None:
        return NOT_MINE
    core: Core = AGENT.of(server)
    if isinstance(frame, rules.CallFrame):
        return core.calls.receive(connection, frame)
    core.state.receive(connection, frame.state)
    return None


def _request(server: Any, request: Any) -> None:
    begin(Event(server, request=request))


AGENT: Part = Part(
    name=flags.NAME,
    rank=100,
    hooks=HOOK_ARGUMENTS,
    spellings=CAMEL_CASE,
    reserves=rules.TYPES,
    leaves_text=True,
    options=("send_identity", "client_state"),
    always={"hibernate": True},
    define=_define,
    construct=Core,
    connecting=_connecting,
    accepted=_accepted,
    message=_message,
    request=_request,
)
