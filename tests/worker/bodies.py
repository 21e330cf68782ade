"""A room that is sent bodies, and hooks before it that read them."""

import hashlib

import js
from partyserver import Server
from pyodide.ffi import to_js
from workers import Request, Response


class Inbox(Server):
    """Tells what it got, without keeping it."""

    async def on_request(self, request):
        if request.url.endswith("/keep"):
            return await self.keep(request)
        if request.url.endswith("/kept"):
            return Response.from_json(await self.ctx.storage.get("kept") or [])
        if request.method == "GET":
            stream = js.IdentityTransformStream.new()
            size = int(request.url.rpartition("=")[2])
            self.ctx.waitUntil(self.write(stream.writable.getWriter(), size))
            return Response(stream.readable)
        digest, size = hashlib.sha256(), 0
        reader = request.js_object.body.getReader()
        while not (part := await reader.read()).done:
            digest.update(part.value.to_bytes())
            size += part.value.byteLength
        hook = request.headers.get("x-hook")
        return Response.from_json([size, digest.hexdigest(), hook])

    async def keep(self, request):
        print("the room reads a body")
        try:
            outcome = ["whole", await request.text()]
        except Exception as error:
            outcome = ["broken off", str(error)]
        kept = await self.ctx.storage.get("kept") or []
        await self.ctx.storage.put("kept", [*kept, outcome])
        return Response("kept")

    async def write(self, writer, size):
        part = to_js(bytes(1 << 20))
        for _ in range(size):
            await writer.write(part)
        await writer.close()


async def read(request, how):
    """What a hook has read of a body: its size."""
    match how:
        case "text":
            return len((await request.text()).encode())
        case "json":
            return len(await request.json())
        case "bytes":
            return len(await request.bytes())
        case "buffer":
            return (await request.buffer()).byteLength
        case "blob":
            return (await request.blob()).size
        case "form":
            return len((await request.form_data())["field"])
        case "clone":
            return len(await request.clone().bytes())
        case "part":
            return (await request.body.getReader().read()).value.byteLength
        case "twice":
            return len(await request.text()) + len(await request.bytes())
        case "raw":
            return len(await request.js_object.text())
        case "raw-locked":
            request.js_object.body.getReader()
    return 0


async def before(request, lobby):
    how, _, then = request.headers.get("x-read", "nothing").partition(" ")
    if how != "nothing":
        print("the hook reads a body")
    size = await read(request, how)
    match then:
        case "refuse":
            return Response(f"refused {size}", status=401)
        case "itself":
            return request
        case "another":
            return Request(request, headers=[*request.headers.items(), ("x-hook", str(size))])
        case "own":
            return Request(request, body=f"{size} bytes")
    return None
