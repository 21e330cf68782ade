"""Apps with a lifespan of their own."""

import asyncio

STARTS = {"failing": 0, "slow": 0}


async def answer(send, text):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})


class Failing:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            STARTS["failing"] += 1
            await asyncio.sleep(0)
            if STARTS["failing"] % 2:
                await send({"type": "lifespan.startup.failed", "message": "no database"})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await answer(send, f"started {STARTS['failing']} times")


class Slow:
    __slots__ = ()  # takes no attributes

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            STARTS["slow"] += 1
            await asyncio.sleep(0.3)
            scope["state"]["ready"] = True
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await asyncio.sleep(0.01)
        await answer(send, f"started {STARTS['slow']} times, ready: {scope['state']['ready']}")


async def none(scope, receive, send):
    assert scope["type"] == "http"
    await answer(send, "no lifespan")


failing = Failing()
slow = Slow()
