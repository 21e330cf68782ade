# The globals of the JavaScript side; nothing is known about their types.
from typing import Any

def __getattr__(name: str) -> Any: ...
