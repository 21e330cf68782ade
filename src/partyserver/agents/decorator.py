"""`@callable`: what makes a method one that clients may call."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar, overload

from ..parts import Mark
from .callables import CallableInfo
from .part import AGENT

Method = TypeVar("Method", bound=Callable[..., Any])


@overload
def callable(method: Method, /) -> Method: ...
@overload
def callable(
    *, streaming: bool = False, description: str | None = None
) -> Callable[[Method], Method]: ...
def callable(
    method: Any = None, /, *, streaming: bool = False, description: str | None = None
) -> Any:
    """Let clients call a method of an agent.

        @agents.callable
        def add(self, by: int) -> int: ...

        @agents.callable(streaming=True, description="counts")
        async def count_to(self, stream: agents.StreamingResponse, n: int): ...

    The method may be plain or async. What it returns is JSON, which the client gets; of what it
    raises the text of a `ClientError`, and else an error id. Arguments are checked against their
    annotations where msgspec is installed. Other workers call it as any method over RPC, but one
    that streams, which is for clients alone. Calls run beside each other, also those of one client.

    A subclass that overrides the method has to decorate its own, too. It goes below decorators that
    are made with `functools.wraps`, and on no `staticmethod` or `classmethod`.
    """
    if not isinstance(streaming, bool):
        raise TypeError(f"streaming is True or False, not {streaming!r}")
    if not isinstance(description, str | None):
        raise TypeError(f"description is a str, not {type(description).__name__}")

    def decorate(function: Any) -> Any:
        if not isinstance(function, FunctionType):
            raise TypeError(
                "@agents.callable goes on a method, def name(self, ...), below other decorators, "
                f"and not on {function!r}"
            )
        info = CallableInfo(streaming, description)
        Mark(AGENT, "@agents.callable", "Agent", info, is_public=not streaming).put_on(function)
        return function

    return decorate if method is None else decorate(method)
