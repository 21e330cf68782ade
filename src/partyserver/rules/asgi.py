"""Where an ASGI app finds the platform's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The key in the app's scope.
REQUEST = "partyserver.request"


def request_behind(request: Any) -> Any:
    """The platform's request of a framework's, or of an ASGI scope; any other is one itself."""
    scope = request if isinstance(request, Mapping) else getattr(request, "scope", None)
    if not isinstance(scope, Mapping):
        return request
    if REQUEST not in scope:
        raise TypeError(
            f"this {type(request).__name__} has not come by partyserver.asgi, whose entrypoint() "
            "and respond() tell an app of the platform's request"
        )
    return scope[REQUEST]
