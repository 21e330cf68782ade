"""Levels of `logging`, as methods of JavaScript's console."""

from __future__ import annotations

#: As `logging` has them, lowest last, and what JavaScript calls them.
_METHODS = ((40, "error"), (30, "warn"), (20, "info"))


def method_of(level: int) -> str:
    """The method for a level, also for one of a user's own between those of `logging`."""
    return next((method for least, method in _METHODS if level >= least), "debug")
