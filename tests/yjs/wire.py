"""A client of documents that speaks in frames."""

from __future__ import annotations

from partyserver.yjs import frames
from partyserver.yjs.awareness import Entry, decode, encode
from partyserver.yjs.store import Store
from partyserver.yjs.updates import EMPTY_VECTOR

EMPTY = b"\0\0"


def sleep(room):
    """Have a room that hibernates do so, between two events."""
    if "Sleepy" in repr(room):
        room.hibernate()


def vector_of(message):
    """What the room has, as its step 1 says."""
    frame = frames.parse(message)
    assert frame[:2] == (frames.SYNC, frames.STEP_1)
    return frame.body


def greeted(socket):
    return vector_of(socket.receive())


def answers(socket, vector=EMPTY_VECTOR):
    """Ask for what there is, as a client does; return the updates, of which the last is a step 2.

    Awareness that comes in between is passed over.
    """
    socket.send(frames.step_1(vector))
    found = []
    while True:
        frame = frames.parse(socket.receive())
        if frame.type == frames.SYNC and frame.kind != frames.STEP_1:
            found.append(frame.body)
            if frame.kind == frames.STEP_2:
                return found


def joined(room, id, **query):
    """A client that has all there is."""
    socket = room.connect(id=id, query=query)
    greeted(socket)
    answers(socket)
    return socket


def edit(socket, update):
    socket.send(frames.update(update))


def news(socket):
    """An edit of somebody else's."""
    frame = frames.parse(socket.receive())
    assert frame[:2] == (frames.SYNC, frames.UPDATE)
    return frame.body


def hears_nothing(*sockets):
    """Whether nothing has come to these, until each has been answered."""
    for socket in sockets:
        socket.send("echo")
        if socket.receive() != "on_message: echo":
            return False
    return True


def points(*entries):
    return frames.awareness(encode(Entry(*entry) for entry in entries))


def pointers(message):
    """What an awareness frame says."""
    frame = frames.parse(message)
    assert frame.type == frames.AWARENESS
    return [tuple(entry) for entry in decode(frame.body)]


def state_of(room):
    return room.fetch("/state").content


def same(one, other):
    """Whether two documents are the same, however they are encoded."""
    return _whole(one) == _whole(other)


def _whole(update):
    store = Store()
    for one in [update] if isinstance(update, bytes) else update:
        store.add(one)
    store.compact()
    return store.encode()
