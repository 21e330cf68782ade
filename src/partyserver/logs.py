"""Lines of the log that say where they come from: the room, the connection, the error id.

import logging
from partyserver import Server, logs

logs.enable()


class Chat(Server):
    def on_message(self, connection, message):
        logging.info("%d characters", len(message))  # [Chat:lobby alice] 5 characters
"""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from . import attribution
from .reporting import reported_error_id
from .rules import failures, logs
from .runtime import console, platform
from .runtime.io_context import current as current_io_context

__all__ = ["ConsoleHandler", "enable", "fields"]

#: Variables of the wrangler config, each of which counts for more than what the code says.
LEVEL_VARIABLE = "PARTYSERVER_LOG_LEVEL"
FORMAT_VARIABLE = "PARTYSERVER_LOG_FORMAT"

_FORMATS = ("json", "text")

#: The library's own lines.
_LOGGER = "partyserver"

attribution.want()


def enable(level: int | str = logging.INFO, *, json: bool = False) -> None:
    """Have `logging` write each line with where it comes from, and the library's own lines, too.

        logs.enable()                                # [Chat:lobby alice] 5 characters
        logs.enable(json=True)                       # {"time":"...","level":"INFO",...}
        logs.enable("debug")

    Call it once, where the worker's main module is imported. A further call changes the level and
    the form. It gives the root logger that level, and a `ConsoleHandler`, in the place of handlers
    of its own that write to stderr or stdout; others stay.

    Args:
        level: of the root logger, as `logging` has it: a number, or a name in any case. Other
            loggers may have levels of their own.
        json: one object in each line, for Workers Logs and Logpush, and not text.

    Two variables of the wrangler config, if they are set, count for more, without a release:
    `PARTYSERVER_LOG_LEVEL`, the name of a level, and `PARTYSERVER_LOG_FORMAT`, "json" or "text".

    Raises:
        ValueError: there is no such level.
        TypeError: the level is neither a number nor a name.
    """
    root = logging.getLogger()
    root.setLevel(level.strip().upper() if isinstance(level, str) else level)
    _handler.json = json
    for handler in list(root.handlers):
        if isinstance(handler, logging.StreamHandler) and console.is_written_by(handler):
            root.removeHandler(handler)
    root.addHandler(_handler)  # once
    platform.log_by(_log)
    platform.read_variables(_take_variables)


def fields() -> dict[str, str]:
    """Where the code that calls this runs, for formatters and log libraries of your own.

        structlog.configure(processors=[lambda logger, name, event: event | logs.fields(), ...])

    Keys are `class` and `room` in an event of a room and in the tasks that it starts, `connection`
    if the event is one of a connection's, and `error_id` where `on_exception` runs. What is not
    known is left out: `room`, of an object without a name.
    """
    found: dict[str, str] = {}
    io_context = current_io_context.get()
    life: Any = None if io_context is None or io_context.owner is None else io_context.owner()
    if life is not None:
        found["class"] = type(life.server).__name__
        if life.name.value is not None:
            found["room"] = life.name.value
        connection = attribution.current.get()
        if connection is not None and connection.registry is life.connections:
            found["connection"] = connection.id
    error_id = reported_error_id()
    if error_id is not None:
        found["error_id"] = error_id
    return found


#: Set while a record is written: what is logged by that itself is left out, or it would never end.
_is_writing: ContextVar[bool] = ContextVar("is_writing", default=False)


class ConsoleHandler(logging.Handler):
    """Writes each record to JavaScript's console, with its level and where it comes from.

    `enable()` makes one. For a configuration of your own:

        logging.config.dictConfig({
            "version": 1,
            "handlers": {"console": {"class": "partyserver.logs.ConsoleHandler", "json": True}},
            "root": {"level": "INFO", "handlers": ["console"]},
        })

    A formatter that it is given makes the whole line; it finds what `fields()` has by itself.

    Args:
        level: records below it are left out.
        json: one object in each line, and not text.
    """

    def __init__(self, level: int | str = logging.NOTSET, *, json: bool = False) -> None:
        super().__init__(level)
        self.json = json

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. It raises nothing: what fails is told as `logging` tells it."""
        if _is_writing.get():
            return
        writing = _is_writing.set(True)
        try:
            console.write(record.levelno, self.format(record))
        except Exception:
            with suppress(Exception):
                self.handleError(record)
        finally:
            _is_writing.reset(writing)

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        if self.formatter is not None:
            return self.formatter.format(record)
        where = fields()
        error_id = logs.error_id_of(record)
        if error_id is not None:
            where["error_id"] = error_id
        return logs.as_json(record, where) if self.json else logs.as_text(record, where)


_handler = ConsoleHandler()


def _log(level: int, text: str, error: BaseException | None) -> None:
    """The library's own line: by the handler itself, since it must not get lost with a logger."""
    logger = logging.getLogger(_LOGGER)
    if level < logger.getEffectiveLevel():
        return
    if error is None:
        exc_info = None
    else:
        text = text or failures.summary(error)
        exc_info = (type(error), error, error.__traceback__)
    _handler.handle(logger.makeRecord(_LOGGER, level, "", 0, text, (), exc_info))


def _take_variables(env: Any) -> None:
    level, form = getattr(env, LEVEL_VARIABLE, None), getattr(env, FORMAT_VARIABLE, None)
    if level is not None:
        try:
            logging.getLogger().setLevel(str(level).strip().upper())
        except ValueError:
            platform.log_error(f"{LEVEL_VARIABLE} is no level of logging's, such as debug or info")
    if form is not None:
        if form in _FORMATS:
            _handler.json = form == "json"
        else:  # what it is, is not said here: it may be a secret
            platform.log_error(f'{FORMAT_VARIABLE} is neither "json" nor "text"')
