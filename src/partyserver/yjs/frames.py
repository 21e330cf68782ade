"""Frames, as the clients of Yjs send and get them: a document's, who points where, and texts."""

from __future__ import annotations

from typing import NamedTuple

from .coding import MalformedError, Reader, integer

#: Kinds of frames, as their first number says.
SYNC, AWARENESS, AUTH, QUERY_AWARENESS = range(4)
#: What a sync frame has: a state vector, which asks for what it lacks; the answer; an edit.
STEP_1, STEP_2, UPDATE = range(3)

#: What the text frames of a document begin with.
CUSTOM = "__YPS:"


class Frame(NamedTuple):
    """One frame.

    Attributes:
        type: `SYNC` or `AWARENESS`; others are ignored.
        kind: of a sync frame.
        body: what it holds.
    """

    type: int
    kind: int
    body: bytes


def parse(message: bytes) -> Frame:
    """
    Raises:
        MalformedError: it is no frame, or a sync frame of a kind that nobody knows.
    """
    reader = Reader(message)
    type = reader.integer()
    if type not in (SYNC, AWARENESS):
        return Frame(type, 0, b"")
    kind = reader.integer() if type == SYNC else 0
    if kind > UPDATE:
        raise MalformedError(f"there is no sync frame of the kind {kind}")
    body = reader.bytes()
    if not reader.is_at_end:
        raise MalformedError("bytes follow the frame")
    return Frame(type, kind, body)


def step_1(vector: bytes) -> bytes:
    return _sync(STEP_1, vector)


def step_2(update: bytes) -> bytes:
    return _sync(STEP_2, update)


def update(update: bytes) -> bytes:
    return _sync(UPDATE, update)


def _sync(kind: int, body: bytes) -> bytes:
    return bytes((SYNC, kind)) + integer(len(body)) + body


def awareness(update: bytes) -> bytes:
    return bytes((AWARENESS,)) + integer(len(update)) + update


def denied(reason: str) -> bytes:
    """What tells a client that it may not do something; it warns on its console."""
    text = reason.encode()
    return bytes((AUTH, 0)) + integer(len(text)) + text
