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


def test_a_lobby_knows_the_requests_query_and_path():
    url = "https://x/api/rooms/my-chat/general/a%20b/c?token=1&token=2&empty="
    lobby = Lobby("my-chat", "MyChat", "general", url, 2)
    assert lobby.path == "a b/c"
    assert dict(lobby.query) == {"token": "2", "empty": ""}
    assert url not in repr(lobby)
    assert (Lobby("a", "A", "b").path, dict(Lobby("a", "A", "b").query)) == ("", {})
