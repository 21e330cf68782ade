"""Whether the shortcuts are taken."""

from __future__ import annotations

from typing import Any

from ..runtime import platform

#: A variable of the wrangler config: `"off"` has every event come by the runtime's own ways.
VARIABLE = "PARTYSERVER_SHORTCUTS"

enabled = True
_is_set = False


def set_by(env: Any) -> bool:
    """Set the switch as the worker's variables say, once; whether that was now."""
    global enabled, _is_set
    if _is_set:
        return False
    _is_set = True
    known = platform.worker_env() if env is None else getattr(env, "_env", env)
    value = getattr(known, VARIABLE, None)
    if value == "off":
        enabled = False
    elif value not in (None, "off", "on"):
        platform.log_error(f'{VARIABLE} is "off" or "on", not {value!r}: the shortcuts are on')
    return True
