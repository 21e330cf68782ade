"""Shared documents: rooms of Yjs, for its unchanged clients.

    from partyserver.yjs import YServer

    class Notes(YServer):
        options = {"hibernate": True}

`partyserver.yjs.store` merges documents anywhere: it needs no room, and no runtime.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mixin import YMixin, YServer

__all__ = ["YMixin", "YServer"]


def __getattr__(name: str) -> Any:
    """The room's classes when they are first used: the store works without the runtime."""
    if name in __all__:
        from . import mixin

        return getattr(mixin, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
