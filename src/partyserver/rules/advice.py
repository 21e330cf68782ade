"""What to say where the platform's own words do not tell what to do."""

from __future__ import annotations

from collections.abc import Iterable

from .contract import is_near


def of_missing_binding(name: str, known: Iterable[str]) -> str:
    """For a name that a worker's `env` has not. What it has is told by name, never by value."""
    names = sorted(known)
    near = [one for one in names if is_near(one.lower(), name.lower())]
    guess = f": did you mean {' or '.join(near)}?" if near else "."
    return (
        f"the worker has no variable, secret or binding {name}{guess} "
        f"It has {', '.join(names) or 'none at all'}. "
        f"A secret goes into .dev.vars ({name}=...) for wrangler dev and the tests, and to "
        f"Cloudflare by `npx wrangler secret put {name}`. A variable goes into [vars] of the "
        "wrangler config, and a binding into the section for its kind"
    )


def of_unawaited_call(name: str, file: str, line: int) -> str:
    """A name for a coroutine, which Python's "coroutine '...' was never awaited" tells.

    It stands in what is told of awaited ones, too, such as a task's failure: so it gives no advice.
    """
    return f"{name}() at {file}:{line}"


def of_no_response(handler: str, found: object) -> str:
    """For what a worker's `fetch` has returned in the place of a response."""
    if found is not None:
        return f"{handler} returned {type(found).__name__}, and not a Response"
    return (
        f"{handler} returned None, and not a Response: route_partykit_request gives None for a URL "
        "that is no party's, as in `return await route_partykit_request(request, self.env) or "
        'Response("Not Found", status=404)`'
    )


def of_unawaited_response(handler: str) -> str:
    return (
        f"{handler} returned a coroutine: write await before the call, as in "
        "`return await route_partykit_request(request, self.env)`"
    )


#: Public names of modules beside, which are looked for in the package itself.
ELSEWHERE = {
    "Agent": "agents",
    "Event": "events",
    "Events": "events",
    "History": "history",
    "HistoryOptions": "history",
    "Presence": "presence",
    "Retry": "schedule",
    "Schedule": "schedule",
    "Scheduled": "schedule",
    "YMixin": "yjs",
    "YServer": "yjs",
    "get_agent_by_name": "agents",
    "on": "events",
    "route_agent_request": "agents",
}


def of_missing_name(name: str, known: Iterable[str]) -> str | None:
    """For a name that the package has not, if it is that of a capability, or a known one in another
    spelling, such as TypeScript's."""
    if name in ELSEWHERE:
        module = f"partyserver.{ELSEWHERE[name]}"
        return f"partyserver has no {name}: write `from {module} import {name}`"
    if name == name.lower():  # it may be that of a module
        return None
    near = [one for one in known if _letters(one) == _letters(name)]
    return f"partyserver has no {name}: did you mean {near[0]}?" if near else None


def _letters(name: str) -> str:
    return name.replace("_", "").lower()
