"""User code that ends and returns in the ways that Python has, wherever the library calls it."""

import asyncio
import sys
from typing import Any

#: What has been acted, by the name that it was given. Of the isolate: what ends it, ends these.
NOTES = {}


class Later:
    """An awaitable that is no coroutine."""

    def __init__(self, coroutine):
        self.coroutine = coroutine

    def __await__(self):
        return self.coroutine.__await__()


class Itself:
    """An awaitable that gives itself, as a connection to a database does."""

    def __init__(self, name):
        self.name = name

    def __await__(self):
        return self.connect().__await__()

    async def connect(self):
        await in_one_step(self.name, None)
        return self


def act(how, name, value: Any = None) -> Any:
    """Act as `how` says; `value` is what comes of it, at once or at last."""
    note(name, "began")
    match how:
        case "exit":
            sys.exit("acted")
        case "exit_later":
            return exit_later()
        case "cancelled":
            return await_cancelled_task()
        case "coroutine":
            return in_two_steps(name, value)
        case "awaitable":
            return Later(in_one_step(name, value))
        case "itself":
            return Itself(name)
    return value


def note(name, what):
    NOTES.setdefault(name, []).append(what)


async def exit_later():
    await asyncio.sleep(0)
    sys.exit("acted")


async def await_cancelled_task():
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


async def in_two_steps(name, value):
    """A coroutine that gives another one."""
    await asyncio.sleep(0)
    return in_one_step(name, value)


async def in_one_step(name, value):
    await asyncio.sleep(0)
    note(name, "done")
    return value
