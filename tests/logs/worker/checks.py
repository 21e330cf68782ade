"""What can only be asked inside of the runtime: each check returns JSON for its test."""

import logging
import logging.config
import sys
from contextlib import contextmanager
from io import StringIO
from types import SimpleNamespace
from typing import Any, cast

from partyserver import logs

module: Any = logs


@contextmanager
def as_it_was():
    """Whatever is done to the root logger is undone."""
    root = logging.getLogger()
    handlers, level, take = root.handlers, root.level, module._take_variables
    root.handlers = list(handlers)
    try:
        yield root
    finally:
        root.handlers = handlers
        root.setLevel(level)
        module._take_variables = take
        logs.enable()


def check_levels():
    """What `enable` makes of a level, where no variable says another."""
    found: list[Any] = []
    with as_it_was() as root:
        module._take_variables = lambda env: None
        for level in ("warning", " Error ", logging.DEBUG, 25, "loud", 1.5):
            try:
                logs.enable(cast(Any, level))
                found.append(root.level)
            except (TypeError, ValueError) as error:
                found.append(type(error).__name__)
        logs.enable()
        found.append(root.level)
    return found


def check_handlers():
    """Whose handlers stay: those that write elsewhere."""
    with as_it_was() as root:
        ours = list(root.handlers)
        elsewhere = logging.StreamHandler(StringIO())
        root.handlers = [
            logging.StreamHandler(),
            type("Colourful", (logging.StreamHandler,), {})(sys.stdout),
            elsewhere,
            logging.NullHandler(),
        ]
        logs.enable()
        logs.enable(json=True)
        names = [type(handler).__name__ for handler in root.handlers]
        return [len(ours), names, root.handlers[0] is elsewhere]


def check_variables():
    """What the variables make of the level and the form; what is wrong leaves them."""
    found = {}
    with as_it_was() as root:
        for level, form in [
            (None, None),
            ("debug", "json"),
            (" WARNING", "text"),
            ("loud", "json"),
            ("error", "xml"),
        ]:
            given = {"PARTYSERVER_LOG_LEVEL": level, "PARTYSERVER_LOG_FORMAT": form}
            env = SimpleNamespace(**{name: value for name, value in given.items() if value})
            root.setLevel(logging.INFO)
            module._handler.json = False
            module._take_variables(env)
            found[f"{level} {form}"] = [root.level, module._handler.json]
    return found


class Talkative:
    """Logs when it is asked for its text."""

    def __init__(self):
        self.asked = 0

    def __str__(self):
        self.asked += 1
        logging.info("asked %s", self)
        return "talkative"


def check_recursion():
    one = Talkative()
    logging.info("%s", one)
    logging.info("after it")
    return one.asked


class Unspeakable:
    def __str__(self):
        raise ValueError("no text")

    __repr__ = __str__


def check_strange():
    """Records that are hard to tell."""
    circular: dict[str, Any] = {}
    circular["itself"] = circular
    extra = {
        "circular": circular,
        "nan": float("nan"),
        "bytes": b"\0",
        "half": "\ud800",
        "unspeakable": Unspeakable(),
        "script": sys,
        "room": "forged",
    }
    logging.info("strange", extra=extra)
    logging.info("%d", "no number")
    logging.info("%s", Unspeakable())
    logging.exception("no exception")
    return "lived"


class Failing(logging.Formatter):
    def format(self, record):
        raise RuntimeError("the formatter fails")


def check_own_handlers():
    """Handlers of a user's own: one that fails, one with a formatter, one by a configuration."""
    with as_it_was() as root:
        failing, formatted = logs.ConsoleHandler(), logs.ConsoleHandler(logging.WARNING)
        failing.setFormatter(Failing())
        formatted.setFormatter(logging.Formatter("own %(levelname)s %(message)s"))
        root.handlers = [failing]
        logging.info("lost")
        root.handlers = [formatted]
        logging.info("too low")
        logging.warning("formatted")
        logging.config.dictConfig(
            {
                "version": 1,
                "handlers": {"x": {"class": "partyserver.logs.ConsoleHandler", "json": True}},
                "root": {"level": "INFO", "handlers": ["x"]},
                "disable_existing_loggers": False,
            }
        )
        logging.info("configured")
    return "lived"
