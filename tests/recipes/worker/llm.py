import json
from collections.abc import AsyncIterator
from http import HTTPMethod
from typing import Any, Protocol

import workers
from partyserver import ClientError, Connection, Server, parse_json, route_partykit_request
from partyserver.history import History
from workers import Request, Response, WorkerEntrypoint


class Env(Protocol):
    OPENAI_BASE_URL: str
    OPENAI_API_KEY: str
    OPENAI_MODEL: str


class Conversation(History, Server[Env]):
    options = {"hibernate": True, "max_message_size": 4096, "max_connections": 100}

    def on_start(self) -> None:
        self.is_answering = False  # a room that has slept, or failed, answers nobody

    async def on_message(self, connection: Connection, message: str | bytes) -> None:
        if self.is_answering:
            raise ClientError("one question at a time", code="busy")
        self.is_answering = True
        try:
            self.publish({"role": "user", "text": str(message)})
            answer = ""
            async for part in complete(self.env, self.messages()):
                answer += part
                self.broadcast_json({"type": "part", "text": part})  # live, and not kept
            self.publish({"role": "assistant", "text": answer})  # whole, and kept
        except Exception:
            self.broadcast_json({"type": "failed"})  # what has come of the answer is not kept
            raise
        finally:
            self.is_answering = False

    def messages(self) -> list[dict[str, str]]:
        kept = [said for _, said in self.read_events(limit=1000)][-20:]
        return [{"role": said["role"], "content": said["text"]} for said in kept]


async def complete(env: Env, messages: list[dict[str, str]]) -> AsyncIterator[str]:
    response = await workers.fetch(
        f"{env.OPENAI_BASE_URL}/chat/completions",
        method=HTTPMethod.POST,
        headers={
            "Authorization": f"Bearer {env.OPENAI_API_KEY}",
            "Content-Type": "application/json",
        },
        body=json.dumps({"model": env.OPENAI_MODEL, "messages": messages, "stream": True}),
    )
    if response.status != 200:
        raise ClientError(f"the model has failed ({response.status}): ask again", code="model")
    is_whole = False
    async for line in lines(response.body):
        data = line.removeprefix(b"data:").strip()
        if data == b"[DONE]":
            is_whole = True
        elif line.startswith(b"data:"):
            for choice in parse_json(data)["choices"][:1]:
                if text := choice["delta"].get("content"):
                    yield text
    if not is_whole:
        raise ClientError("the answer has broken off: ask again", code="model")


async def lines(body: Any) -> AsyncIterator[bytes]:
    """What comes in is cut anywhere, also in the midst of a character."""
    reader = body.getReader()
    rest = b""
    while not (part := await reader.read()).done:
        *whole, rest = (rest + part.value.to_bytes()).split(b"\n")
        for line in whole:
            yield line
    yield rest


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        answer = await route_partykit_request(request, self.env)
        return answer or Response("Not Found", status=404)
