"""What a function may be called with, whatever its annotations are."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def signature_of(
    function: Callable[..., Any], *, follow_wrapped: bool = False
) -> inspect.Signature:
    """The signature of a function itself, or of the one that it wraps.

    Since Python 3.14 annotations are read when they are asked for, and these may name what is there
    for type checkers only, as what is imported under `TYPE_CHECKING`.
    """
    return inspect.signature(function, follow_wrapped=follow_wrapped, **_UNREAD)


_UNREAD: dict[str, Any] = (
    {"annotation_format": import_module("annotationlib").Format.STRING}
    if sys.version_info >= (3, 14)
    else {}
)
