"""The app's own WebSocket routes."""

import pytest
from partyserver.testing import SocketClosedError, UpgradeError


def refused(site, path, **options):
    with pytest.raises(UpgradeError) as caught:
        site.connect(path, **options)
    return caught.value.response


def test_text_and_binary(plain):
    with plain.connect("/echo") as socket:
        for message in ("grüß", b"\x00\xff", "", b"", "x" * 100_000, bytes(100_000)):
            socket.send(message)
            assert socket.receive() == message


def test_many_messages_keep_their_order(plain):
    with plain.connect("/echo") as socket:
        for number in range(200):
            socket.send(str(number))
        assert [socket.receive() for _ in range(200)] == [str(number) for number in range(200)]


def test_the_scope(plain, party):
    with plain.connect("/scope/a%20b?x=1", subprotocols=["b", "a"]) as socket:
        scope = socket.receive_json()
    headers = dict(scope.pop("headers"))
    assert headers["upgrade"] == "websocket"
    assert scope["path"] == "/scope/a b"
    assert scope["raw_path"] == "/scope/a%20b"
    assert scope["query_string"] == "x=1"
    assert scope["scheme"] == "ws"
    assert scope["subprotocols"] == ["b", "a"]
    assert scope["extensions"] == {"websocket.http.response": {}, "partyserver.response": {}}
    assert scope["state"] == {"started": 1}
    assert "method" not in scope


def test_a_close_before_the_accept_is_a_403(plain):
    response = refused(plain, "/reject")
    assert response.status_code == 403


def test_a_handshake_is_denied_with_a_response(plain):
    response = refused(plain, "/deny")
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["x-why"] == "no token"
    assert response.text == "who are you?"


def test_an_app_that_raises_before_the_accept(plain, party):
    response = refused(plain, "/raise_first")
    assert response.status_code == 500
    assert response.text.startswith("Internal error (error id ")
    assert "a secret of the handshake" in str(party.logs)


def test_an_app_that_does_not_answer_the_handshake(plain, party):
    assert refused(plain, "/silent").status_code == 500
    assert "the app has returned without a response" in str(party.logs)


def test_the_app_chooses_the_subprotocol(plain):
    with plain.connect("/subprotocol", subprotocols=["v2", "v1"]) as socket:
        assert socket.subprotocol == "v1"
        assert socket.response_headers["x-accepted"] == "yes"
        assert socket.response_headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_a_client_that_closes(plain):
    with plain.connect("/echo") as socket:
        socket.close(4001, "enough")
        assert (socket.close_code, socket.close_reason) == (4001, "enough")
    plain.sees(
        ["websocket.disconnect", 4001, "enough"], "websocket.disconnect", "ClientDisconnected"
    )


def test_a_client_that_closes_without_a_code(plain):
    with plain.connect("/echo") as socket:
        socket.close()
    plain.sees(["websocket.disconnect", 1000, ""], "websocket.disconnect", "ClientDisconnected")


def test_a_client_that_vanishes(plain):
    plain.connect("/echo").drop()
    why = "WebSocket disconnected without sending Close frame."  # the platform's words
    plain.sees(["websocket.disconnect", 1006, why], "websocket.disconnect", "ClientDisconnected")


def test_an_app_that_closes(plain):
    with plain.connect("/close") as socket:
        socket.send("go")
        assert socket.receive() == "bye"
        with pytest.raises(SocketClosedError):
            socket.receive()
        assert (socket.close_code, socket.close_reason) == (4002, "that was it")
    plain.sees("the app sent 'websocket.send' on a WebSocket that is closed")


def test_an_app_that_returns(plain):
    with plain.connect("/return") as socket:
        socket.send("go")
        with pytest.raises(SocketClosedError):
            socket.receive()
        assert socket.close_code == 1000


def test_an_app_that_raises(plain, party):
    with plain.connect("/raise") as socket:
        socket.send("go")
        with pytest.raises(SocketClosedError):
            socket.receive()
        assert socket.close_code == 1011
        assert socket.close_reason == ""
    assert "a secret of the socket" in str(party.logs)


def test_codes_and_reasons_that_cannot_be_sent(plain):
    with plain.connect("/badclose") as socket:
        for what in ("1005", "999", "xxx"):
            message = socket.receive()
            assert message.startswith("a close code is 1000 to 4999")
            assert what in message


def test_an_app_that_speaks_by_itself(plain):
    with plain.connect("/ticks") as socket:
        assert [socket.receive() for _ in range(3)] == ["0", "1", "2"]


def test_the_app_goes_on_after_the_close(plain):
    with plain.connect("/after") as socket:
        socket.close()
    plain.sees("after the close")


def test_fastapi_websockets(site, party):
    fastapi = site("fastapi")
    assert refused(fastapi, "/socket").status_code == 403
    assert refused(fastapi, "/socket?token=wrong").status_code == 403
    assert refused(fastapi, "/nowhere").status_code == 403
    with fastapi.connect("/socket?token=right") as socket:
        socket.send("hello")
        assert socket.receive_json() == {"you said": "hello"}
        socket.close(3000, "done")
        assert (socket.close_code, socket.close_reason) == (3000, "done")


def test_on_error_answers_a_handshake(site):
    response = refused(site("fastapi"), "/socket?token=raise")
    assert response.status_code == 418
    assert response.text == "on_error saw ZeroDivisionError"
