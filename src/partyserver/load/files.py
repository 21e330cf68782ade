"""How many sockets a process may have open."""

from __future__ import annotations

from typing import Any

from .errors import LoadError

#: What a process has open beside its connections, with some to spare.
OTHERS = 64


def allow(connections: int, resource: Any) -> None:
    """Raise the process's limit of open files, as far as it may, if so many need it.

    Args:
        resource: Python's module of that name, or None, as on Windows.

    Raises:
        LoadError: the limit stays too low.
    """
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OTHERS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LoadError(
            f"{connections} connections need {needed} open files, and this process may have "
            f"{hard}: raise the hard limit (`ulimit -Hn {needed}` as root), or run several "
            "processes with fewer connections each"
        )
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    except (OSError, ValueError) as error:
        raise LoadError(
            f"{connections} connections need {needed} open files, and the limit of {soft} cannot "
            f"be raised ({error}): run `ulimit -n {needed}` before"
        ) from None
