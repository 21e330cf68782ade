// The real work of a room, as npm partyserver's documentation says to write it.

import { Server, getServerByName, routePartykitRequest } from "partyserver";

const SOMEBODY = { name: "somebody", color: "#2e6fdb", x: 10, y: 20 };

export class Hibernating extends Server {
  static options = { hibernate: true };
}

/** Keeps the last hundred messages. */
export class Chat extends Hibernating {
  onStart() {
    this.sql`create table if not exists message (id integer primary key, author text, text text)`;
  }

  onMessage(connection, message) {
    const { author, text } = JSON.parse(message);
    const [row] = this
      .sql`insert into message (author, text) values (${author}, ${text}) returning id, author, text`;
    this.sql`delete from message where id <= ${Number(row.id) - 100}`;
    this.broadcast(JSON.stringify({ type: "message", ...row }));
  }
}

export class Moves extends Hibernating {
  onMessage(connection, message) {
    const { x, y } = JSON.parse(message);
    connection.setState({ x, y });
    this.broadcast(JSON.stringify({ type: "move", id: connection.id, x, y }));
  }
}

export class Who extends Hibernating {
  onConnect(connection) {
    connection.setState(SOMEBODY);
  }

  onMessage(connection) {
    connection.send(JSON.stringify(Array.from(this.getConnections(), (one) => one.state)));
  }
}

export class Teams extends Hibernating {
  getConnectionTags(connection, { request }) {
    return [new URL(request.url).searchParams.get("team")];
  }

  onMessage(connection, message) {
    for (const one of this.getConnections("red")) one.send(message);
  }
}

export class TeamsAtOnce extends Teams {}

export class Keyed extends Hibernating {
  async onMessage(connection) {
    const count = await this.ctx.storage.get("count");
    await this.ctx.storage.put("count", Number(count ?? 0) + 1);
    connection.send("kept");
  }
}

export class Counted extends Hibernating {
  onMessage(connection) {
    const { kv } = this.ctx.storage;
    kv.put("count", Number(kv.get("count") ?? 0) + 1);
    connection.send("kept");
  }
}

export class Noted extends Hibernating {
  onMessage(connection, message) {
    const { kv } = this.ctx.storage;
    const before = kv.get("last");
    kv.put("last", message);
    connection.send(before ?? message);
  }
}

export class Scored extends Hibernating {
  onMessage(connection) {
    const { kv } = this.ctx.storage;
    const player = /** @type {any} */ (
      kv.get("player") ?? { name: "somebody", score: 0, teams: ["red", "blue"] }
    );
    player.score += 1;
    kv.put("player", player);
    connection.send("kept");
  }
}

/** As many rows as the room's name says, which ends in -N. */
export class Rows extends Hibernating {
  onStart() {
    this.sql`create table if not exists entry (id integer primary key, author text, text text, at real)`;
    if (this.sql`select id from entry limit 1`.length) return;
    for (let number = 0; number < Number(this.name.split("-").at(-1)); number++) {
      const text = `entry ${number}: hello, how are you today?`;
      this.sql`insert into entry (author, text, at)
        values (${`author ${number % 7}`}, ${text}, ${1_700_000_000.25 + number})`;
    }
  }

  onRequest() {
    return Response.json(this.sql`select * from entry order by id`);
  }
}

export class RowsAsJson extends Rows {}

/** Keeps each message as a row's value, and sends back what it reads. */
export class Values extends Hibernating {
  onStart() {
    this.sql`create table if not exists note (id integer primary key, text text)`;
  }

  onMessage(connection, message) {
    this.sql`insert or replace into note (id, text) values (1, ${message})`;
    const [row] = this.sql`select text from note where id = 1`;
    connection.send(row.text);
  }
}

export class Calls extends Hibernating {
  async onMessage(connection, message) {
    const room = /** @type {any} */ (await getServerByName(this.env.Calls, "called"));
    connection.send(JSON.stringify(await room.repeat(JSON.parse(message))));
  }

  repeat(event) {
    return event;
  }
}

/** Says how many are here. */
export class Sleeping extends Hibernating {
  onMessage(connection) {
    connection.send(String([...this.getConnections()].length));
  }

  onRequest() {
    return new Response(String([...this.getConnections()].length));
  }
}

export class Typed extends Hibernating {
  onMessage(connection, message) {
    let event;
    try {
      event = JSON.parse(message);
    } catch {
      return connection.send(JSON.stringify({ type: "error", error: "not JSON" }));
    }
    const { type, text, x, y } = event ?? {};
    if (type === "say" && typeof text === "string" && text.length >= 1 && text.length <= 2000) {
      this.broadcast(JSON.stringify({ type: "said", id: connection.id, text }));
    } else if (!(type === "move" && Number.isInteger(x) && Number.isInteger(y))) {
      connection.send(JSON.stringify({ type: "error", error: "no such event" }));
    }
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
