"""`/rpc/:binding/:agent/:method?[arguments]`: a call by another worker, and its result or error."""

import json
from inspect import isawaitable
from urllib.parse import unquote, urlsplit

from partyserver import agents
from workers import Response


async def rpc(request, env):
    url = urlsplit(request.url)
    _, _, binding, name, method = url.path.split("/")
    stub = await agents.get_agent_by_name(getattr(env, binding), name)
    arguments = json.loads(unquote(url.query) or "[]")
    return Response.from_json(await stub.do(method, *arguments))


class Called:
    """Its methods, called by their names; an error is a text."""

    async def do(self, method, *arguments):
        try:
            result = getattr(self, method)(*arguments)
            return await result if isawaitable(result) else result
        except Exception as error:
            return f"{type(error).__name__}: {error}"
