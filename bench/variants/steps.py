"""From the naive way to the library's, one step at a time; each class adds one to the last.

The library itself comes after the last step: it adds hooks, tags, states, phases and errors.
"""

import asyncio
from urllib.parse import urlparse

import js
from js import WebSocketPair
from partyserver.shortcuts import builtins
from partyserver.shortcuts.copying import buffer_copier
from partyserver.shortcuts.entry import entry
from partyserver.shortcuts.fanout import Fanout
from pyodide.ffi import create_proxy, to_js
from workers import DurableObject, Response, WorkerEntrypoint


class Sockets(DurableObject):
    async def fetch(self, request):
        client, server = WebSocketPair.new().object_values()
        self.ctx.acceptWebSocket(server)
        server.serializeAttachment(to_js({"id": "x"}, dict_converter=js.Object.fromEntries))
        self.accepted(server)
        return Response(None, status=101, web_socket=client)

    def accepted(self, socket):
        pass


class Naive(Sockets):
    """An asyncio task and an attachment read per message, as examples do it."""

    async def webSocketMessage(self, socket, message):
        if socket.deserializeAttachment().to_py()["id"]:
            socket.send(message)


class Plain(Sockets):
    """No task: a plain method that returns nothing."""

    def webSocketMessage(self, socket, message):
        if socket.deserializeAttachment().to_py()["id"]:
            socket.send(message)


class Cached(Sockets):
    """No attachment read: what is known of a socket is kept in Python."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.known = {}
        self.sockets = []

    def accepted(self, socket):
        self.sockets.append(socket)  # a socket's js_id is its own for as long as Python holds it
        self.known[socket.js_id] = self.about(socket)

    def about(self, socket):
        return "x"

    def webSocketMessage(self, socket, message):
        if self.known[socket.js_id]:
            socket.send(message)


class Bound(Cached):
    """No attribute look-up across the boundary: a bound `send` for each socket."""

    def about(self, socket):
        return socket.send.bind(socket)

    def webSocketMessage(self, socket, message):
        self.known[socket.js_id](message)


class Direct(Bound):
    """No detour: the runtime finds a function of ours instead of the method."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        proxy = create_proxy(super().webSocketMessage)
        entry = proxy.call.bind(proxy)
        entry.callWithOptions = entry
        self.webSocketMessage = entry  # type: ignore[method-assign]


class Fronting(type):
    """The runtime gets a JavaScript object, and finds the function without asking Python."""

    def __call__(cls, ctx, env):
        server = super().__call__(ctx, env)
        return entry(server, server.receive, print, direct=True)[0]


class Fronted(Bound, metaclass=Fronting):
    def receive(self, socket, message):
        self.known[socket.js_id](message)


class Dispatching(type):
    """Each socket has a function of its own, which gets its messages only."""

    def __call__(cls, ctx, env):
        face, dispatch = entry(super().__call__(ctx, env), print, print, direct=True)
        dispatch.begin([])
        return face


class Dispatched(Sockets, metaclass=Dispatching):
    def accepted(self, socket):
        tools, receive = builtins.tools(), self.receiver(socket.send.bind(socket))
        tools.set(socket, tools.key, tools.bind(tools.call, create_proxy(receive)))

    def receiver(self, send):
        return lambda message: send(message)


class DispatchedBinary(Dispatched):
    """Has a binary message's bytes, and sends it on as it came."""

    def receiver(self, send):
        def receive(message):
            message.to_bytes()
            send(message)

        return receive


class CopiedBinary(Dispatched):
    """Has a binary message's bytes by copying, and sends on what is there."""

    def accepted(self, socket):
        tools, copier = builtins.tools(), buffer_copier()
        send = copier.holder.sender(socket)

        def receive(is_buffer, _):
            copier.take(is_buffer)
            send()

        tools.set(socket, tools.key, copier.before(create_proxy(receive)))


class DispatchedAsync(Dispatched):
    """The same with a coroutine, run at once by an eager task."""

    def receiver(self, send):
        async def hook(message):
            send(message)

        loop = asyncio.get_event_loop()
        return lambda message: asyncio.Task(hook(message), loop=loop, eager_start=True) and None


class RoomNaive(Sockets):
    """A task, an attachment read and a look-up of `send` for every socket."""

    async def webSocketMessage(self, sender, message):
        for socket in self.ctx.getWebSockets():
            if socket.deserializeAttachment().to_py()["id"]:
                socket.send(message)


class RoomPlain(Sockets):
    """No task and no attachments."""

    def webSocketMessage(self, sender, message):
        for socket in self.ctx.getWebSockets():
            socket.send(message)


class RoomBound(Bound, metaclass=Fronting):
    """A loop over bound sends."""

    def receive(self, sender, message):
        for send in self.known.values():
            send(message)


class RoomFanout(Sockets, metaclass=Fronting):
    """One call into JavaScript for all of the sockets."""

    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.fanout = Fanout()

    def accepted(self, socket):
        self.fanout.add(socket)

    def receive(self, sender, message):
        self.fanout.send(message)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        _, _, kind, room = urlparse(request.url).path.split("/")
        namespace = getattr(self.env, kind)
        return await namespace.get(namespace.idFromName(room)).fetch(request)
