"""What can go wrong beyond the library's own errors, of which these are a kind."""

from __future__ import annotations

from ..errors import PartyServerError


class MissingBindingError(PartyServerError, LookupError):
    """The wrangler config lacks a binding. The message names it, and where to add it."""


class UnknownPartyError(PartyServerError, AttributeError, LookupError):
    """`partykit.entrypoint` was not told of a party with this name."""


class StorageLimitError(PartyServerError, ValueError):
    """A key or a value is over the platform's limit.

    Attributes:
        key: the key, or the beginning of it.
        limit: in bytes:
            https://developers.cloudflare.com/durable-objects/platform/limits/
    """

    def __init__(self, what: str, key: str, limit: int) -> None:
        self.key: str = key[:100]
        self.limit = limit
        super().__init__(f"{what} {self.key!r} is over the platform's limit of {limit} bytes")
