# The part of https://pyodide.org/en/stable/usage/api/python-api/code.html that is in use.
from collections.abc import Callable
from typing import Any

def relaxed_call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any: ...
