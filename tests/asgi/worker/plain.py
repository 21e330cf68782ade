"""A bare ASGI app: each path is one way to use the protocol."""

import asyncio
import json
import sys

STARTS = []
SEEN = []


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        assert (await receive())["type"] == "lifespan.startup"
        STARTS.append(1)
        scope["state"]["started"] = len(STARTS)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise AssertionError("there is no shutdown")
    case = scope["path"].split("/")[1] or "scope"
    prefix = "ws" if scope["type"] == "websocket" else "do"
    await globals()[f"{prefix}_{case}"](scope, receive, send)


async def answer(send, body, status=200, headers=()):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def described(scope):
    kinds = {"env": "env", "partyserver.request": "request"}
    return {
        key: type(value).__name__ if key in kinds else value
        for key, value in scope.items()
        if key != "headers"
    } | {"headers": [[name.decode(), value.decode()] for name, value in scope["headers"]]}


async def do_scope(scope, receive, send):
    text = json.dumps(described(scope), default=lambda value: value.decode())
    await answer(send, text.encode())


async def do_seen(scope, receive, send):
    await answer(send, SEEN)
    SEEN.clear()


async def do_status(scope, receive, send):
    await answer(send, b"body?", int(scope["path"].split("/")[2]))


async def do_headers(scope, receive, send):
    headers = [
        (b"Set-Cookie", b"a=1; Path=/"),
        (b"set-cookie", b"b=2"),
        (b"Connection", b"close"),
        (b"Transfer-Encoding", b"chunked"),
        (b"keep-alive", b"timeout=5"),
        (b"X-Utf-8", "ü".encode()),
        (b"x-latin", "ü".encode("latin-1")),
    ]
    await answer(send, b"headers", headers=headers)


async def do_length(scope, receive, send):
    """A body with a length, in chunks."""
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-length", b"10")],
        }
    )
    await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": b"01234", "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    await send({"type": "http.response.body", "body": b"56789"})
    SEEN.append("sent")


async def do_steps(scope, receive, send):
    """A stream whose next part is sent when the client asks for it, elsewhere."""
    SEEN.clear()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for part in (b"first", b"second"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        while part.decode() not in SEEN:
            await asyncio.sleep(0.01)
    await send({"type": "http.response.body"})


async def do_step(scope, receive, send):
    SEEN.append(scope["path"].split("/")[2])
    await answer(send, b"")


async def do_early(scope, receive, send):
    """The headers go out before there is a body."""
    SEEN.clear()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-early", b"1")]})
    while "body" not in SEEN:
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"late"})


async def do_forever(scope, receive, send):
    """Streams until the client has gone."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    try:
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            await asyncio.sleep(0.01)
    except OSError as error:
        SEEN.append(type(error).__name__)
        SEEN.append((await receive())["type"])
        SEEN.append((await receive())["type"])


async def do_listening(scope, receive, send):
    """Streams until the client has gone, as another task tells."""

    async def listen():
        while (message := await receive())["type"] == "http.request":
            pass
        SEEN.append(message["type"])

    listening = asyncio.ensure_future(listen())
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while not listening.done():
        try:
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        except OSError:
            break
        await asyncio.sleep(0.01)
    await listening


async def do_upload(scope, receive, send):
    sizes = []
    while True:
        message = await receive()
        sizes.append([len(message["body"]), message["more_body"]])
        if not message["more_body"]:
            break
    await answer(send, sizes)
    SEEN.append((await receive())["type"])


async def do_meanwhile(scope, receive, send):
    """Answers the upload's first chunk before the second has come."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        message = await receive()
        await send({"type": "http.response.body", "body": message["body"], "more_body": True})
        if not message["more_body"]:
            break
    await send({"type": "http.response.body"})


async def do_cancelled(scope, receive, send):
    """A `receive` that is given up loses no part of the body."""
    waiting = asyncio.ensure_future(receive())
    await asyncio.sleep(0)
    waiting.cancel()
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message["more_body"]:
            break
    await answer(send, body)


async def do_after(scope, receive, send):
    await answer(send, b"answered")
    await asyncio.sleep(0.05)
    SEEN.append("after the answer")


