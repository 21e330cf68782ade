import d1
from d1 import Match
from workers import Request, Response

__all__ = ["Default", "Match"]


class Default(d1.Default):
    async def fetch(self, request: Request) -> Response:
        if request.url.endswith("/test/run_in_d1"):
            await self.env.DB.prepare(await request.text()).run()
            return Response("done")
        return await super().fetch(request)
