"""From the worker's requests and schedules to the parties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workers import Request, Response, WorkerEntrypoint

from .. import tasks
from ..errors import ClientError
from ..incoming import without_claims
from ..refusals import refuse_client
from ..routing import failed, route_to_room
from ..rules import failures
from ..rules.closing import INTERNAL_ERROR, POLICY_VIOLATION, fitting_reason
from ..rules.lobby import Lobby as CoreLobby
from ..rules.options import RoutingHook
from ..rules.urls import PartyUrl, path_of
from ..runtime import events, platform, requests, sockets
from ..usercode import FAILURES, as_exception, call
from .contract import STATIC_HOOKS, taking
from .cron import Cron
from .definition import arguments_of, definition_of
from .errors import UnknownPartyError
from .lobby import CronLobby, FetchLobby, Lobby
from .project import MAIN, Project
from .server import Server
from .socket import FetchSocket


def entrypoint(
    main: type[Server],
    parties: Mapping[str, type[Server]] | None = None,
    crons: Mapping[str, str] | None = None,
) -> type[WorkerEntrypoint]:
    """The worker of a PartyKit project, what `partykit.json` was.

        Default = partykit.entrypoint(
            Main, parties={"other": Other}, crons={"every-minute": "*/1 * * * *"}
        )

    `/party/:id` and `/parties/main/:id` are rooms of the main party, `/parties/:name/:id` those
    of the others. What is neither goes to `on_fetch` of the main party or, if it asks for a
    WebSocket, to its `on_socket`.

    Each class is bound in the wrangler config under its own name or its party's.

    Args:
        main: the main party.
        parties: the other parties by their names.
        crons: names for the schedules in the wrangler config's `triggers.crons`, which calls
            `on_cron` of the main party.

    Raises:
        TypeError: a party is no subclass of `partykit.Server`.
        ValueError: a party's name or a cron's definition is none.
    """
    project = Project(main, parties or {}, crons or {})
    if project.crons and "on_cron" not in arguments_of(main):
        raise TypeError(f"there are crons, and {main.__name__} has no on_cron")
    for party in project.parties.values():
        definition = definition_of(party)
        if definition is not None:
            definition.project = project
    site = Site(project)

    class Default(WorkerEntrypoint):
        async def fetch(self, request: Request) -> Response:
            return await site.fetch(request, self.env, self.ctx)

        async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
            await site.scheduled(controller, self.env, self.ctx)

    return Default


class Site:
    """What a project's worker does; the entrypoint that wrangler runs holds nothing else."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def fetch(self, request: Request, env: Any, ctx: Any) -> Response:
        url = match_url(request.url)
        upgrading = requests.is_upgrade(request.js_object.headers)
        try:
            try:
                if url is not None:
                    return await self._route(request, url, env, ctx)
                request = without_claims(request)
                if upgrading and "on_socket" in arguments_of(self._project.main):
                    return self._open_socket(request, env, ctx)
                return await self._fetch(request, env, ctx)
            except ClientError as error:
                return refuse_client(request, error, upgrading=upgrading)
        except UnknownPartyError as error:
            return Response(str(error.args[0]), status=404)
        except FAILURES as error:
            return failed(error, f"the way to {request.url}")

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:
        definition = controller.cron
        names = self._project.cron_names(definition)
        if not names:
            raise LookupError(
                f"the schedule {definition!r} of the wrangler config has no name; give it one with "
                f"partykit.entrypoint(crons=...), which knows: {self._project.crons}"
            )
        lobby = CronLobby(self._project, env)
        hook = _static_hook(self._project.main, "on_cron")
        try:
            for name in names:
                await call(hook, Cron(name, definition, int(controller.scheduledTime)), lobby, ctx)
        except FAILURES as error:
            if isinstance(error, Exception):
                raise
            raise as_exception(error, "on_cron") from error

    async def _route(self, request: Request, url: PartyUrl, env: Any, ctx: Any) -> Response:
        party = self._project.party_name(url.party)
        binding, namespace = self._project.binding(env, party)
        return await route_to_room(
            request.js_object,
            CoreLobby(party, binding, url.room, request.url, _prefix_length(request.url)),
            namespace,
            on_before_connect=self._before("on_before_connect", party, env, ctx),
            on_before_request=self._before("on_before_request", party, env, ctx),
        )

    def _before(self, name: str, party: str, env: Any, ctx: Any) -> RoutingHook | None:
        cls = self._project.parties[party]
        if name not in arguments_of(cls):
            return None
        hook = _static_hook(cls, name)

        def before(request: Request, lobby: CoreLobby) -> Any:
            return hook(request, Lobby(self._project, env, lobby), ctx)

        before.__name__ = name  # for errors, which name the hook
        return before

    async def _fetch(self, request: Request, env: Any, ctx: Any) -> Response:
        response = None
        if "on_fetch" in arguments_of(self._project.main):
            hook = _static_hook(self._project.main, "on_fetch")
            response = await call(hook, request, FetchLobby(self._project, env), ctx)
        if response is None:
            return Response("Not found", status=404)
        return requests.response_of(response, "on_fetch")

    def _open_socket(self, request: Request, env: Any, ctx: Any) -> Response:
        client, server = sockets.socket_pair()
        socket = FetchSocket(server, request)
        lobby = FetchLobby(self._project, env)

        async def work() -> None:
            try:
                try:
                    await call(_static_hook(self._project.main, "on_socket"), socket, lobby, ctx)
                except ClientError as error:
                    if socket.is_open:
                        socket.send(failures.client_frame(error))
                        server.close(POLICY_VIOLATION, fitting_reason(error.message))
            except FAILURES as error:
                failures.mark(error, f"in on_socket for {request.url}")
                platform.log_failure(error)
                if socket.is_open:
                    server.close(INTERNAL_ERROR, failures.PUBLIC_MESSAGE)

        task = tasks.run(work())
        if not task.done():
            # It may go on for as long as the socket is open.
            ctx.waitUntil(events.promise_of(task))
        return requests.switching_protocols(request, client)


def _prefix_length(url: str) -> int:
    """`/party/:id` has nothing before its "party"."""
    return 0 if path_of(url).lstrip("/").startswith("party/") else 1


def match_url(url: str) -> PartyUrl | None:
    """The party and the id that a URL names, exactly as they stand there."""
    match [part for part in path_of(url).split("/") if part]:
        case ["party", room, *_]:
            return PartyUrl(MAIN, room)
        case ["parties", party, room, *_]:
            return PartyUrl(party, room)
    return None


def _static_hook(cls: type[Server], name: str) -> Callable[..., Any]:
    return taking(getattr(cls, name), arguments_of(cls)[name], len(STATIC_HOOKS[name]))
