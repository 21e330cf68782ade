"""The way to a room, as in rooms.py: what type checkers accept, and what they refuse."""

from collections.abc import Mapping
from typing import Any, assert_type

import fastapi
from partyserver import (
    ClientError,
    Lobby,
    Query,
    RetryEvent,
    RoutingRetry,
    auth_of,
    get_server_by_name,
    path_of,
    query_of,
    route_partykit_request,
)
from partyserver.asgi import PartyServerMiddleware, entrypoint, respond
from workers import Request, Response, WorkerEntrypoint

app: Any = None
env: Any = None

# --- accepted -------------------------------------------------------------------------


def check(request: Request, lobby: Lobby) -> Response | None:
    return None if lobby.name == "lobby" else Response("not your room", status=403)


async def check_later(request: Request, lobby: Lobby) -> Request | Response | None:
    assert_type(lobby.party, str)
    assert_type(lobby.class_name, str)
    return Request(request, headers={"x-user": await request.text()})


def who(request: Request, lobby: Lobby) -> Mapping[str, str]:
    assert_type(lobby.query, Query)
    assert_type(lobby.path, str)
    if "token" not in lobby.query:
        raise ClientError("log in first", status=401, code="login")
    return {"user": lobby.query["token"]}


async def who_later(
    request: Request, lobby: Lobby
) -> tuple[Request, dict[str, Any] | None] | Response | None:
    return (request, {"user": "ada", "roles": ["admin"]}) if lobby.query else None


def the_user(request: fastapi.Request) -> str:
    assert_type(query_of(request), Query)
    assert_type(auth_of(request.scope), Any)
    return f"{auth_of(request)['user']} at {path_of(request)}"


def told(event: RetryEvent) -> None:
    assert_type(event.class_name, str | None)


async def told_later(event: RetryEvent) -> None: ...


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(
            request,
            self.env,
            prefix="api/rooms",
            location_hint="weur",
            jurisdiction="eu",
            props={"plan": "free"},
            cors={"Access-Control-Allow-Origin": "https://example.com"},
            routing_retry=RoutingRetry(max_attempts=5, base_delay_ms=50, on_retry=told),
            on_before_connect=check,
            on_before_request=check_later,
            allowed_origins=["https://example.com"],
        )
        assert_type(answer, Response | None)
        return answer or Response("Not Found", status=404)

    async def check(self, request: Request, lobby: Lobby) -> Response | None:
        return None

    async def others(self, request: Request) -> Response | None:
        await get_server_by_name(self.env.Chat, "lobby", props=[1], routing_retry=None)
        return await route_partykit_request(
            request,
            cors=True,
            routing_retry=RoutingRetry(on_retry=told_later),
            on_before_connect=self.check,
            on_before_request=lambda request, lobby: None,
        )

    async def guests(self, request: Request) -> Response | None:
        return await route_partykit_request(
            request, self.env, on_before_connect=who, on_before_request=who_later
        )


Site = entrypoint(
    app,
    prefix=None,
    on_error=lambda error: Response(str(error), status=500),
    on_before_connect=check,
    on_before_request=check_later,
    allowed_origins={"https://example.com"},
    cors=True,
    routing_retry=None,
)
assert_type(Site, type[WorkerEntrypoint])
PartyServerMiddleware(app, "party", on_error=print, on_before_connect=check, props={"a": 1})
PartyServerMiddleware(app, on_before_connect=who_later, on_before_request=who)
entrypoint(app, on_before_connect=who, on_before_request=who_later)


async def in_a_room(request: Request) -> Response:
    return await respond(app, request, env, root_path="/", on_error=print)


# --- refused --------------------------------------------------------------------------


def takes_one(request: Request) -> None: ...


def takes_text(request: str, lobby: Lobby) -> None: ...


async def misuse(request: Request) -> None:
    await route_partykit_request(request, on_connect=check)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await route_partykit_request(request, alowed_origins=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await route_partykit_request(request, cors="*")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await route_partykit_request(request, on_before_connect=takes_one)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await route_partykit_request(request, on_before_connect=takes_text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await route_partykit_request(request, routing_retry=3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await get_server_by_name(env.Chat, 1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await get_server_by_name(env.Chat, "lobby", propz=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RoutingRetry(3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RoutingRetry(attempts=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await respond(app, request, env, prefix="/")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


entrypoint(app, alowed_origins=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
PartyServerMiddleware(app, alowed_origins=[])  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
