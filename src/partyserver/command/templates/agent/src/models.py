"""What answers: an API with OpenAI's chat completions, or without a key a small model of its own.

Both take messages and tools in that API's form, and give pieces of text, and then the tools that
they want called.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from http import HTTPMethod
from typing import Any

import workers
from msgspec import MsgspecError, Struct, convert
from partyserver import ClientError, parse_json
from pyodide.ffi import JsException

Messages = list[dict[str, Any]]

#: Of one event of the API's stream, in bytes.
MOST_OF_AN_EVENT = 1_000_000
#: Tools that one answer may call at once.
MOST_CALLS = 8
#: Characters of the arguments of one.
LONGEST_ARGUMENTS = 10_000

FAILED = "The model cannot be reached, or has failed. Ask again."
TOLD = {
    401: "The model refuses this assistant's key.",
    403: "The model refuses this assistant's key.",
    429: "The model has too much to do. Ask again in a minute.",
}


class Call(Struct):
    """A tool that the model wants called, with arguments in JSON as it has written them."""

    id: str = ""
    name: str = ""
    arguments: str = ""


def answer(env: Any, messages: Messages, tools: list[Any]) -> AsyncGenerator[str | Call]:
    """
    Raises:
        ClientError: it has failed. The text says nothing that the user may not know.
    """
    key: str = getattr(env, "OPENAI_API_KEY", "")
    return complete(env, key, messages, tools) if key else improvise(messages)


# ---- The API


class Function(Struct, frozen=True):
    name: str | None = None
    arguments: str | None = None


class PartOfCall(Struct):
    index: int = 0
    id: str | None = None
    function: Function = Function()


class Delta(Struct, frozen=True):
    content: str | None = None
    tool_calls: list[PartOfCall] | None = None


class Choice(Struct):
    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(Struct):
    choices: list[Choice] = []


async def complete(
    env: Any, key: str, messages: Messages, tools: list[Any]
) -> AsyncGenerator[str | Call]:
    asked = {"model": env.OPENAI_MODEL, "messages": messages, "tools": tools, "stream": True}
    is_whole = False
    calls: dict[int, Call] = {}
    try:
        response = await workers.fetch(
            f"{env.OPENAI_BASE_URL}/chat/completions",
            method=HTTPMethod.POST,
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            body=json.dumps(asked),
            redirect="manual",  # the key goes nowhere else
        )
        if response.status != 200:
            # Not the body, which may quote the key.
            logging.warning("the model's API has answered with status %d", response.status)
            raise ClientError(TOLD.get(response.status, FAILED))
        async with aclosing(events(response.body)) as stream:
            async for data in stream:
                if data == "[DONE]":
                    is_whole = True
                    break
                for choice in convert(parse_json(data), Chunk).choices[:1]:
                    if choice.delta.content:
                        yield choice.delta.content
                    for part in choice.delta.tool_calls or ():
                        add(part, calls)
                    is_whole = is_whole or choice.finish_reason is not None
    except (OSError, JsException, ValueError, MsgspecError) as error:
        logging.warning("the model's API has failed: %s", type(error).__name__)
        raise ClientError(FAILED) from None
    if not is_whole:
        logging.warning("the model's API has broken off")
        raise ClientError(FAILED)
    for call in calls.values():
        yield call


def add(part: PartOfCall, calls: dict[int, Call]) -> None:
    """Calls come in parts, as texts do."""
    if part.index not in calls and len(calls) == MOST_CALLS:
        raise ValueError("too many calls")
    call = calls.setdefault(part.index, Call())
    call.id = call.id or part.id or ""
    call.name = call.name or part.function.name or ""
    call.arguments += part.function.arguments or ""
    if len(call.arguments) > LONGEST_ARGUMENTS:
        raise ValueError("arguments without end")


async def events(body: Any) -> AsyncGenerator[str]:
    """The data of server-sent events, of which each is one line, however their bytes come in."""
    reader = body.getReader()
    rest = b""
    try:
        while not (part := await reader.read()).done:
            *lines, rest = (rest + part.value.to_bytes()).split(b"\n")
            if len(rest) > MOST_OF_AN_EVENT:
                raise ValueError("an event is too long")
            for line in lines:
                if line.startswith(b"data:"):
                    yield line.removeprefix(b"data:").decode().strip()
        if rest.startswith(b"data:"):  # the last line, without its end
            yield rest.removeprefix(b"data:").decode().strip()
    finally:
        with suppress(JsException):  # it has failed, or is at its end
            await reader.cancel()


# ---- The model without a key

REMIND = re.compile(r"remind me in (\d{1,9}) (second|minute|hour|day)s? to (.+)", re.I | re.S)
TIME = re.compile(r"\bwhat(?: is|.s)? (?:the )?(?:time|date)\b", re.I)
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}

HELP = """\
You said: “{text}”

I am a small model that needs no key, and I know two things. I can tell what time it is, and I can \
remind you: try “Remind me in 10 seconds to stretch”.

With a key of a real model I can do the rest."""


async def improvise(messages: Messages) -> AsyncGenerator[str | Call]:
    text: str = messages[-1]["content"]
    if messages[-1]["role"] == "user":
        if found := REMIND.search(text):
            seconds = int(found[1]) * SECONDS[found[2].lower()]
            wanted = {"seconds": seconds, "text": found[3].strip(" .!\n")}
            yield Call("call", "remind", json.dumps(wanted))
            return
        if TIME.search(text):
            yield Call("call", "time", "{}")
            return
        text = HELP.format(text=text if len(text) <= 80 else f"{text[:80]}…")
    for word in re.findall(r"\S+\s*", text):
        await asyncio.sleep(0.04)
        yield word
