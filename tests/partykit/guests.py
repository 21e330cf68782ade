"""What the parties do about who somebody is, and what they have to tell a client."""

import asyncio

from partyserver import ClientError, auth_of, path_of, query_of
from workers import Request, Response

IDENTITIES = {"ada": {"user": "ada"}, "empty": {}, "nobody": None}


def before(request, lobby):
    who = lobby.query["who"]
    if who == "told":
        raise ClientError(f"no way to {lobby.id}/{lobby.path}", status=403, code="locked")
    if who.startswith("with "):
        headers = [*request.headers.items(), ("x-seen", "by the hook")]
        return Request(request, headers=headers), IDENTITIES[who.removeprefix("with ")]
    return IDENTITIES[who]


def seen(request):
    seen = request.headers.get("x-seen")
    return Response.from_json([auth_of(request), path_of(request), dict(query_of(request)), seen])


async def tell(what, code=None, status=400):
    await asyncio.sleep(0)
    raise ClientError(what, code=code, status=status)


async def tell_on(socket, when):
    """`on_socket`: at once, in a message's listener, or while it reads."""
    if when == "told":
        raise ClientError("not to the site", code="closed")
    if when == "told-in-a-listener":
        socket.add_event_listener("message", lambda event: tell(event.data))
        return
    async for message in socket:
        await tell(message)
