"""Rooms beside an app: under the entrypoint, and in the app's middleware."""

import pytest
from partyserver.testing import UpgradeError

from .test_websockets import refused

ROOM = "/parties/chat/lobby"


# --- under the entrypoint -----------------------------------------------------------------


@pytest.fixture
def beside(site):
    return site("fastapi")


def test_upgrades_go_to_rooms_as_on_before_connect_lets_them(beside):
    assert refused(beside, ROOM).status_code == 401
    with beside.connect(f"{ROOM}?user=ada") as ada, beside.connect(f"{ROOM}?user=bob") as bob:
        assert ada.receive_json() == ["user", "ada"]
        assert bob.receive_json() == ["user", "bob"]
        ada.send("hello")
        assert bob.receive() == "hello"


def test_a_room_and_the_apps_socket_at_once(beside):
    with beside.connect(f"{ROOM}?user=ada") as room, beside.connect("/socket?token=x") as socket:
        room.receive()
        socket.send("a")
        room.send("b")
        assert socket.receive_json() == {"you said": "a"}
        assert room.receive() == "b"


def test_requests_go_to_rooms(beside):
    response = beside.fetch(f"{ROOM}/echo", "POST", content=b"to the room")
    assert response.text == "to the room"
    assert response.headers["access-control-allow-origin"] == "https://example.com"
    assert "x-stamp" not in response.headers


def test_the_app_gets_what_is_almost_a_party_url(beside):
    for path in ("/parties", "/parties/chat", "/party/chat/lobby"):
        assert beside.fetch(path).json() == {"detail": "Not Found"}


@pytest.mark.parametrize("name", ["fastapi", "inside", "hidden-told"])
def test_an_unknown_party_is_refused_and_not_handed_to_the_app(site, party, name):
    path = "/parties/nobody/lobby"
    for response in (site(name).fetch(path), refused(site(name), path)):
        assert response.status_code == 400
        assert response.text == "Invalid request: unknown party"
    hints = [line for line in party.logs if "no Durable Object binding" in line.message]
    assert ["'nobody'" in line.message for line in hints] == [True, True]


def test_under_another_prefix_the_urls_are_the_apps(site):
    prefixed = site("prefixed")
    assert prefixed.fetch("/parties/nobody/lobby").text == "the app's own"
    with prefixed.connect("/parties/nobody/lobby") as socket:
        assert socket.receive() == "the app's own"


def test_a_prefix_of_several_segments(site):
    prefixed = site("prefixed")
    with prefixed.connect("/api/rooms/chat/lobby") as socket:
        assert socket.receive_json() == ["user", None]
    assert prefixed.fetch("/scope/parties/chat/lobby").json()["type"] == "http"


def test_on_error_answers_a_hook_that_raises(beside, party):
    response = beside.fetch(f"{ROOM}/raise")
    assert (response.status_code, response.text) == (418, "on_error saw ZeroDivisionError")
    assert refused(beside, f"{ROOM}?raise").status_code == 418
    assert "a secret of the hook" in str(party.logs)


@pytest.mark.log_may_hold("this room cannot be made")
def test_on_error_answers_for_a_room_that_cannot_be_reached(beside):
    response = beside.fetch("/parties/broken/lobby")
    assert response.status_code == 418
    assert response.text.startswith("on_error saw ")


def test_on_error_answers_an_app_that_raises(beside, party):
    response = beside.fetch("/raise")
    assert (response.status_code, response.text) == (418, "on_error saw ZeroDivisionError")
    assert "ZeroDivisionError: a secret of the route" in str(party.logs)


def test_on_error_may_leave_the_answer_to_the_app(beside):
    response = beside.fetch("/raise?how=unanswered")
    assert (response.status_code, response.text) == (500, "Internal Server Error")


def test_without_on_error_a_hook_that_raises_is_a_500(site, party):
    response = site("fastapi-quiet").fetch(f"{ROOM}/raise")
    assert response.status_code == 500
    assert response.text.startswith("Internal error (error id ")
    assert "a secret of the hook" in str(party.logs)


# --- in the app's middleware --------------------------------------------------------------


@pytest.fixture(params=["inside", "hidden-told"])
def inside(site, request):
    """The entrypoint sees the middleware by itself, or was told of it."""
    return site(request.param)


def test_the_middlewares_hooks_are_asked(inside):
    response = refused(inside, ROOM)
    assert response.status_code == 401
    assert response.text == "no token"
    assert response.headers["x-why"] == "no token"


def test_the_middleware_connects(inside):
    with inside.connect(f"{ROOM}?token=x") as a, inside.connect(f"{ROOM}?token=x") as b:
        assert a.receive_json() == b.receive_json() == ["user", None]
        a.send("hello")
        assert b.receive() == "hello"
        a.close(4001, "bye")
        assert (a.close_code, a.close_reason) == (4001, "bye")


def test_what_stands_before_the_middleware_sees_the_rooms_responses(inside):
    response = inside.fetch(
        f"{ROOM}/echo", "POST", content=b"four", headers={"origin": "https://example.com"}
    )
    assert response.text == "four"
    assert response.headers["x-size"] == "4"
    assert response.headers["access-control-allow-origin"] == "https://example.com"


def test_a_rooms_compressed_response(inside):
    response = inside.fetch(f"{ROOM}/gzip", headers={"accept-encoding": "gzip"})
    assert response.text == "y" * 1000
    assert response.headers["x-room"] == "lobby"


def test_the_middlewares_on_error(inside):
    response = inside.fetch(f"{ROOM}/raise")
    assert (response.status_code, response.text) == (418, "on_error saw ZeroDivisionError")


def test_everything_else_is_the_apps(inside):
    assert inside.fetch("/").text == "home"
    with inside.connect("/socket") as socket:
        assert socket.receive() == "the app's own"


def test_a_middleware_that_the_entrypoint_cannot_see_says_so(site, party):
    response = site("hidden").fetch("/")
    assert response.status_code == 500
    assert "entrypoint(app, prefix=None)" in str(party.logs)
    with pytest.raises(UpgradeError):
        site("hidden").connect("/socket")


# --- a room that answers with an app ------------------------------------------------------


@pytest.fixture
def room(party):
    """Its own URL goes through the plain app's entrypoint."""
    return party.room("Chat", "a room")


def test_a_room_answers_with_an_app_that_sees_its_connections(site, room):
    plain = site("plain")
    path = "/parties/chat/a%20room"
    with plain.connect(f"{path}?_pk=ada") as ada, plain.connect(f"{path}?_pk=bob"):
        ada.receive()
        assert plain.fetch(f"{path}/people").json() == {
            "room": "a%20room",
            "people": ["ada", "bob"],
            "root_path": "/parties/chat/a room",
            "url": "/parties/chat/a room/people",
        }
        assert plain.fetch(f"{path}/shout", "POST", content=b"hello").json() == "shouted"
        assert ada.receive() == "HELLO"
        room.hibernate()
        assert plain.fetch(f"{path}/people").json()["people"] == ["ada", "bob"]


def test_a_rooms_app_that_raises(site, party):
    response = site("plain").fetch("/parties/chat/lobby/raise")
    assert response.status_code == 500
    assert "a secret of the room's app" in str(party.logs)


def test_rooms_of_one_class_do_not_see_each_other(site):
    plain = site("plain")
    with plain.connect("/parties/chat/one?_pk=ada") as ada:
        ada.receive()
        assert plain.fetch("/parties/chat/two/people").json()["people"] == []
