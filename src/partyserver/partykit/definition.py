"""What is known of a party's class from when it was created."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import reserved
from ..rules.options import ServerOptions

if TYPE_CHECKING:
    from .host import Host
    from .project import Project


@dataclass(slots=True)
class Definition:
    """Of one class."""

    #: As the class itself gives them, for its subclasses.
    own_options: Any
    #: Merged along the bases.
    options: ServerOptions
    #: The hooks that the class has, and how many arguments each takes.
    arguments: dict[str, int]
    #: The Durable Object behind its rooms.
    host: type[Host] | None
    #: Set by `entrypoint`.
    project: Project | None = None


def definition_of(party: Any) -> Definition | None:
    """That of a subclass of `partykit.Server`; None for anything else."""
    known = getattr(party, reserved.NAME, None)
    definition = known.definition if isinstance(known, reserved.Reserved) else None
    return definition if isinstance(definition, Definition) else None


def arguments_of(party: type) -> dict[str, int]:
    definition = definition_of(party)
    return {} if definition is None else definition.arguments


def project_of(party: type) -> Project | None:
    """The project that a class, or failing that a base of it, was given to."""
    projects = (definition_of(base) for base in party.__mro__)
    return next((known.project for known in projects if known and known.project), None)
