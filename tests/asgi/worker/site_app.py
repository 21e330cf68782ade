"""A FastAPI app as people write them, and the hooks of the rooms beside it."""

import asyncio
from contextlib import asynccontextmanager

import fastapi
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field
from starlette.middleware.gzip import GZipMiddleware
from workers import Request, Response

DONE = []


@asynccontextmanager
async def lifespan(app):
    app.state.starts = getattr(app.state, "starts", 0) + 1
    yield {"greeting": "hello from the lifespan"}


app = FastAPI(lifespan=lifespan)
app.add_middleware(GZipMiddleware, minimum_size=500)


@app.middleware("http")
async def stamp(request, call_next):
    response = await call_next(request)
    response.headers["x-stamp"] = request.method
    return response


class Item(BaseModel):
    name: str = Field(min_length=2)
    price: float


@app.get("/")
async def home(request: fastapi.Request):
    return {"starts": app.state.starts, "greeting": request.state.greeting}


@app.get("/sync/{name}")
def sync(name: str, q: int = 0):
    return {"name": name, "q": q}


@app.post("/items")
async def create(item: Item):
    return item


@app.get("/secret")
async def secret(credentials=Depends(HTTPBearer())):  # noqa: B008
    return credentials.credentials


@app.get("/missing")
async def missing():
    raise HTTPException(404, "no such thing")


@app.get("/raise")
async def raise_error(how: str = ""):
    raise ZeroDivisionError(f"a secret of the route {how}")


@app.get("/stream")
async def stream():
    async def parts():
        for number in range(3):
            await asyncio.sleep(0.01)
            yield f"part {number}\n"

    return StreamingResponse(parts())


@app.get("/long")
async def long():
    return "x" * 5000


@app.get("/background")
async def background(tasks: BackgroundTasks):
    async def work():
        await asyncio.sleep(0.01)
        DONE.append("background")

    tasks.add_task(work)
    return "later"


@app.get("/done")
async def done():
    return DONE


@app.post("/disconnected")
async def disconnected(request: fastapi.Request):
    return [(await request.body()).decode(), await request.is_disconnected()]


@app.get("/env")
async def env(request: fastapi.Request):
    return [type(request.scope["env"]).__name__, hasattr(request.scope["env"], "Chat")]


@app.websocket("/socket")
async def socket(websocket: WebSocket, token: str = ""):
    if token == "raise":
        raise ZeroDivisionError("a secret of the socket")
    if not token:
        await websocket.close(code=4401)
        return
    if token == "wrong":
        raise fastapi.WebSocketException(code=1008, reason="wrong token")
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_json({"you said": text})


# --- hooks of the rooms ---------------------------------------------------------------


def before_connect(request, lobby):
    if "raise" in request.url:
        raise ZeroDivisionError("a secret of the hook")
    if "user=" not in request.url:
        return Response("who are you?", status=401)
    user = request.url.partition("user=")[2]
    return Request(request, headers=[*request.headers.items(), ("x-user", user)])


async def before_request(request, lobby):
    if "raise" in request.url:
        raise ZeroDivisionError("a secret of the hook")


async def on_error(error):
    await asyncio.sleep(0)
    if "unanswered" in str(error) or "unanswered" in getattr(error, "__notes__", [""])[0]:
        return None
    return Response(f"on_error saw {type(error).__name__}", status=418)
