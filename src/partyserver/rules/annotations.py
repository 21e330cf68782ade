"""Annotations as far as they can be read while a worker is imported, or runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import FunctionType
from typing import Any, ForwardRef


def annotations_of(owner: Any) -> Mapping[str, Any]:
    """Those of a function of Python's, or of a class without its bases; none of anything else."""
    if not isinstance(owner, FunctionType | type):
        return {}
    found: Mapping[str, Any] = _library.get_annotations(owner, **_UNREAD)
    return found


#: Since Python 3.14 annotations are read when they are asked for, and may name what is not there.
_library = import_module("annotationlib" if sys.version_info >= (3, 14) else "inspect")
_UNREAD: dict[str, Any] = (
    {"format": _library.Format.FORWARDREF} if sys.version_info >= (3, 14) else {}
)


def evaluated(annotation: Any, owner: Any, *scopes: Mapping[str, Any]) -> Any:
    """The annotation if it is a text, or a reference: what it names there, or in the module.

    `owner` is the function that has it, or the class. Raises `NameError` for a name that is not
    there, and what else the text raises.
    """
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if not isinstance(annotation, str):
        return annotation
    known: dict[str, Any] = {}
    for scope in scopes:
        known.update(scope)
    if isinstance(owner, type):
        module = sys.modules.get(owner.__module__)
        return eval(annotation, {} if module is None else vars(module), {**known, **vars(owner)})
    names = dict(zip(owner.__code__.co_freevars, owner.__closure__ or (), strict=True))
    known.update((name, cell.cell_contents) for name, cell in names.items() if _is_full(cell))
    return eval(annotation, owner.__globals__, known)


def _is_full(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
