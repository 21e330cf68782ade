"""Acknowledged writes survive `kill -9` while many are under way.

    PARTY_KILLS=200 .venv/bin/pytest tests/hosting/test_durability.py

A run is by its seed, which PARTY_SEED sets.
"""

from __future__ import annotations

import os
import random
import threading
from contextlib import ExitStack, suppress

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from .running import LIMIT, WRITING, project, serving

KILLS = int(os.environ.get("PARTY_KILLS", "3"))
SEED = int(os.environ.get("PARTY_SEED", "21"))
ROOMS = 20
#: Messages of one client that wait for their answers.
UNDER_WAY = 20
#: Acknowledged writes of one life of the process, at least and at most, before it is killed.
FEW, MANY = 200, 1500


class Client:
    """Writes to one room, some messages ahead of the answers."""

    def __init__(self, socket, name, acknowledged, heard):
        self._socket, self._name = socket, name
        self._acknowledged, self._heard = acknowledged, heard
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self):
        with suppress(WebSocketException, OSError):
            number = len(self._acknowledged)
            for ahead in range(UNDER_WAY):
                self._socket.send(f"{self._name} {number} {ahead}")
            while True:
                self._acknowledged.append(self._socket.recv(timeout=LIMIT))
                self._heard.release()
                number += 1
                self._socket.send(f"{self._name} {number} {UNDER_WAY}")


def test_no_acknowledged_write_is_missing_after_a_kill(tmp_path):
    config = project(tmp_path / "project", WRITING, "Room")
    rng = random.Random(SEED)
    acknowledged: list[list[str]] = [[] for _ in range(ROOMS)]
    for _ in range(KILLS):
        heard = threading.Semaphore(0)
        with serving(config, tmp_path / "data") as served, ExitStack() as stack:
            # All are connected before one writes, which takes the time of those that come.
            sockets = [
                stack.enter_context(connect(served.websocket(f"/parties/room/{room}")))
                for room in range(ROOMS)
            ]
            clients = [
                Client(socket, room, acknowledged[room], heard)
                for room, socket in enumerate(sockets)
            ]
            for _ in range(rng.randint(FEW, MANY)):
                assert heard.acquire(timeout=LIMIT)
            served.kill()
            for client in clients:
                client.thread.join(LIMIT)
    assert sum(map(len, acknowledged)) >= KILLS * FEW
    with serving(config, tmp_path / "data") as served, httpx.Client(timeout=LIMIT) as http:
        for room, texts in enumerate(acknowledged):
            stored = http.get(f"{served.url}/parties/room/{room}").json()
            assert not set(texts) - set(stored), f"room {room}, seed {SEED}"
            # In the order of the answers, and each once.
            assert [text for text in stored if text in set(texts)] == texts
