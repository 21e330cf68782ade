import pytest
from partyserver.load.addresses import check, is_loopback, rooms_of, shown, url_of
from partyserver.load.errors import LoadError


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("chat.localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("192.168.0.1", False),
        ("0.0.0.0", False),
        ("chat.example.com", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_which_host_is_this_machine(host, loopback):
    assert is_loopback(host) == loopback


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:8787/room", "wss://[::1]/a?token=b", "ws://localhost"]
)
def test_this_machine_needs_no_permission(url):
    check(url, is_remote_allowed=False)


def test_another_machine_needs_the_option():
    url = "wss://chat.example.com/room"
    check(url, is_remote_allowed=True)
    with pytest.raises(
        LoadError, match=r"^chat\.example\.com is not this machine.* --allow-remote"
    ):
        check(url, is_remote_allowed=False)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://localhost/", "is no URL of a WebSocket"),
        ("ws:///room", "is no URL of a WebSocket"),
        ("ws://localhost/a room", "is no URL of a WebSocket"),
        ("ws://localhost:port/", "is no URL: Port"),
        ("ws://[::1/", "is no URL: Invalid"),
        ("ws://localhost/#a", "has a fragment"),
        ("ws://{room}.localhost/", "has a placeholder in its host"),
    ],
)
def test_what_is_no_url_is_refused(url, why):
    with pytest.raises(LoadError, match=why):
        check(url, is_remote_allowed=False)


def test_connections_are_spread_evenly():
    assert rooms_of(5, 2) == [0, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("url", "rooms", "expected"),
    [
        ("ws://h/parties/chat/room", 1, "ws://h/parties/chat/room"),
        ("ws://h/parties/chat/room/?a=/b", 3, "ws://h/parties/chat/room-2?a=/b"),
        ("ws://h/parties/chat/r{room}/x", 3, "ws://h/parties/chat/r2/x"),
        ("ws://h/r?_pk=c{connection}&in={room}", 1, "ws://h/r?_pk=c8&in=2"),
        ("ws://h/r?_pk={connection}", 3, "ws://h/r-2?_pk=8"),
    ],
)
def test_the_url_of_a_connection(url, rooms, expected):
    assert url_of(url, room=1, rooms=rooms, connection=7) == expected


def test_secrets_of_a_url_are_not_shown():
    assert shown("wss://me:secret@h:1/room?token=secret") == "wss://h:1/room"
