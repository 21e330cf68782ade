// A Durable Object in plain JavaScript: the least that the platform asks for.

import { DurableObject } from "cloudflare:workers";

class Sockets extends DurableObject {
  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return new Response("ok");
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
}

export class Echo extends Sockets {
  webSocketMessage(socket, message) {
    socket.send(message);
  }

  webSocketClose(socket, code, reason) {
    socket.close(code === 1005 ? 1000 : code, reason);
  }
}

export class AsyncEcho extends Echo {
  async webSocketMessage(socket, message) {
    socket.send(message);
  }
}

export class Room extends Echo {
  webSocketMessage(_, message) {
    for (const socket of this.ctx.getWebSockets()) socket.send(message);
  }
}

export class Others extends Echo {
  webSocketMessage(sender, message) {
    for (const socket of this.ctx.getWebSockets()) if (socket !== sender) socket.send(message);
  }
}

const NAMESPACES = { echo: "Echo", "async-echo": "AsyncEcho", room: "Room", others: "Others" };

export default {
  fetch(request, env) {
    const [, , kind, room] = new URL(request.url).pathname.split("/");
    const namespace = env[NAMESPACES[kind]];
    return namespace.get(namespace.idFromName(room)).fetch(request);
  },
};
