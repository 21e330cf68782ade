"""A PartyKit project: its parties and crons, as `partykit.json` listed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..routing import server_bindings
from ..rules.names import kebab_case
from .definition import definition_of
from .errors import MissingBindingError, UnknownPartyError

if TYPE_CHECKING:
    from .server import Server

MAIN = "main"
#: Minute, hour, day of the month, month, day of the week.
CRON_FIELDS = 5


class Project:
    """Which class a party's name stands for, and which names a schedule has."""

    def __init__(
        self,
        main: type[Server],
        parties: Mapping[str, type[Server]],
        crons: Mapping[str, str],
    ) -> None:
        self.main = main
        self.parties: dict[str, type[Server]] = {MAIN: main, **parties}
        self.crons: dict[str, str] = {
            name: _spaced_once(definition) for name, definition in crons.items()
        }
        for name, party in self.parties.items():
            _check_party(name, party)
        if self.parties[MAIN] is not main:
            raise ValueError(f"the party {MAIN!r} is {main.__name__}, and no other")
        for name, definition in self.crons.items():
            if len(definition.split(" ")) != CRON_FIELDS:
                raise ValueError(
                    f"the cron {name!r} has the definition {definition!r}, which is no cron "
                    "expression of five fields, such as '*/5 * * * *'"
                )

    def party_name(self, asked: str) -> str:
        """The name of a party as the project spells it; attributes have `_` for `-`."""
        for name in (asked, asked.lower(), asked.replace("_", "-")):
            if name in self.parties:
                return name
        raise UnknownPartyError(
            f"there is no party {asked!r}; partykit.entrypoint was given: {', '.join(self.parties)}"
        )

    def binding(self, env: Any, party: str) -> tuple[str, Any]:
        """The name and the raw namespace of the binding that holds a party's rooms.

        At run time a binding does not tell its class, so their names must agree: the binding is
        called like the class or, failing that, like the party (both compared in kebab-case).
        """
        cls = self.parties[party]
        bindings = server_bindings(env)
        for name in (kebab_case(cls.__name__), kebab_case(party)):
            if name in bindings:
                return bindings[name]
        raise MissingBindingError(
            f"no Durable Object binding is called {cls.__name__!r} (the class of the party "
            f"{party!r}) or {party!r}; the bindings are: "
            f"{', '.join(binding for binding, _ in bindings.values()) or 'none'}. Add "
            f'{{ name = "{cls.__name__}", class_name = "{cls.__name__}" }} to '
            "durable_objects.bindings in the wrangler config"
        )

    def cron_names(self, definition: str) -> list[str]:
        """The names of a schedule: none, or one or several."""
        wanted = _spaced_once(definition)
        return [name for name, known in self.crons.items() if known == wanted]


def _check_party(name: str, party: Any) -> None:
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"a party's name is a path segment such as 'chat', not {name!r}")
    if not isinstance(party, type) or definition_of(party) is None:
        raise TypeError(f"the party {name!r} must be a subclass of partykit.Server, not {party!r}")


def _spaced_once(definition: str) -> str:
    return " ".join(definition.split())
