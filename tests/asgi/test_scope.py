"""The pure rules of the adapter, under CPython."""

from collections.abc import Sequence

import pytest
from partyserver.asgi import PartyServerMiddleware, headers
from partyserver.asgi.middleware import has_middleware
from partyserver.asgi.scope import connection_scope, room_root
from partyserver.asgi.threads import run_inline


def scope(url="http://example.com/", kind="http", pairs=(), **options):
    return connection_scope(kind, method="GET", url=url, headers=pairs, **options)


def test_an_http_scope():
    got = scope(
        "https://example.com:8443/caf%C3%A9/a%2Fb;c?x=1&y=%20#not-sent",
        pairs=[("Host", "example.com:8443"), ("X-Name", "grüß"), ("cf-connecting-ip", "1.2.3.4")],
        protocol="HTTP/2",
    )
    assert got == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "2",
        "method": "GET",
        "scheme": "https",
        "path": "/café/a/b;c",
        "raw_path": b"/caf%C3%A9/a%2Fb;c",
        "query_string": b"x=1&y=%20",
        "root_path": "",
        "headers": [
            (b"host", b"example.com:8443"),
            (b"x-name", "grüß".encode()),
            (b"cf-connecting-ip", b"1.2.3.4"),
        ],
        "client": ("1.2.3.4", 0),
        "server": ("example.com", 8443),
    }


@pytest.mark.parametrize(("url", "port"), [("http://a/", 80), ("https://a/", 443)])
def test_the_servers_port_is_the_schemes_own_by_default(url, port):
    assert scope(url)["server"] == ("a", port)


def test_a_client_without_an_address_is_unknown():
    assert scope()["client"] is None


@pytest.mark.parametrize(
    ("protocol", "version"),
    [("HTTP/1.0", "1.0"), ("HTTP/1.1", "1.1"), ("HTTP/2", "2"), ("HTTP/3", "3"), (None, "1.1")],
)
def test_the_http_version(protocol, version):
    assert scope(protocol=protocol)["http_version"] == version


@pytest.mark.parametrize(("url", "scheme"), [("http://a/", "ws"), ("https://a/", "wss")])
def test_a_websocket_scope(url, scheme):
    got = scope(url, "websocket", pairs=[("sec-websocket-protocol", "chat.v2, chat.v1")])
    assert got["type"] == "websocket"
    assert got["scheme"] == scheme
    assert got["subprotocols"] == ["chat.v2", "chat.v1"]
    assert "method" not in got


def test_a_websocket_without_subprotocols():
    assert scope(kind="websocket")["subprotocols"] == []


@pytest.mark.parametrize(
    ("path", "party", "room", "root"),
    [
        ("/parties/chat/lobby/people", "chat", "lobby", "/parties/chat/lobby"),
        ("/parties/Chat/lobby", "chat", "lobby", "/parties/Chat/lobby"),
        ("/api/rooms/chat/a%2Fb/people/1", "chat", "a%2Fb", "/api/rooms/chat/a/b"),
        ("/parties/chat/chat/chat/chat", "chat", "chat", "/parties/chat/chat"),
        ("/lobby/parties/chat/lobby/x", "chat", "lobby", "/lobby/parties/chat/lobby"),
        ("/history", "chat", "lobby", ""),
        ("/x/lobby/people", None, "lobby", "/x/lobby"),
    ],
)
def test_the_root_of_a_room(path, party, room, root):
    assert room_root(path, party, room) == root


def test_response_headers_keep_their_order_and_repetitions():
    pairs = [(b"Set-Cookie", b"a=1"), (b"X-A", b"1"), (b"set-cookie", b"b=2")]
    assert headers.outgoing(pairs) == [("set-cookie", "a=1"), ("x-a", "1"), ("set-cookie", "b=2")]


def test_hop_by_hop_headers_stay_behind():
    pairs = [(b"Connection", b"close"), (b"transfer-encoding", b"chunked"), (b"x-a", b"1")]
    assert headers.outgoing(pairs) == [("x-a", "1")]


def test_header_bytes_are_utf_8_or_else_latin_1():
    assert headers.outgoing([(b"a", "ü".encode()), (b"b", b"\xfc")]) == [("a", "ü"), ("b", "ü")]


@pytest.mark.parametrize(("value", "length"), [("10", 10), ("0", 0), ("ten", None), ("²", None)])
def test_the_content_length(value, length):
    assert headers.content_length([("content-length", value)]) == length


def test_plain_functions_are_called_in_place(monkeypatch):
    import anyio.to_thread

    monkeypatch.setattr(anyio.to_thread, "run_sync", anyio.to_thread.run_sync)
    run_inline()
    with pytest.raises(StopIteration) as done:
        anyio.to_thread.run_sync(pow, 2, 3, abandon_on_cancel=True).send(None)
    assert done.value.value == 8
    patched = anyio.to_thread.run_sync
    run_inline()
    assert anyio.to_thread.run_sync is patched


# --- the middleware where there is no runtime -------------------------------------------


class App:
    called = None

    async def __call__(self, scope, receive, send):
        self.called = scope


def run(coroutine):
    with pytest.raises(StopIteration):
        coroutine.send(None)


@pytest.mark.parametrize("kind", ["http", "websocket", "lifespan"])
def test_the_middleware_leaves_what_is_not_for_rooms_to_the_app(kind):
    app = App()
    scope = {"type": kind, "path": "/chat/lobby"}
    run(PartyServerMiddleware(app)(scope, None, None))
    assert app.called is scope


def test_under_another_server_the_middleware_says_what_it_needs():
    middleware = PartyServerMiddleware(App())
    with pytest.raises(RuntimeError, match=r"only under partyserver\.asgi\.entrypoint"):
        run(middleware({"type": "http", "path": "/parties/chat/lobby"}, None, None))


def test_the_middleware_does_not_take_second_place_to_the_entrypoint():
    middleware = PartyServerMiddleware(App())
    with pytest.raises(RuntimeError, match="prefix=None"):
        run(middleware({"type": "http", "path": "/", "partyserver.prefix": "parties"}, None, None))


def test_the_middleware_is_found_inside_of_others():
    class Around:
        def __init__(self, app):
            self.app = app

    class Starlette:
        user_middleware: Sequence[type] = ()

    added = Starlette()
    added.user_middleware = [type("Middleware", (), {"cls": PartyServerMiddleware})]
    assert has_middleware(Around(PartyServerMiddleware(App())))
    assert has_middleware(Around(added))
    assert not has_middleware(Around(Starlette()))
    assert not has_middleware(App())
    assert not has_middleware("module:app")
