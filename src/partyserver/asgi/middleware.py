"""`PartyServerMiddleware`: rooms inside of an ASGI app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Unpack

from ..rules.asgi import REQUEST
from ..rules.options import RoutingOptions, check_routing_options
from ..rules.urls import DEFAULT_PREFIX, match_party_url
from .scope import ROUTED_PREFIX, Scope


class PartyServerMiddleware:
    """Sends an app's requests for `/{prefix}/:party/:room` to rooms, upgrades included.

        app = FastAPI()
        app.add_middleware(PartyServerMiddleware, on_before_connect=check)
        Default = partyserver.asgi.entrypoint(app)

    What is added to the app after it stands before it, and sees the requests for rooms and
    the rooms' responses too. The entrypoint sees the middleware in a Starlette or FastAPI
    app and leaves the rooms to it; around another app, tell it: `entrypoint(app, prefix=None)`.

    Args:
        app: the ASGI app that gets every other request.
        prefix: one or more path segments, from the root of the URL. By default "parties".
        on_error: as for `entrypoint`.

    Raises:
        TypeError: an option that `route_partykit_request` does not have.
    """

    def __init__(
        self,
        app: Any,
        prefix: str = DEFAULT_PREFIX,
        *,
        on_error: Callable[[Any], Any] | None = None,
        **options: Unpack[RoutingOptions],
    ) -> None:
        check_routing_options("PartyServerMiddleware", options)
        self.app = app
        self.prefix = prefix
        self._on_error = on_error
        self._options = options

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope.get(ROUTED_PREFIX) == self.prefix:
            raise RuntimeError(
                f"the entrypoint sends /{self.prefix}/... to rooms already, without this "
                "middleware's options, because it could not see the middleware in the app: "
                "make it with entrypoint(app, prefix=None)"
            )
        if not _is_for_a_room(scope, self.prefix):
            await self.app(scope, receive, send)
            return
        if REQUEST not in scope:
            raise RuntimeError(
                "PartyServerMiddleware reaches rooms only under partyserver.asgi.entrypoint(app)"
            )
        from .rooms import answer  # not before there is a runtime

        await answer(scope, receive, send, self.prefix, self._on_error, self._options)


def _is_for_a_room(scope: Scope, prefix: str) -> bool:
    path = scope.get("raw_path") or scope["path"].encode()
    return match_party_url(f"http://host{path.decode('latin-1')}", prefix) is not None


def has_middleware(app: Any) -> bool:
    """Whether the middleware is, or will be, in what an app is made of."""
    seen = set()
    while app is not None and id(app) not in seen:
        if isinstance(app, PartyServerMiddleware):
            return True
        # Starlette builds its middleware when it is first called.
        for one in getattr(app, "user_middleware", ()):
            kind = getattr(one, "cls", None)
            if isinstance(kind, type) and issubclass(kind, PartyServerMiddleware):
                return True
        seen.add(id(app))
        app = getattr(app, "app", None)
    return False
