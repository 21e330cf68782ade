"""Apps whose requests reach for what belongs to other requests, as people write them."""

import asyncio

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

app = FastAPI()
sockets = []


@app.websocket("/chat")
async def chat(websocket: WebSocket):
    """A chat as it is written where all requests are served by one process."""
    await websocket.accept()
    sockets.append(websocket)
    try:
        while True:
            text = await websocket.receive_text()
            for other in sockets:
                if text == "close" and other is not websocket:
                    await other.close()
                else:
                    await other.send_text(text)
    except WebSocketDisconnect:
        pass
    finally:
        sockets.remove(websocket)


# --- bare -----------------------------------------------------------------------------

senders = []
receivers = []
told = []


async def bare(scope, receive, send):
    if scope["type"] == "http":
        await globals()[scope["path"].strip("/").replace("-", "_")](receive, send)


async def answer(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body"})


async def stream(receive, send):
    """A stream that ends when it is told to."""
    told.clear()
    senders.append(send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun,", "more_body": True})
    while not told:
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"ended"})


async def write_to_it(receive, send):
    other = senders.pop()
    await other({"type": "http.response.body", "body": b"not mine", "more_body": True})
    await answer(send)


async def end_it(receive, send):
    told.append(True)
    await answer(send)


async def upload(receive, send):
    told.clear()
    receivers.append(receive)
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun,", "more_body": True})
    while not told:
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"ended"})


async def read_from_it(receive, send):
    message = await receivers.pop()()
    assert message["type"] == "http.request", message
    await answer(send)


async def too_long(receive, send):
    await three_bytes(send, b"more than three")


async def too_short(receive, send):
    await three_bytes(send, b"1")


async def three_bytes(send, body):
    headers = [(b"content-length", b"3")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body"})
