"""npm partysocket, as people run it in Node.js and in browsers, against our rooms."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from partyserver.testing.installed import find_node

CLIENTS = Path(__file__).with_name("clients")
NODE_MODULES = Path(__file__).parents[2] / "node_modules"


class NodeClient:
    """partysocket in a Node.js process of its own."""

    def __init__(self):
        self._process = subprocess.Popen(
            [find_node([CLIENTS]), CLIENTS / "node.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, command, *arguments):
        print(json.dumps([command, *arguments]), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def stop(self):
        self._process.communicate(timeout=60)


@pytest.fixture(scope="module")
def bundle():
    """clients/commands.js with partysocket, for a page."""
    esbuild = [NODE_MODULES / ".bin/esbuild", CLIENTS / "commands.js"]
    options = ["--bundle", "--format=iife", "--global-name=client", "--log-level=error"]
    return subprocess.run([*esbuild, *options], capture_output=True, check=True, text=True).stdout


@pytest.fixture
def in_node():
    """Does a command of clients/commands.js in Node.js, and gives its result."""
    node = NodeClient()
    yield node
    node.stop()


@pytest.fixture
def in_chromium(open_page, bundle):
    page = open_page("/page")
    page.add_script_tag(content=bundle)

    def command(name, *arguments):
        script = "([name, ...rest]) => client.commands[name](...rest)"
        return page.evaluate(script, [name, *arguments])

    return command


@pytest.fixture(params=["in_node", "in_chromium"])
def client(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["py-memory", "py-sleepy"])
def room(request, party):
    """The options that reach a room of ours, whose name is percent-encoded by `URL` alone."""
    return {"host": party.url, "party": request.param, "room": "a room"}


@pytest.fixture(params=["npm", "ours"])
def prefix(request):
    """Where the two routers listen."""
    return f"{request.param}/plain/parties"


def connect(client, **options):
    client("open", options)
    assert client("next") == ["open"]
    id = client("about")["id"]
    assert client("next") == ["message", json.dumps(["connected", id])]


def ask(client, *command):
    client("send", json.dumps(command))
    kind, answer = client("next")
    assert kind == "message"
    return json.loads(answer)


def test_id_query_and_url(client, party, room, prefix):
    connect(client, **room, prefix=prefix, id="ä 1", query={"tag": "red", "none": None})
    url = f"{party.url}/{prefix}/{room['party']}/a%20room?_pk=%C3%A4+1&tag=red"
    assert ask(client, "describe") == [
        "described",
        {"id": "ä 1", "uri": url, "tags": ["ä 1", "red"], "state": None, "server": "a%20room"},
    ]
    about = client("about")
    assert (about["id"], about["url"]) == ("ä 1", url.replace("http", "ws", 1))


def test_an_id_of_partysockets_own(client, room):
    connect(client, **room)
    assert ask(client, "ids") == ["ids", [client("about")["id"]]]


def test_text_and_binary(client, room):
    connect(client, **room)
    client("send", "grüße 😀")
    assert client("next") == ["message", "grüße 😀"]
    client("send", [0, 255, 128])
    assert client("next") == ["message", [0, 255, 128]]
    client("send", "")
    assert client("next") == ["message", ""]


def test_a_path_behind_the_room(client, party, room):
    connect(client, **room, path="some/path", id="a")
    [_, about] = ask(client, "describe")
    assert about["uri"] == f"{party.url}/parties/{room['party']}/a%20room/some/path?_pk=a"


def test_a_subprotocol(client, room):
    connect(client, **room, protocols=["first", "second"])
    assert client("about")["protocol"] == "first"


def test_fetch(client, party, room, prefix):
    status, text = client(
        "fetch",
        {**room, "prefix": prefix, "path": "some/path", "query": {"a": "1 ü"}},
        {"method": "POST", "body": "grüße"},
    )
    answer = json.loads(text)
    assert status == 200
    assert (answer["method"], answer["body"], answer["name"]) == ("POST", "grüße", "a%20room")
    assert answer["path"] == "/some/path?a=1+%C3%BC"
    assert client("fetch", {**room, "path": "teapot"}) == [418, "short and stout"]


def test_a_client_closes(client, party, room):
    connect(client, **room, id="a")
    client("close", 4001, "bye")
    assert client("next")[0] == "close"  # partysocket's own, before the server has answered
    events = f"/parties/{room['party']}/a%20room/events"
    deadline = time.monotonic() + 60
    while (last := party.fetch(events).json()[-1])[0] != "close":
        assert time.monotonic() < deadline
    assert last[:5] == ["close", "a", 4001, "bye", True]


def test_the_servers_close_is_followed_by_a_reconnection(client, room):
    connect(client, **room, id="a")
    client("send", json.dumps(["close", 4002, "again"]))
    assert client("next") == ["close", 4002, "again"]
    assert client("next") == ["open"]
    assert client("next") == ["message", '["connected", "a"]']
    assert ask(client, "ids") == ["ids", ["a"]]


def test_a_reconnection_of_the_clients_own(client, room):
    connect(client, **room, id="a")
    client("reconnect")
    assert client("next")[0] == "close"
    assert client("next") == ["open"]
    assert client("next") == ["message", '["connected", "a"]']


def test_they_reconnect_when_the_server_has_restarted(party, in_node, in_chromium):
    clients = {"py-memory": in_node, "py-sleepy": in_chromium}
    for name, client in clients.items():
        connect(client, host=party.url, party=name, room="room", id="a")
    party.restart()
    for client in clients.values():
        assert client("next")[0] == "close"
        while (event := client("next")) != ["open"]:
            assert event[0] == "close"  # an attempt that came too early
        assert client("next") == ["message", '["connected", "a"]']
        assert ask(client, "name") == ["name", "room", 2]
        assert ask(client, "ids") == ["ids", ["a"]]
