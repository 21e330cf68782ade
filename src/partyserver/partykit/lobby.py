"""What a room, or a hook before there is one, can reach of its project."""

from __future__ import annotations

from typing import Any

from ..rules.lobby import Lobby as CoreLobby
from ..rules.names import kebab_case
from ..rules.query import Query
from ..runtime import values
from .errors import MissingBindingError
from .parties import Parties
from .project import Project


class Context:
    """The project around a room: `room.context`."""

    def __init__(self, project: Project, env: Any) -> None:
        self._env = env
        self._project = project

    @property
    def parties(self) -> Parties:
        """The project's parties: `parties.other.get("id")` is a room of the party `other`."""
        return Parties(self._project, self._env)

    @property
    def ai(self) -> Any:
        """The Workers AI binding.

        Raises:
            MissingBindingError: the wrangler config has none that is called `AI`.
        """
        return _binding(self._env, "AI", "no AI binding", '[ai] binding = "AI"')

    @property
    def vectorize(self) -> Vectorize:
        """The Vectorize indexes: `vectorize.my_index` is the binding of that name."""
        return Vectorize(self._env)


class FetchLobby(Context):
    """The project, for `on_fetch` and `on_socket`."""

    @property
    def env(self) -> Any:
        """The worker's bindings and variables: `lobby.env.API_KEY`."""
        return self._env


class CronLobby(FetchLobby):
    """The project, for `on_cron`."""


class Lobby(FetchLobby):
    """The project and the room's id, for `on_before_connect` and `on_before_request`."""

    def __init__(self, project: Project, env: Any, lobby: CoreLobby) -> None:
        super().__init__(project, env)
        self.id: str = lobby.name
        """The id of the room that the request is for."""
        self._lobby: CoreLobby = lobby

    @property
    def query(self) -> Query:
        """The query of the request's URL, as a mapping: `lobby.query.get("token")`."""
        return self._lobby.query

    @property
    def path(self) -> str:
        """What follows the room in the request's URL, decoded, and without a slash before it."""
        return self._lobby.path


class Vectorize:
    """The Vectorize indexes of a project, by the names of their bindings."""

    def __init__(self, env: Any) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Any:
        add = f'[[vectorize]] binding = "{name}", index_name = "..."'
        return _binding(self._env, name, f"no Vectorize index {name!r}", add)


def _binding(env: Any, name: str, missing: str, add: str) -> Any:
    """The binding with this name, however it is cased."""
    wanted = kebab_case(name)
    for binding, _ in values.entries(getattr(env, "_env", env)):
        if kebab_case(binding) == wanted:
            return getattr(env, binding)
    raise MissingBindingError(f"the worker has {missing}; add {add} to the wrangler config")
