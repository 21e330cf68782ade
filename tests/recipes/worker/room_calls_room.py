from typing import Annotated, Any, ClassVar, Protocol

from partyserver import (
    ClientError,
    Connection,
    Lobby,
    Server,
    get_server_by_name,
    route_partykit_request,
)
from partyserver.events import Event, Events, Meta, on
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    Order: Any
    Stock: Any


Short = Annotated[str, Meta(min_length=1, max_length=100)]


class Take(Event):  # {"type": "take", "item": "chair", "key": "a text of the page's own"}
    item: Short
    key: Short


class Taken(Event):
    item: str
    left: int | None


class Order(Events, Server[Env]):
    options = {"hibernate": True}
    sends: ClassVar = (Taken,)

    @on
    async def take(self, connection: Connection, event: Take) -> None:
        stock = await get_server_by_name(self.env.Stock, "main")
        left = await stock.take(f"{self.name}/{event.key}", event.item)  # over RPC
        self.emit(Taken(event.item, left), to=connection)


class Stock(Server[Env]):
    """Its public methods are what other rooms may call. No client gets here: see `only_orders`."""

    migrations = [
        "create table stock (item text primary key, count integer)",
        "create table taken (key text primary key, count_left integer)",
    ]

    def add(self, item: str, count: int) -> None:
        query = "insert into stock values (?, ?) on conflict do update set count = count + ?"
        self.sql(query, item, count, count)

    def take(self, key: str, item: str) -> int | None:
        """How many are left; None if there was none. A key takes one, however often it comes."""
        done = self.sql_value("select count_left from taken where key = ?", key)
        if done is not None:
            return int(done)
        query = "update stock set count = count - 1 where item = ? and count > 0 returning count"
        left: int | None = self.sql_value(query, item)
        if left is not None:
            self.sql("insert into taken values (?, ?)", key, left)
        return left


def only_orders(request: Request, lobby: Lobby) -> None:
    if lobby.party != "order":
        raise ClientError("there is no such room", status=404)


class Default(WorkerEntrypoint):
    env: Env

    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(
            request, self.env, on_before_connect=only_orders, on_before_request=only_orders
        )
        return answer or Response("Not Found", status=404)
