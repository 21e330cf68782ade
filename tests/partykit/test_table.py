"""Every name that the originals document has its row in the documentation, with a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
PAGES = TESTS.parent / "docs" / "pages"

#: As the originals' headings spell them, and what their text documents beyond.
PARTYKIT = """
Party.Server
new Party.Server
Party.Server.options
Party.Server.options.hibernate
Party.Server.onStart
Party.Server.onConnect
Party.Server.onMessage
Party.Server.onClose
Party.Server.onError
Party.Server.onRequest
Party.Server.onAlarm
Party.Server.getConnectionTags
static onBeforeRequest
static onBeforeConnect
Party.Worker
static onFetch
static onSocket
static onCron
crons
/__scheduled__?cron=cron-name
/party/:id
/parties/:name/:id
Party.ExecutionContext
Party.Room
Room.id
Room.internalID
Room.env
Room.storage
Room.context
Room.context.parties
parties.other.get("id").fetch
parties.other.get("id").socket
Room.context.ai
Room.context.vectorize
Room.broadcast
Room.getConnection
Room.getConnections
Party.Connection
Party.Connection.id
Party.Connection.uri
Party.Connection.setState
Party.Connection.state
Party.Connection.serializeAttachment
Party.Connection.deserializeAttachment
Party.ConnectionContext
Party.Request
Party.Lobby
Party.Lobby.id
Party.Lobby.env
Party.Lobby.parties
Party.Lobby.ai
Party.Lobby.vectorize
Party.FetchLobby
FetchLobby.env
FetchLobby.parties
FetchLobby.ai
FetchLobby.vectorize
Party.FetchSocket
Party.FetchSocket.request
Party.Cron
Party.Cron.name
Party.Cron.definition
Party.Cron.scheduledTime
Party.CronLobby
CronLobby.env
CronLobby.parties
CronLobby.ai
CronLobby.vectorize
"""

HOOKS = """
onStart()
onConnect(connection, connContext)
onMessage(connection, message)
onClose(connection, code, reason, wasClean)
onError(error)
onRequest(request)
getConnectionTags(connection, connContext)
broadcast(message, exclude = [])
getConnections(tags = [])
getConnection(id)
"""

PARTYFLARE = f"""
Party
{HOOKS}
Party::room
Party.options.hibernate
Party.withRoom(namespace, room, {{locationHint}})
Party.fetchRoomForRequest(request, env, {{locationHint}})
"""

EARLY_PARTYSERVER = f"""
Server
{HOOKS}
.name
.ctx
.env
fetch(request)
alarm()
webSocketMessage
webSocketClose
webSocketError
connection.id
connection.tags
connection.server
connection.state
connection.setState()
static options = {{ hibernate: true }}
getServerByName(namespace, name, {{locationHint}})
Server.partyFetch(request, env, {{locationHint, prefix}})
"""


def rows(page, original):
    """The table whose first column is headed `original`, as lists of cells."""
    text = (PAGES / page).read_text()
    table = re.search(rf"^\| {original} \| Python \| Test \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.M)
    return [line.strip("| ").split(" | ") for line in table[1].splitlines()]


@cache
def functions_of(path):
    functions = [
        one for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)
    ]
    return {function.name for function in functions}


TABLES = [
    ("partykit.md", "PartyKit", PARTYKIT),
    ("partyflare.md", "partyflare", PARTYFLARE),
    ("partyflare.md", "early PartyServer", EARLY_PARTYSERVER),
]


@pytest.mark.parametrize(("page", "original", "names"), TABLES)
def test_every_name_of_the_original_has_a_row(page, original, names):
    listed = {name for row in rows(page, original) for name in re.findall(r"`([^`]+)`", row[0])}
    assert not {*filter(None, names.splitlines())} - listed


@pytest.mark.parametrize(("page", "original", "names"), TABLES)
def test_every_row_names_a_test_that_exists(page, original, names):
    for _, ours, test in rows(page, original):
        assert ours
        path, _, name = test.strip("`").partition("::")
        assert name in functions_of(TESTS / path), test
