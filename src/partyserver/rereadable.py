"""A request that may be read and still be sent on."""

from __future__ import annotations

from typing import Any

import workers


class Request(workers.Request):
    """What a hook before a room is given: whoever reads its body leaves it to the room.

    Each read is of a copy, which the platform makes while it is read: a body that no hook reads is
    kept nowhere, and one that is read is kept in memory until the room has it, too.
    """

    @property
    def body(self) -> Any:
        return self.clone().body

    async def buffer(self) -> Any:
        return await self.clone().buffer()

    async def form_data(self) -> Any:
        return await self.clone().form_data()

    async def blob(self) -> Any:
        return await self.clone().blob()

    async def text(self) -> str:
        return await self.clone().text()
