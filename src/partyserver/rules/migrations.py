"""The statements that a class gives each of its rooms to run once, and which are still to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..errors import SQLError


class Migration(NamedTuple):
    """One statement of a class's."""

    #: The name of the class that lists it.
    owner: str
    #: Its place in that list, from 1 on.
    number: int
    statement: str
    #: Of the statement, whatever white space stands between its words.
    digest: str


class Plan(NamedTuple):
    """What a class and its bases list, those of the farthest base first."""

    #: The classes that have a list, which may be empty.
    owners: tuple[str, ...] = ()
    migrations: tuple[Migration, ...] = ()


NO_PLAN = Plan()

#: By the class's name and the number: the digest of what has run.
Recorded = Mapping[tuple[str, int], str]


def plan_of(cls: type, root: type) -> Plan:
    """What is listed in `migrations` of a class and of its bases, up to `root`.

    Raises `TypeError` for what is no list of statements, and for two classes of one name.
    """
    owners: list[str] = []
    found: list[Migration] = []
    for base in reversed(cls.__mro__):
        if base is root or "migrations" not in vars(base):
            continue
        name = base.__name__
        if name in owners:
            raise TypeError(
                f"{cls.__name__}: two of its classes that have migrations are called {name}, and "
                "rooms remember them by that name: rename one"
            )
        owners.append(name)
        found += _listed(name, vars(base)["migrations"])
    return Plan(tuple(owners), tuple(found)) if owners else NO_PLAN


def _listed(owner: str, listed: Any) -> Iterator[Migration]:
    if not isinstance(listed, list | tuple):
        raise TypeError(
            f"{owner}.migrations is a list of SQL statements, not {type(listed).__name__}: "
            'migrations = ["create table ...", ...]'
        )
    for number, statement in enumerate(listed, 1):
        if not isinstance(statement, str):
            raise TypeError(
                f"migration {number} of {owner} is a str, not {type(statement).__name__}"
            )
        if not _COMMENTS.sub("", statement).strip():
            raise TypeError(f"migration {number} of {owner} is empty, and SQL would refuse it")
        yield Migration(owner, number, statement, _digest(statement))


#: And the semicolons between statements.
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?(\*/|\Z)|;", re.DOTALL)


def _digest(statement: str) -> str:
    from hashlib import sha256  # for those who have migrations: it takes a while

    words = " ".join(statement.split())
    return sha256(words.encode(errors="surrogatepass")).hexdigest()[:16]


def to_run(plan: Plan, recorded: Recorded) -> list[Migration]:
    """Those of a plan that have not run yet, in their order.

    Raises `SQLError` for one that has run and is another now.
    """
    waiting = []
    for one in plan.migrations:
        digest = recorded.get((one.owner, one.number))
        if digest is None:
            waiting.append(one)
        elif digest != one.digest:
            raise SQLError(
                f"migration {one.number} of {one.owner} has changed since it ran in this room: "
                "leave it as it was, and add another one at the end",
                one.statement,
            )
    return waiting


def surplus(plan: Plan, recorded: Recorded) -> list[str]:
    """What the log is told of migrations that have run and are not listed any more."""
    listed = _highest((one.owner, one.number) for one in plan.migrations)
    warnings = []
    for owner, number in sorted(_highest(recorded).items()):
        if number <= listed.get(owner, 0):
            continue
        if owner in plan.owners:
            warnings.append(
                f"{number} migrations of {owner} have run, and it lists {listed.get(owner, 0)}: "
                "the tables are those of a newer version"
            )
        else:
            warnings.append(
                f"{number} migrations of a class called {owner} have run, and there is none among "
                "the bases now: if it was renamed, keep the list in a base of the old name"
            )
    return warnings


def _highest(numbers: Iterable[tuple[str, int]]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for owner, number in numbers:
        highest[owner] = max(number, highest.get(owner, 0))
    return highest
