"""`/rpc/:binding/:room/:method?[arguments]`: a call from outside, and its result or its error."""

import json
from urllib.parse import unquote, urlsplit

from partyserver import get_server_by_name
from workers import Response


async def rpc(request, env):
    url = urlsplit(request.url)
    _, _, binding, room, method = url.path.split("/")
    stub = await get_server_by_name(getattr(env, binding), room)
    try:
        result = await getattr(stub, method)(*json.loads(unquote(url.query) or "[]"))
    except Exception as error:
        result = f"{type(error).__name__}: {error}"
    return Response.from_json(result)
