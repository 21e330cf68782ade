from partyserver import Connection, ConnectionContext, Server
from partyserver.asgi import entrypoint
from website import app


class Chat(Server):
    options = {"hibernate": True}

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        connection.send(f"welcome to {self.name}")

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        self.broadcast(message, exclude=[connection.id])

    def announce(self, text: str) -> int:
        """Tell all, and how many that were. The app calls it, over RPC."""
        self.broadcast(text)
        return len(list(self.get_connections()))


# /parties/:party/:room goes to rooms, everything else to the app.
Default = entrypoint(app)
