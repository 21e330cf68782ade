"""Names that the packages do not have: type checkers refuse them."""

from partyserver import Nonsense  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from partyserver.asgi import Never  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
from partyserver.testing import Nothing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

__all__ = ["Never", "Nonsense", "Nothing"]