async def do_raise(scope, receive, send):
    raise ZeroDivisionError("a secret of the app")


async def do_give_up(scope, receive, send):
    raise asyncio.CancelledError


async def do_silent(scope, receive, send):
    return None


async def do_unfinished(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})
    raise ZeroDivisionError("in the middle")


async def do_unstarted(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise ZeroDivisionError("before the body")


async def do_order(scope, receive, send):
    errors = []

    async def wrong(message):
        try:
            await send(message)
        except RuntimeError as error:
            errors.append(str(error))

    await wrong({"type": "http.response.body", "body": b""})
    await wrong({"type": "websocket.accept"})
    await wrong({"type": "http.response.start", "status": 101})
    await send({"type": "http.response.start", "status": 200})
    await wrong({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": json.dumps(errors).encode()})
    await wrong({"type": "http.response.body", "body": b""})
    SEEN.append(errors[-1])


async def do_parties(scope, receive, send):
    await answer(send, b"the app's own")


async def do_modules(scope, receive, send):
    await answer(send, [name for name in ("fastapi", "lazy_app") if name in sys.modules])


# --- WebSockets -----------------------------------------------------------------------


async def accept(receive, send, **options):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", **options})


async def ws_echo(scope, receive, send):
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send(message | {"type": "websocket.send"})
    SEEN.append([message["type"], message["code"], message["reason"]])
    SEEN.append((await receive())["type"])
    try:
        await send({"type": "websocket.send", "text": "too late"})
    except OSError as error:
        SEEN.append(type(error).__name__)


async def ws_scope(scope, receive, send):
    await accept(receive, send)
    text = json.dumps(described(scope), default=lambda value: value.decode())
    await send({"type": "websocket.send", "text": text})
    await receive()


async def ws_reject(scope, receive, send):
    await receive()
    await send({"type": "websocket.close", "code": 4001})


async def ws_deny(scope, receive, send):
    await receive()
    await send(
        {
            "type": "websocket.http.response.start",
            "status": 401,
            "headers": [(b"www-authenticate", b"Bearer"), (b"x-why", b"no token")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": b"who ", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"are you?"})


async def ws_subprotocol(scope, receive, send):
    headers = [(b"x-accepted", b"yes"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await accept(receive, send, subprotocol=scope["subprotocols"][-1], headers=headers)
    await receive()


async def ws_close(scope, receive, send):
    await accept(receive, send)
    await receive()
    await send({"type": "websocket.send", "text": "bye"})
    await send({"type": "websocket.close", "code": 4002, "reason": "that was it"})
    try:
        await send({"type": "websocket.send", "text": "more"})
    except RuntimeError as error:
        SEEN.append(str(error))


async def ws_return(scope, receive, send):
    await accept(receive, send)
    await receive()


async def ws_raise(scope, receive, send):
    await accept(receive, send)
    await receive()
    raise ZeroDivisionError("a secret of the socket")


async def ws_raise_first(scope, receive, send):
    raise ZeroDivisionError("a secret of the handshake")


async def ws_silent(scope, receive, send):
    return None


async def ws_badclose(scope, receive, send):
    await accept(receive, send)
    for code, reason in ((1005, ""), (999, ""), (1000, "x" * 124)):
        try:
            await send({"type": "websocket.close", "code": code, "reason": reason})
        except ValueError as error:
            await send({"type": "websocket.send", "text": str(error)})
    await receive()


async def ws_ticks(scope, receive, send):
    """Sends by itself, long after the handshake."""
    await accept(receive, send)
    for number in range(3):
        await asyncio.sleep(0.1)
        await send({"type": "websocket.send", "text": str(number)})
    await send({"type": "websocket.close"})


async def ws_parties(scope, receive, send):
    await accept(receive, send)
    await send({"type": "websocket.send", "text": "the app's own"})
    await receive()


async def ws_after(scope, receive, send):
    """Goes on when the client has left."""
    await accept(receive, send)
    await receive()
    await asyncio.sleep(0.1)
    SEEN.append("after the close")
