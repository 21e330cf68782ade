# The part of https://pyodide.org/en/stable/usage/api/python-api/webloop.html that is in use.
import asyncio
from typing import Any

class PyodideFuture(asyncio.Future[Any]): ...
