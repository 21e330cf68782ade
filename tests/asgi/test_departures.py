"""Which exceptions say only that a client has left."""

import asyncio

import pytest
from partyserver.asgi.departures import ClientDisconnected, is_departure


class ClientDisconnect(Exception):
    """As Starlette calls it."""


class WebSocketDisconnect(Exception):
    """As Starlette calls it."""


class Mine(WebSocketDisconnect):
    pass


def group(*errors):
    return BaseExceptionGroup("several", errors)


@pytest.mark.parametrize(
    "error",
    [
        ClientDisconnected("gone"),
        ClientDisconnect(),
        WebSocketDisconnect(),
        Mine(),
        asyncio.CancelledError(),
        group(ClientDisconnected("gone")),
        group(group(ClientDisconnect()), asyncio.CancelledError()),
    ],
    ids=repr,
)
def test_departures(error):
    assert is_departure(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError("disk"),
        FileNotFoundError("file"),
        ConnectionResetError("a database's"),
        RuntimeError("gone"),
        SystemExit(),
        group(ClientDisconnected("gone"), ValueError()),
        group(group(ValueError()), asyncio.CancelledError()),
    ],
    ids=repr,
)
def test_errors_of_the_app(error):
    assert not is_departure(error)


def test_what_was_raised_from_a_departure_is_an_error_of_the_app():
    error = ValueError()
    error.__cause__ = error.__context__ = ClientDisconnected("gone")
    assert not is_departure(error)
