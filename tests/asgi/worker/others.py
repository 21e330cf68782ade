"""Apps whose requests reach for what belongs to other requests, as people write them."""

import asyncio
from typing import Annotated

from fastapi import Body, FastAPI, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from partyserver import tasks

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


@app.websocket("/json")
async def read_json(websocket: WebSocket):
    await websocket.accept()
    while True:
        try:
            await websocket.send_text(repr(await websocket.receive_json()))
        except ValueError as error:
            await websocket.send_text(f"{type(error).__name__}: {error}")


@app.post("/items")
async def items(payload: Annotated[dict, Body()]):
    return payload


@app.post("/form")
async def form(request: Request):
    """A body that is read by the request's own method."""
    return await request.json()


# --- what requests wait for -----------------------------------------------------------

lock = asyncio.Lock()
event = asyncio.Event()
queue = asyncio.Queue()


@app.get("/wait/lock")
async def wait_for_the_lock():
    async with lock:
        await asyncio.sleep(0.1)
    return "had it"


@app.get("/line")
async def line():
    """How many wait for the lock, and whether it is taken."""
    return [len(lock._waiters or ()), lock.locked()]


@app.get("/hold/lock")
async def hold_the_lock():
    async with lock:
        await event.wait()
        event.clear()
    return "had it"


@app.get("/wait/event")
async def wait_for_the_event():
    await event.wait()
    event.clear()
    return "was set"


@app.get("/set/event")
async def set_the_event():
    event.set()


@app.websocket("/wait/queue")
async def wait_for_the_queue(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("waiting")
    await websocket.send_text(await queue.get())


@app.get("/put/{item}")
async def put(item: str):
    queue.put_nowait(item)


@app.get("/lines")
async def lines():
    async def body():
        yield "waiting\n"
        for _ in range(2):
            yield f"{await queue.get()}\n"

    return StreamingResponse(body())


@app.get("/held")
async def held():
    return len(tasks._unfinished)


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
