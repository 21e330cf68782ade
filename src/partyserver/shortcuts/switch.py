"""Whether the shortcuts are taken."""

from __future__ import annotations

from ..runtime import platform

#: A variable of the wrangler config. With `"off"` every event takes the runtime's own path.
VARIABLE = "PARTYSERVER_SHORTCUTS"

enabled = True
_is_set = False


def set_by_variables() -> bool:
    """Set the switch as the worker's variables say, once; whether that was now."""
    global enabled, _is_set
    if _is_set:
        return False
    _is_set = True
    value = getattr(platform.worker_env(), VARIABLE, None)
    if value not in (None, "on"):
        enabled = False
        if value != "off":  # which is not said here: it may be a secret
            platform.log_error(f'{VARIABLE} is neither "off" nor "on": the shortcuts are off')
    return True
