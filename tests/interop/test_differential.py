"""The same scenes with npm partyserver and with this library, compared line by line."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher

import pytest

from .differences import DIFFERENCES, HIBERNATING, MEMORY
from .scenarios import ROUTING_SCENES, SCENES, Stage

#: What the scenes' failures leave in the log: npm partyserver's, those of alarms, which the runtime
#: has to see, and of a client that breaks the protocol.
NOISE = (
    "fails",
    "exception = undefined",
    "Uncaught undefined",
    "WebSocketPipe",
    "WebSocket send()",
    "WebSocket protocol error",
    "deleteAllDurableObjects",  # a socket that npm partyserver left open
)

pytestmark = pytest.mark.log_may_hold(*NOISE)


@pytest.mark.parametrize("mode", [MEMORY, HIBERNATING])
@pytest.mark.parametrize("scene", SCENES)
def test_router_and_server(party, scene, mode):
    npm, ours = play(party, scene, mode, ("npm", "npm"), ("ours", "ours"))
    check(scene, mode, npm, ours, parts=("router", "server"))


@pytest.mark.parametrize("scene", ROUTING_SCENES)
def test_one_sides_router_before_the_other_sides_server(party, scene):
    npm, our_server, our_router = play(
        party, scene, HIBERNATING, ("npm", "npm"), ("npm", "ours"), ("ours", "npm")
    )
    check(scene, HIBERNATING, npm, our_server, parts=("server",))
    check(scene, HIBERNATING, npm, our_router, parts=("router",))


def test_every_difference_belongs_to_a_scene():
    assert DIFFERENCES.keys() <= SCENES.keys()


def play(party, scene, mode, *sides):
    """Play a scene to several (router, server) at once."""

    def play_to(side):
        router, server = side
        stage = Stage(party, router, server, mode)
        SCENES[scene](stage)
        return stage.finish()

    with ThreadPoolExecutor() as pool:
        return list(pool.map(play_to, sides))


def check(scene, mode, npm, ours, parts):
    intended = [
        difference
        for difference in DIFFERENCES.get(scene, ())
        if mode in difference.modes and difference.part in parts
    ]
    gone, come = compare(npm, ours)
    assert gone == [line for difference in intended for line in difference.npm]
    assert come == [line for difference in intended for line in difference.ours]


def compare(npm, ours):
    """The lines that the one record has alone, and those that the other has alone."""
    before, after = ([json.dumps(line) for line in record] for record in (npm, ours))
    gone, come = [], []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, other_start, other_end in matcher.get_opcodes():
        if kind != "equal":
            gone += npm[start:end]
            come += ours[other_start:other_end]
    return gone, come
