"""A Starlette app that has its rooms in a middleware, between others."""

from partyserver.asgi import PartyServerMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from workers import Response


class Stamp(BaseHTTPMiddleware):
    """Reads the body before the rooms do, as a logger or a signature check would."""

    async def dispatch(self, request, call_next):
        size = len(await request.body())
        response = await call_next(request)
        response.headers["x-size"] = str(size)
        return response


def before_connect(request, lobby):
    if "token" not in request.url:
        return Response("no token", status=401, headers={"x-why": "no token"})
    return None


def before_request(request, lobby):
    if "raise" in request.url:
        raise ZeroDivisionError("a secret of the hook")


def on_error(error):
    return Response(f"on_error saw {type(error).__name__}", status=418)


async def home(request):
    return PlainTextResponse("home")


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text("the app's own")
    await websocket.close()


app = Starlette(
    routes=[Route("/", home), WebSocketRoute("/socket", socket)],
    middleware=[
        Middleware(CORSMiddleware, allow_origins=["https://example.com"]),
        Middleware(Stamp),
        Middleware(
            PartyServerMiddleware,  # type: ignore[arg-type]  # mypy on its `**options: Any`
            on_before_connect=before_connect,
            on_before_request=before_request,
            on_error=on_error,
        ),
    ],
)


async def wrapped(scope, receive, send):
    await app(scope, receive, send)
