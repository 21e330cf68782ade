"""Apps that ask who a request is from, and that have something to tell their clients."""

import asyncio

import fastapi
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from inside import Stamp
from partyserver import ClientError, Server, auth_of, path_of, query_of
from partyserver.asgi import PartyServerMiddleware, entrypoint, respond
from starlette.middleware import Middleware
from workers import Request, Response

router = fastapi.APIRouter()


@router.get("/who")
@router.post("/who")
async def who(request: fastapi.Request):
    seen = request.headers.get("x-seen")
    body = (await request.body()).decode()
    return [auth_of(request), path_of(request), dict(query_of(request)), seen, body]


def a_member(request: fastapi.Request):
    if not auth_of(request.scope):
        raise ClientError("members only", status=401, code="who")


@router.get("/members", dependencies=[Depends(a_member)])
async def members():
    return "hello, member"


@router.get("/told/{when}")
async def told(when: str):
    if when == "later":
        await asyncio.sleep(0.01)
    elif when == "while streaming":

        async def parts():
            yield "the first part"
            await asyncio.sleep(0.1)
            raise ClientError("too late")

        return StreamingResponse(parts())
    raise ClientError("gone, ü\ud800", status=410)


@router.get("/told-behind")
async def told_behind(tasks: BackgroundTasks):
    async def work():
        await asyncio.sleep(0.1)
        raise ClientError("too late")

    tasks.add_task(work)
    return "answered"


@router.websocket("/told/{when}")
async def told_on_a_socket(websocket: WebSocket, when: str):
    if when != "first":
        await websocket.accept()
        await websocket.send_text(when)
        await websocket.receive_text()
    if when == "closed":
        await websocket.close(4000)
    raise ClientError("not here: " + "ü" * 100, code=7)


app = FastAPI()
app.include_router(router)


@app.middleware("http")
async def through(request, call_next):
    return await call_next(request)


room_app = FastAPI()
room_app.include_router(router)


class Guests(Server):
    options = {"hibernate": True}

    def on_connect(self, connection, ctx):
        connection.send_json([ctx.auth, ctx.path, dict(ctx.query)])

    def on_message(self, connection, message):
        connection.send_json(connection.auth)

    async def on_request(self, request):
        return await respond(room_app, request, self.env, server=self, on_error=on_error)


IDENTITIES = {"ada": {"user": "ada"}, "empty": {}, "nobody": None}


def before(request, lobby):
    who = lobby.query.get("who", "nobody")
    if who == "told":
        raise ClientError(f"no way to {lobby.path or 'the room'}", status=403, code="locked")
    if who.startswith("with "):
        headers = [*request.headers.items(), ("x-seen", "by the hook")]
        return Request(request, headers=headers), IDENTITIES[who.removeprefix("with ")]
    return IDENTITIES[who]


async def before_later(request, lobby):
    await asyncio.sleep(0)
    return before(request, lobby)


def on_error(error):
    return Response(f"on_error saw {type(error).__name__}", status=418)


inside = FastAPI(
    middleware=[
        Middleware(Stamp),
        Middleware(
            PartyServerMiddleware,
            on_before_connect=before_later,
            on_before_request=before,
            on_error=on_error,
        ),
    ],
)
inside.include_router(router)

SITES = {
    "guests": entrypoint(
        app, on_before_connect=before, on_before_request=before_later, on_error=on_error
    ),
    "guests-inside": entrypoint(inside),
}
