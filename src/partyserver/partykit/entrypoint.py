"""From the worker's requests and schedules to the parties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from typing import Any, ClassVar

from workers import Request, Response, WorkerEntrypoint

from .. import failures, runtime, tasks
from ..closing import INTERNAL_ERROR
from ..routing import Lobby as CoreLobby
from ..routing import failed, is_upgrade, route_to_room
from ..upgrade import switching_protocols
from ..urls import PartyUrl, path_of
from .contract import STATIC_HOOKS, taking
from .cron import Cron
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
    if project.crons and "on_cron" not in main._arguments:
        raise TypeError(f"there are crons, and {main.__name__} has no on_cron")
    for party in project.parties.values():
        party._project = project
    return type("Default", (Entrypoint,), {"_project": project})


class Entrypoint(WorkerEntrypoint):
    """What wrangler runs: `entrypoint` makes a subclass for each project."""

    _project: ClassVar[Project]

    async def fetch(self, request: Request) -> Response:
        url = match_url(request.url)
        try:
            if url is not None:
                return await self._route(request, url)
            has_hook = "on_socket" in self._project.main._arguments
            if has_hook and is_upgrade(request.js_object.headers):
                return self._open_socket(request)
            return await self._fetch(request)
        except UnknownPartyError as error:
            return Response(str(error.args[0]), status=404)
        except tasks.HOOK_FAILURES as error:
            return failed(error, f"the way to {request.url}")

    async def scheduled(self, controller: Any, env: Any = None, ctx: Any = None) -> None:
        definition = controller.cron
        names = self._project.cron_names(definition)
        if not names:
            raise LookupError(
                f"the schedule {definition!r} of the wrangler config has no name; give it one with "
                f"partykit.entrypoint(crons=...), which knows: {self._project.crons}"
            )
        lobby = CronLobby(self._project, self.env)
        hook = _static_hook(self._project.main, "on_cron")
        for name in names:
            result = hook(Cron(name, definition, int(controller.scheduledTime)), lobby, self.ctx)
            if isawaitable(result):
                await result

    async def _route(self, request: Request, url: PartyUrl) -> Response:
        party = self._project.party_name(url.party)
        binding, namespace = self._project.binding(self.env, party)
        return await route_to_room(
            request.js_object,
            CoreLobby(party, binding, url.room),
            namespace,
            on_before_connect=self._before("on_before_connect", party),
            on_before_request=self._before("on_before_request", party),
        )

    def _before(self, name: str, party: str) -> Callable[[Request, CoreLobby], Any] | None:
        cls = self._project.parties[party]
        if name not in cls._arguments:
            return None
        hook = _static_hook(cls, name)

        def before(request: Request, lobby: CoreLobby) -> Any:
            return hook(request, Lobby(self._project, self.env, lobby.name), self.ctx)

        return before

    async def _fetch(self, request: Request) -> Response:
        response = None
        if "on_fetch" in self._project.main._arguments:
            lobby = FetchLobby(self._project, self.env)
            response = _static_hook(self._project.main, "on_fetch")(request, lobby, self.ctx)
            if isawaitable(response):
                response = await response
        if response is None:
            return Response("Not found", status=404)
        if not hasattr(response, "js_object"):
            raise TypeError(
                f"on_fetch must return a workers.Response, not {type(response).__name__}"
            )
        return response  # type: ignore[no-any-return]

    def _open_socket(self, request: Request) -> Response:
        client, server = runtime.socket_pair()
        socket = FetchSocket(server, request)
        lobby = FetchLobby(self._project, self.env)

        async def work() -> None:
            try:
                result = _static_hook(self._project.main, "on_socket")(socket, lobby, self.ctx)
                if isawaitable(result):
                    await result
            except tasks.HOOK_FAILURES as error:
                failures.mark(error, f"in on_socket for {request.url}")
                runtime.log_error(failures.traceback_text(error))
                if socket.is_open:
                    server.close(INTERNAL_ERROR, failures.PUBLIC_MESSAGE)

        task = tasks.run(work())
        if not task.done():
            # It may go on for as long as the socket is open.
            self.ctx.waitUntil(runtime.promise_of(task))
        return switching_protocols(request, client)


def match_url(url: str) -> PartyUrl | None:
    """The party and the id that a URL names, exactly as they stand there."""
    match [part for part in path_of(url).split("/") if part]:
        case ["party", room, *_]:
            return PartyUrl(MAIN, room)
        case ["parties", party, room, *_]:
            return PartyUrl(party, room)
    return None


def _static_hook(cls: type[Server], name: str) -> Callable[..., Any]:
    return taking(getattr(cls, name), cls._arguments[name], len(STATIC_HOOKS[name]))
