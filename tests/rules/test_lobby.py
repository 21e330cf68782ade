from dataclasses import FrozenInstanceError, fields

import pytest
from partyserver.rules.lobby import Lobby


def test_a_lobby_says_where_a_request_goes():
    lobby = Lobby("my-chat", "MyChat", "general")
    assert (lobby.party, lobby.class_name, lobby.name) == ("my-chat", "MyChat", "general")


def test_every_attribute_of_a_lobby_is_documented():
    assert all(f"{field.name}:" in Lobby.__doc__ for field in fields(Lobby))


def test_a_hook_cannot_send_a_request_elsewhere():
    with pytest.raises(FrozenInstanceError):
        Lobby("my-chat", "MyChat", "general").name = "another"  # type: ignore[misc]
