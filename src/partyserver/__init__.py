"""partyserver: realtime servers on Cloudflare Workers, in Python.

The names below are the public API. Those of `_RUNTIME_NAMES` need Cloudflare's runtime and
are imported when they are first used, so that this package, and `partyserver.testing` with
it, can also be imported by an ordinary Python.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import (
    ClientError,
    ConnectionClosedError,
    PartyServerError,
    RequestRefusedError,
    ServerNameError,
    SQLError,
    StateTooLargeError,
    TransportError,
)
from .rules.lobby import Lobby
from .rules.messages import parse_json
from .rules.options import ServerOptions
from .rules.query import Query
from .rules.rate import RateLimit
from .rules.retry import RetryEvent, RoutingRetry

if TYPE_CHECKING:
    from .connection import Connection
    from .incoming import auth_of, path_of, query_of
    from .routing import get_server_by_name, route_partykit_request
    from .server import Server
    from .upgrade import ConnectionContext

__version__ = "0.2.0"

__all__ = [
    "ClientError",
    "Connection",
    "ConnectionClosedError",
    "ConnectionContext",
    "Lobby",
    "PartyServerError",
    "Query",
    "RateLimit",
    "RequestRefusedError",
    "RetryEvent",
    "RoutingRetry",
    "SQLError",
    "Server",
    "ServerNameError",
    "ServerOptions",
    "StateTooLargeError",
    "TransportError",
    "auth_of",
    "get_server_by_name",
    "parse_json",
    "path_of",
    "query_of",
    "route_partykit_request",
]

_RUNTIME_NAMES = {
    "Connection": "connection",
    "ConnectionContext": "upgrade",
    "Server": "server",
    "auth_of": "incoming",
    "get_server_by_name": "routing",
    "path_of": "incoming",
    "query_of": "incoming",
    "route_partykit_request": "routing",
}


def _missing(name: str) -> Exception:
    """An `ImportError` if there is more to say, since `from partyserver import` keeps its text."""
    if not name.startswith("_"):
        from .rules.advice import of_missing_name

        if told := of_missing_name(name, __all__):
            return ImportError(told, name=__name__)
    return AttributeError(f"module {__name__!r} has no attribute {name!r}")


if not TYPE_CHECKING:  # for checkers, the names above are all that there are

    def __getattr__(name: str) -> Any:
        if name not in _RUNTIME_NAMES:
            raise _missing(name)
        try:
            module = import_module(f".{_RUNTIME_NAMES[name]}", __name__)
        except ImportError as error:  # of a module, or of a name in the pyodide-py of workers-py
            if error.name not in (
                "js",
                "pyodide",
                "pyodide.ffi",
                "_cloudflare_compat_flags",
                "workers",
            ):
                raise
            raise ImportError(
                f"partyserver.{name} runs inside Cloudflare's runtime, and this is not it "
                f"({error}). Run the worker with `wrangler dev`, and test it with the "
                "pytest fixture `party` of partyserver.testing."
            ) from error
        value = globals()[name] = getattr(module, name)
        return value
