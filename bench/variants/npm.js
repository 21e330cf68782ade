// npm partyserver, as its documentation says to use it.

import { Server, routePartykitRequest } from "partyserver";

class Hibernating extends Server {
  static options = { hibernate: true };
}

export class Echo extends Hibernating {
  onMessage(connection, message) {
    connection.send(message);
  }
}

export class AsyncEcho extends Hibernating {
  async onMessage(connection, message) {
    connection.send(message);
  }
}

export class Room extends Hibernating {
  onMessage(connection, message) {
    this.broadcast(message);
  }

  onRequest() {
    return new Response("ok");
  }
}

export class Others extends Hibernating {
  onMessage(connection, message) {
    this.broadcast(message, [connection.id]);
  }
}

/** As many tags as the room's name says, which ends in -N; echoes. */
export class Tagged extends Hibernating {
  getConnectionTags() {
    return Array.from({ length: Number(this.name.split("-").at(-1)) }, (_, n) => `tag-${n}`);
  }

  onMessage(connection, message) {
    connection.send(message);
  }
}

/** Keeps each message as its connection's state. */
export class Stateful extends Hibernating {
  onMessage(connection, message) {
    connection.setState(message);
    connection.send("kept");
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
