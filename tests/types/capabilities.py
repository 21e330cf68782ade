"""Presence, history and logs, as users with strict type checkers have them."""

from datetime import timedelta
from typing import Any, assert_type

from partyserver import Connection, ConnectionContext, Server, logs
from partyserver.history import History, HistoryOptions
from partyserver.presence import Presence

# --- accepted -------------------------------------------------------------------------


class Board(Presence, History, Server):
    history_options = HistoryOptions(max_events=10, max_age=timedelta(hours=1))

    def on_connect(self, connection: Connection, ctx: ConnectionContext) -> None:
        self.track(connection, "ann", {"name": "Ann"})
        self.track(connection, "ann")
        self.untrack(connection)
        assert_type(self.present(), dict[str, list[Any]])
        assert_type(self.publish({"text": "hello"}, exclude=[connection, "ann"]), int)
        assert_type(self.read_events(since=1, limit=5), list[tuple[int, Any]])

    def on_join(self, key: str, meta: Any) -> None: ...

    async def on_leave(self, key: str) -> None: ...


class Named(History, Presence, Server):
    history_options = HistoryOptions(5, None)

    def on_join(self, key: str, meta: dict[str, str]) -> None: ...


logs.enable("debug", json=True)
logs.enable(10)
assert_type(logs.fields(), dict[str, str])
logs.ConsoleHandler("INFO", json=True).setLevel("DEBUG")


# --- refused --------------------------------------------------------------------------


class WrongHooks(Presence, Server):
    def on_leave(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, key: str, meta: Any
    ) -> None: ...


class WrongOptions(History, Server):
    history_options = 5  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]


def misuse(board: Board, connection: Connection) -> None:
    board.track("ann", connection)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    board.track(connection)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    board.publish("", exclude=[1])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    logs.enable(1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    logs.enable("debug", True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    HistoryOptions(max_age=60)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
