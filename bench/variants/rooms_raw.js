// The real work of a room in plain JavaScript, in the fastest way that is known for each.

import { DurableObject } from "cloudflare:workers";

const SOMEBODY = { name: "somebody", color: "#2e6fdb", x: 10, y: 20 };

class Room extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.kv = ctx.storage.kv;
    /** Each socket with what it remembers, so that only a room that wakes reads attachments. */
    this.sockets = new Map();
    for (const socket of ctx.getWebSockets()) {
      this.sockets.set(socket, socket.deserializeAttachment());
    }
    this.start();
  }

  start() {}

  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return this.answer(request);
    const { 0: client, 1: server } = new WebSocketPair();
    const { searchParams } = new URL(request.url);
    const team = searchParams.get("team");
    this.ctx.acceptWebSocket(server, team ? [team] : []);
    const attachment = { id: searchParams.get("_pk"), state: SOMEBODY };
    server.serializeAttachment(attachment);
    this.sockets.set(server, attachment);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** @param {Request} _request @returns {Response} */
  answer(_request) {
    return new Response("none", { status: 404 });
  }

  webSocketClose(socket, code, reason) {
    this.sockets.delete(socket);
    socket.close(code === 1005 ? 1000 : code, reason);
  }

  broadcast(text) {
    for (const socket of this.sockets.keys()) socket.send(text);
  }
}

export class Chat extends Room {
  start() {
    this.sql.exec(
      "create table if not exists message (id integer primary key, author text, text text)",
    );
  }

  webSocketMessage(_, message) {
    const { author, text } = JSON.parse(message);
    const row = this.sql
      .exec(
        "insert into message (author, text) values (?, ?) returning id, author, text",
        author,
        text,
      )
      .one();
    this.sql.exec("delete from message where id <= ?", Number(row.id) - 100);
    this.broadcast(JSON.stringify({ type: "message", ...row }));
  }
}

export class Moves extends Room {
  webSocketMessage(socket, message) {
    const { x, y } = JSON.parse(message);
    const { id } = this.sockets.get(socket);
    const attachment = { id, state: { x, y } };
    socket.serializeAttachment(attachment);
    this.sockets.set(socket, attachment);
    this.broadcast(JSON.stringify({ type: "move", id, x, y }));
  }
}

export class Who extends Room {
  webSocketMessage(socket) {
    socket.send(JSON.stringify(Array.from(this.sockets.values(), ({ state }) => state)));
  }
}

export class Teams extends Room {
  webSocketMessage(_, message) {
    for (const socket of this.ctx.getWebSockets("red")) socket.send(message);
  }
}

export class TeamsAtOnce extends Teams {}

export class Keyed extends Room {
  webSocketMessage(socket) {
    this.kv.put("count", Number(this.kv.get("count") ?? 0) + 1);
    socket.send("kept");
  }
}

export class Counted extends Keyed {}

export class Noted extends Room {
  webSocketMessage(socket, message) {
    const before = this.kv.get("last");
    this.kv.put("last", message);
    socket.send(before ?? message);
  }
}

export class Scored extends Room {
  webSocketMessage(socket) {
    const player = /** @type {any} */ (
      this.kv.get("player") ?? { name: "somebody", score: 0, teams: ["red", "blue"] }
    );
    player.score += 1;
    this.kv.put("player", player);
    socket.send("kept");
  }
}

export class Rows extends Room {
  start() {
    this.sql.exec(
      "create table if not exists entry (id integer primary key, author text, text text, at real)",
    );
    if (this.sql.exec("select id from entry limit 1").toArray().length) return;
    const count = Number(this.ctx.id.name?.split("-").at(-1));
    for (let number = 0; number < count; number++) {
      this.sql.exec(
        "insert into entry (author, text, at) values (?, ?, ?)",
        `author ${number % 7}`,
        `entry ${number}: hello, how are you today?`,
        1_700_000_000.25 + number,
      );
    }
  }

  /** SQLite makes the JSON itself. */
  answer() {
    const { rows } = this.sql
      .exec(
        "select json_group_array(json_object('id', id, 'author', author, 'text', text, 'at', at)" +
          " order by id) as rows from entry",
      )
      .one();
    return new Response(String(rows), { headers: { "content-type": "application/json" } });
  }
}

export class RowsAsJson extends Rows {}

export class Values extends Room {
  start() {
    this.sql.exec("create table if not exists note (id integer primary key, text text)");
  }

  webSocketMessage(socket, message) {
    this.sql.exec("insert or replace into note (id, text) values (1, ?)", message);
    socket.send(this.sql.exec("select text from note where id = 1").one().text);
  }
}

export class Calls extends Room {
  async webSocketMessage(socket, message) {
    const room = this.env.Calls.getByName("called");
    socket.send(JSON.stringify(await room.repeat(JSON.parse(message))));
  }

  repeat(event) {
    return event;
  }
}

export class Sleeping extends Room {
  answer() {
    return new Response(String(this.sockets.size));
  }

  webSocketMessage(socket) {
    socket.send(String(this.sockets.size));
  }
}

export class Typed extends Room {
  webSocketMessage(socket, message) {
    const { type, text } = JSON.parse(message);
    if (type === "say" && typeof text === "string" && text.length >= 1 && text.length <= 2000) {
      this.broadcast(JSON.stringify({ type: "said", id: this.sockets.get(socket).id, text }));
    }
  }
}

const NAMESPACES = /** @type {Record<string, string>} */ ({
  chat: "Chat",
  moves: "Moves",
  who: "Who",
  teams: "Teams",
  "teams-at-once": "TeamsAtOnce",
  keyed: "Keyed",
  counted: "Counted",
  noted: "Noted",
  scored: "Scored",
  rows: "Rows",
  "rows-as-json": "RowsAsJson",
  values: "Values",
  calls: "Calls",
  sleeping: "Sleeping",
  typed: "Typed",
});

export default {
  fetch(request, env) {
    const [, , kind, room] = new URL(request.url).pathname.split("/");
    return env[NAMESPACES[kind]].getByName(room).fetch(request);
  },
};
