"""Typed messages: `partyserver[events]`.

    class Say(Event):
        text: Annotated[str, Meta(min_length=1, max_length=2000)]

    class Chat(Events, Server):
        @on
        def say(self, connection: Connection, event: Say):
            ...

A message `{"type": "say", "text": "hello"}` calls `say`. What does not validate is answered with an
error, and reaches no method. Events are msgspec's structs: https://jcristharif.com/msgspec/
"""

try:
    from msgspec import Meta
except ModuleNotFoundError as _error:
    if _error.name != "msgspec":
        raise
    raise ImportError(
        'partyserver.events needs msgspec: run `uv add "partyserver[events]"`, unless '
        "pyproject.toml lists it, and `uv run pywrangler sync`, which brings it into the worker"
    ) from _error

from .event import Event
from .mixin import Events, on

__all__ = ["Event", "Events", "Meta", "on"]
