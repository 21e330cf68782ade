import room_calls_room
from partyserver import get_server_by_name
from room_calls_room import Order, Stock
from workers import Request, Response

__all__ = ["Default", "Order", "Stock"]


class Default(room_calls_room.Default):
    async def fetch(self, request: Request) -> Response:
        if request.url.endswith("/test/add_to_stock"):
            stock = await get_server_by_name(self.env.Stock, "main")
            await stock.add(*await request.json())
            return Response("done")
        return await super().fetch(request)
