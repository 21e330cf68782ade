"""The beginning of the shortcuts: at the first construction of a room, or the first routing."""

from __future__ import annotations

from typing import Any

from ..runtime import JsException, isolate, platform
from . import builtins, requests, switch

#: What is taken as events need it, where the built-in functions of JavaScript are as expected.
_BY_BUILTINS = ("entry", "dispatch", "copying", "current message", "fan-out")


def activate(env: Any) -> None:
    """Take the shortcuts of the whole isolate, unless its variables switch them off."""
    if not switch.set_by(env):
        return
    introspection = isolate.introspection()  # no shortcut: it stays where they are off
    active: list[str] = []
    if switch.enabled and _has_builtins():
        active += _BY_BUILTINS
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
