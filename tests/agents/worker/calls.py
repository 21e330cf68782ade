"""`/rpc/:binding/:agent/:method?[arguments]`: a call by another worker, and its result or error.

A method `direct.name` is called over RPC itself, the others by `do`.
"""

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
    direct = method.removeprefix("direct.")
    if direct == method:
        return Response.from_json(await stub.do(method, *arguments))
    try:
        return Response.from_json(await getattr(stub, direct)(*arguments))
    except Exception as error:
        return Response.from_json(f"{type(error).__name__}: {error}")


class Called:
    """Its methods, called by their names; an error is a text."""

    async def do(self, method, *arguments):
        try:
            result = getattr(self, method)(*arguments)
            return await result if isawaitable(result) else result
        except Exception as error:
            return f"{type(error).__name__}: {error}"
