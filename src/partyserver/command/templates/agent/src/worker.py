"""An assistant: each conversation is an agent of its own, found by its name in the URL.

The conversation is the agent's state, which all of its pages see live. While an answer is written
its words go to the page that has asked, by a call that streams; the state has it when it is whole.
"""

import asyncio
import re
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol, TypedDict

from models import Call, answer
from msgspec import MsgspecError, Struct, convert, json
from partyserver import ClientError, Lobby, agents, parse_json
from partyserver.events import Meta
from workers import Request, Response, WorkerEntrypoint

#: The state goes to each page as a whole: with these limits it is always less than the 1.9 MB
#: that a state may have, and mostly a few KB.
MOST_MESSAGES = 40
MOST_REMINDERS = 10
LONGEST_QUESTION = 2000
LONGEST_ANSWER = 6000

#: An answer that takes longer is given up.
ANSWER_SECONDS = 120
#: How often the model may call tools before it has answered.
ROUNDS = 4

PROMPT = "You are a friendly assistant. Answer in plain text, without Markdown, in a few sentences."


class Remind(Struct):
    """Remind the user of something, once, some seconds from now."""

    seconds: Annotated[int, Meta(ge=1, le=30 * 86400)]
    text: Annotated[str, Meta(min_length=1, max_length=200)]


class Time(Struct):
    """Tell the date and the time, in UTC."""


def tool(cls: type[Struct]) -> dict[str, Any]:
    """A tool as the API wants it told: its arguments are the fields of a class."""
    _, schemas = json.schema_components([cls])
    about = {"name": cls.__name__.lower(), "description": cls.__doc__}
    return {"type": "function", "function": {**about, "parameters": schemas[cls.__name__]}}


TOOLS = [tool(Remind), tool(Time)]


class Env(Protocol):
    Assistant: Any
    OPENAI_API_KEY: str  # a secret. Without it, the model is the one of models.py
    OPENAI_BASE_URL: str
    OPENAI_MODEL: str


# The page has these types by `npm run types`, in page/worker.ts.


class Message(TypedDict):
    id: int
    role: Literal["user", "assistant", "reminder"]
    text: str
    at: int


class Reminder(TypedDict):
    id: int
    text: str
    at: int


class State(TypedDict):
    messages: list[Message]
    reminders: list[Reminder]
    status: Literal["ready", "answering", "unanswered"]
    turn: int
    last_id: int


