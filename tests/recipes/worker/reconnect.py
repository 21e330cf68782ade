from datetime import timedelta

from partyserver import Connection, Server, route_partykit_request
from partyserver.history import History, HistoryOptions
from workers import Request, Response, WorkerEntrypoint


class Feed(History, Server):
    options = {"hibernate": True, "max_message_size": 4096}
    history_options = HistoryOptions(max_events=500, max_age=timedelta(hours=12))

    def on_message(self, connection: Connection, message: str | bytes) -> None:
        if isinstance(message, str):
            self.publish({"text": message})  # numbered, stored, and sent to everybody


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
