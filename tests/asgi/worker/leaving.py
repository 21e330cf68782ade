"""Streams and sockets whose clients leave, as people write them with FastAPI, and bare."""

import asyncio
import gc

import anyio
import fastapi
from fastapi import APIRouter, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse
from partyserver import tasks
from partyserver.asgi.exchange import Exchange
from partyserver.runtime import platform

#: What has begun, and has not come to its `finally`.
OPEN = []
TOLD = []

router = APIRouter()


def events(at_the_end):
    async def pings():
        OPEN.append(at_the_end)
        try:
            while True:
                yield ": ping\n\n"
                await asyncio.sleep(0.01)
        finally:
            if at_the_end == "waits":
                with anyio.CancelScope(shield=True):
                    await asyncio.sleep(0.3)
            while at_the_end == "is told to" and not TOLD:
                await asyncio.sleep(0.01)
            OPEN.remove(at_the_end)

    return pings()


@router.get("/stream/{at_the_end}")
async def stream(at_the_end: str):
    return StreamingResponse(events(at_the_end), media_type="text/event-stream")


@router.get("/event-source", response_class=EventSourceResponse)
async def event_source():
    OPEN.append("event source")
    try:
        while True:
            yield {"ping": 1}
            await asyncio.sleep(0.01)
    finally:
        OPEN.remove("event source")


@router.get("/settled")
async def settled():
    """What is left of what has begun. Nothing that is freed waits for the collector meanwhile."""
    gc.disable()
    others = tasks._unfinished - {asyncio.current_task()}
    requests = [one for one in others if "Exchange.run" in repr(one.get_coro())]
    held = [one for one in gc.get_objects() if isinstance(one, Exchange)]
    return {"open": OPEN, "requests": len(requests), "held": len(held) - 1}  # this request's


@router.get("/tell")
async def tell():
    TOLD.append(True)


@router.get("/collect")
async def collect():
    OPEN.clear()
    TOLD.clear()
    gc.enable()
    gc.collect()


@router.get("/log/{text}")
async def log(text: str):
    platform.log_error(text)


@router.websocket("/sends")
async def sends(websocket: WebSocket):
    await websocket.accept()
    while True:
        await websocket.send_text("ping")
        await asyncio.sleep(0.01)


@router.websocket("/receives")
async def receives(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ping")
    while True:
        await websocket.receive_text()


@router.websocket("/both")
async def both(websocket: WebSocket):
    """Two tasks of one socket, in a group that takes both down."""
    await websocket.accept()

    async def receive():
        while True:
            await websocket.receive_text()

    async with anyio.create_task_group() as group:
        group.start_soon(receive)
        while True:
            await websocket.send_text("ping")
            await asyncio.sleep(0.01)


@router.websocket("/raises")
async def raises(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text("ping")
    try:
        await websocket.receive_text()
    finally:
        raise ZeroDivisionError("when the socket had gone")


beside = fastapi.FastAPI()
beside.include_router(router)

behind = fastapi.FastAPI()
behind.include_router(router)


@behind.middleware("http")
async def stamp(request, call_next):
    response = await call_next(request)
    response.headers["x-stamp"] = "1"
    return response


# --- bare -----------------------------------------------------------------------------


async def bare(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    if scope["path"] in CASES:
        await CASES[scope["path"]](receive, send)
    else:
        await beside(scope, receive, send)


async def pinging(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"ping\n", "more_body": True})
        await asyncio.sleep(0.01)


async def lets_it_pass(receive, send):
    await pinging(send)


async def returns(receive, send):
    try:
        await pinging(send)
    except OSError:
        return


async def group(receive, send):
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pinging(send))
        tasks.create_task(pinging_late(send))


async def pinging_late(send):
    while True:
        await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"more\n", "more_body": True})


async def error_of_its_own(receive, send):
    try:
        await pinging(send)
    except OSError:
        raise ZeroDivisionError("when the client had gone") from None


async def error_from_it(receive, send):
    try:
        await pinging(send)
    except OSError as error:
        raise ZeroDivisionError("when the client had gone") from error


async def mixed_group(receive, send):
    async def fail():
        try:
            await asyncio.get_event_loop().create_future()
        finally:
            raise ZeroDivisionError("when the client had gone")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pinging(send))
        tasks.create_task(fail())


async def another_file(receive, send):
    try:
        await pinging(send)
    except OSError:
        raise FileNotFoundError("when the client had gone") from None


async def upload(receive, send):
    """Reads until the client has gone, and does not answer who is not there."""
    OPEN.append("upload")
    await receive()
    platform.log_info("the upload has begun")
    while (await receive())["type"] == "http.request":
        pass
    OPEN.remove("upload")


async def fails_first(receive, send):
    async for _ in events("is told to"):
        raise ZeroDivisionError("before there was an answer")


CASES = {
    "/fails-first": fails_first,
    "/lets-it-pass": lets_it_pass,
    "/returns": returns,
    "/group": group,
    "/error-of-its-own": error_of_its_own,
    "/error-from-it": error_from_it,
    "/mixed-group": mixed_group,
    "/another-file": another_file,
    "/upload": upload,
}
