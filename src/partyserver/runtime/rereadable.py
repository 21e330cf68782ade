"""A request that may be read and still be sent on."""

from __future__ import annotations

import asyncio
from typing import Any

import workers
from pyodide.ffi import JsProxy

from . import requests


class Request(workers.Request):
    """What a hook before a room is given: whoever reads its body leaves it to the room.

    The first read has it in memory, for all others and for the room. A body that nobody reads
    streams to the room.
    """

    def __init__(self, request: JsProxy) -> None:
        super().__init__(request)
        self._content: Any = None
        self._lock = asyncio.Lock()

    # The platform's own copies are no way to do it: to the readers of both, a chunked body that
    # breaks off looks whole (workerd 1.20261117.1). `body` and `clone()` are such copies.

    @property
    def body(self) -> Any:
        return self.clone().body

    async def _copy(self) -> workers.Request:
        """This request with a body of its own, which may be read once."""
        async with self._lock:
            request = self.js_object
            # A GET may have a body, too, but none can be made.
            has_body = requests.has_body(request) and request.method not in ("GET", "HEAD")
            if self._content is None and has_body:
                self._content = await super().buffer()
                self._js_request = requests.with_body(request, self._content)
        if self._content is None:
            return self.clone()
        return workers.Request(requests.with_body(self.js_object, self._content))

    async def buffer(self) -> Any:
        return await (await self._copy()).buffer()

    async def form_data(self) -> Any:
        return await (await self._copy()).form_data()

    async def blob(self) -> Any:
        return await (await self._copy()).blob()

    async def text(self) -> str:
        return await (await self._copy()).text()
