"""What can go wrong with the runtime under test."""

from __future__ import annotations


class RuntimeStartError(Exception):
    """The worker could not be started; the message is for the user as it is."""


class RuntimeCommandError(Exception):
    """The runtime refused a command."""

    def __init__(self, message: str, kind: str | None = None) -> None:
        #: `reset`, of the object by the platform, or by itself with `abort`; `late`, an object's
        #: answer; `no probe`, as in JavaScript; `crash`, of the runtime; `build`, of the user's
        #: command; `None`: anything else.
        self.kind = kind
        super().__init__(message)


class RuntimeLostError(Exception):
    """The worker answers no more, and is replaced for the next test; the message says why.

    An endless loop in a hook, or a `threading.Lock` that is held across an `await`, stops every
    room of the worker: Python runs in one thread there.
    """

    __module__ = "partyserver.testing"  # where users have it from, in messages