class Assistant(agents.Agent[Env]):
    initial_state: ClassVar[State] = {
        "messages": [],
        "reminders": [],
        "status": "ready",
        "turn": 0,
        "last_id": 0,
    }
    options = {
        "client_state": "refuse",  # what stands in the conversation, this class alone decides
        "max_message_size": 16 * 1024,
        "max_connections": 20,
        "rate": {"messages": 1, "burst": 20},
    }

    #: The turn whose answer is being written, and what writes it.
    _writing: tuple[int, asyncio.Task[str]] | None = None

    def on_start(self) -> None:
        # An answer that was cut off, as by a deployment: the page offers to ask again.
        self.give_up(self.state["turn"])

    @agents.callable(streaming=True)
    async def ask(
        self,
        stream: agents.StreamingResponse,
        text: Annotated[str, Meta(max_length=LONGEST_QUESTION)],
    ) -> None:
        text = text.strip()
        if not text:
            raise ClientError("The question is empty.")
        await self._answer(stream, text)

    @agents.callable(streaming=True)
    async def ask_again(self, stream: agents.StreamingResponse) -> None:
        if self.state["status"] == "ready":
            raise ClientError("Everything has been answered.")
        await self._answer(stream)

    @agents.callable
    async def cancel_reminder(self, id: int) -> None:
        self._take_reminder(id)
        for timer in self.list_schedules(callback="remind"):
            if timer.payload == id:
                await self.cancel_schedule(timer.id)

    def remind(self, id: int) -> None:
        """Called by a timer, whether anybody is there or not."""
        if (text := self._take_reminder(id)) is not None:
            with self.change() as state:
                add(state, "reminder", text)

    def give_up(self, turn: int) -> None:
        self._end_turn(turn, "unanswered")
        if self._writing is not None and self._writing[0] == turn:
            self._writing[1].cancel()  # else it would keep the agent in memory, and call tools

    async def _answer(self, stream: agents.StreamingResponse, question: str | None = None) -> None:
        with self.change() as state:
            if state["status"] == "answering":
                raise ClientError("One question at a time: an answer is being written.")
            if question is not None:
                add(state, "user", question)
            state["status"] = "answering"
            state["turn"] += 1
            turn: int = state["turn"]
        limit = None
        try:
            # A timer, and no asyncio.timeout, which would keep it in memory when all is said.
            limit = await self.schedule(ANSWER_SECONDS, self.give_up, turn)
            async with self.keep_alive():  # also when the page has gone
                writing = asyncio.create_task(self._write(stream))
                self._writing = turn, writing
                self._end_turn(turn, "ready", await writing)
            stream.end()
        except asyncio.CancelledError:
            stream.end()  # given up, which the state tells
        finally:
            self._end_turn(turn, "unanswered")  # unless it has been answered
            if limit is not None:
                await self.cancel_schedule(limit.id)

    async def _write(self, stream: agents.StreamingResponse) -> str:
        """Write an answer, and send it to who has asked, if they are still there."""
        messages = [{"role": "system", "content": f"{PROMPT} It is {utc()}."}, *self._said()]
        text = ""
        for _ in range(ROUNDS):
            calls: list[Call] = []
            async with aclosing(answer(self.env, messages, TOOLS)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Call):
                        calls.append(piece)
                        continue
                    piece = piece[: LONGEST_ANSWER - len(text)]
                    text += piece
                    stream.send(piece)
                    if len(text) == LONGEST_ANSWER:
                        return text
            if not calls:
                break
            messages.append({"role": "assistant", "content": None, "tool_calls": told(calls)})
            for call in calls:
                result = await self._use(call)
                messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        if not text.strip():
            raise ClientError("The model has nothing to say. Ask again.")
        return text

    async def _use(self, call: Call) -> str:
        """Do what the model wants, and tell it what has come of that."""
        try:
            match call.name:
                case "remind":
                    return await self._set_reminder(convert(parse_json(call.arguments), Remind))
                case "time":
                    return f"It is {utc()}."
                case _:
                    return f"There is no tool {call.name}."
        except (ValueError, MsgspecError) as error:
            return f"That did not work: {error}."

    async def _set_reminder(self, wanted: Remind) -> str:
        if len(self.state["reminders"]) == MOST_REMINDERS:
            return f"That did not work: there are {MOST_REMINDERS} reminders already."
        with self.change() as state:
            id = state["last_id"] = state["last_id"] + 1
        at = now() + wanted.seconds * 1000
        # First the timer: a reminder that is listed comes, wherever this is cut off.
        await self.schedule(wanted.seconds, self.remind, id)
        with self.change() as state:
            state["reminders"].append({"id": id, "text": wanted.text, "at": at})
        return f"The reminder is set, in {spelled(wanted.seconds)}: {wanted.text}"

    def _take_reminder(self, id: int) -> str | None:
        """Take a reminder off the list; None if it is not there, as after it was cancelled."""
        reminders = self.state["reminders"]
        text = next((one["text"] for one in reminders if one["id"] == id), None)
        if text is not None:
            with self.change() as state:
                state["reminders"] = [one for one in reminders if one["id"] != id]
        return text

    def _end_turn(self, turn: int, status: str, text: str | None = None) -> None:
        """End a turn, unless that has been done already."""
        if (self.state["turn"], self.state["status"]) == (turn, "answering"):
            with self.change() as state:
                state["status"] = status
                if text is not None:
                    add(state, "assistant", text)

    def _said(self) -> list[dict[str, Any]]:
        """The conversation as the API wants it, in which a reminder is the assistant's, too."""
        roles = {"user": "user", "assistant": "assistant", "reminder": "assistant"}
        said = list(self.state["messages"])
        while (
            said and said[-1]["role"] == "reminder"
        ):  # it came after the question, which is asked again
            said.pop()
        return [{"role": roles[one["role"]], "content": one["text"]} for one in said]


def add(state: dict[str, Any], role: Literal["user", "assistant", "reminder"], text: str) -> None:
    state["last_id"] += 1
    said = {"id": state["last_id"], "role": role, "text": text, "at": now()}
    state["messages"] = [*state["messages"], said][-MOST_MESSAGES:]


def told(calls: list[Call]) -> list[dict[str, Any]]:
    """The calls as the API wants its model's messages back."""
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in calls
    ]


def now() -> int:
    return int(time.time() * 1000)


def spelled(seconds: int) -> str:
    units = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
    unit, size = next((unit, size) for unit, size in units.items() if seconds % size == 0)
    count = seconds // size
    return f"{count} {unit}{'' if count == 1 else 's'}"


def utc() -> str:
    return datetime.now(UTC).strftime("%A, %d %B %Y, %H:%M UTC")


def check(request: Request, lobby: Lobby) -> None:
    """Whoever knows a conversation's name may read it: so it is one that nobody can guess."""
    if not re.fullmatch(r"[\w-]{16,64}", lobby.name, re.ASCII):
        raise ClientError("The name of a conversation has 16 to 64 letters, digits, - and _.")


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answered = await agents.route_agent_request(
            request, self.env, on_before_connect=check, on_before_request=check
        )
        return answered or Response("Not Found", status=404)
