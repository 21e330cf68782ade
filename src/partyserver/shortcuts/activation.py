"""The beginning of the shortcuts: at the first construction of a room, or the first routing."""

from __future__ import annotations

from ..runtime import JsException, isolate, platform
from . import builtins, conversion, requests, responses, switch, turns

#: What is taken as events need it, where the built-in functions of JavaScript are as expected.
_BY_BUILTINS = ("entry", "dispatch", "copying", "current message", "fan-out", "rows", "states")


def activate() -> None:
    """Take the shortcuts of the whole isolate, unless its variables switch them off."""
    if not switch.set_by_variables():
        return
    platform.event_comes()
    introspection = isolate.introspection()  # no shortcut: it stays where they are off
    if introspection is None:
        platform.log_error(
            "the runtime's module for calls has changed, and partyserver does not know it: rooms "
            "that wait for asyncio objects of a module may go on in another's place, and callers "
            "over RPC can call methods of mixins. Please report it, with the version of workerd"
        )
    active: list[str] = []
    if switch.enabled and _has_builtins():
        active += _BY_BUILTINS
        active += turns.shorten() + conversion.shorten() + responses.shorten()
        if introspection is not None:
            active += requests.shorten(introspection)
    else:
        switch.enabled = False
    platform.log_debug(f"partyserver: shortcuts: {', '.join(active) or 'off'}")


def _has_builtins() -> bool:
    try:
        builtins.tools()
    except (AttributeError, JsException):
        return False
    return True
