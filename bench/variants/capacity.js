// Rooms to fill, as npm partyserver's documentation says to write them.

import { routePartykitRequest } from "partyserver";
import { Hibernating } from "./rooms.js";

export { Chat } from "./rooms.js";

export class Echo extends Hibernating {
  onMessage(connection, message) {
    connection.send(message);
  }
}

export class Everybody extends Hibernating {
  onMessage(connection, message) {
    this.broadcast(message);
  }

  onRequest() {
    return new Response("ok");
  }
}

/** Each message is a row. */
export class Written extends Hibernating {
  onStart() {
    this.sql`create table if not exists entry (id integer primary key, text text)`;
  }

  onMessage(connection, message) {
    this.sql`insert into entry (text) values (${message})`;
    connection.send(message);
  }
}

/** Answers with the last hundred rows. */
export class Read extends Hibernating {
  onStart() {
    this.sql`create table if not exists entry (id integer primary key, author text, text text)`;
    const [{ count }] = this.sql`select count(*) as count from entry`;
    for (let number = Number(count); number < 1000; number++) {
      const text = `entry ${number}: hello, how are you today?`;
      this.sql`insert into entry (author, text) values (${`author ${number % 7}`}, ${text})`;
    }
  }

  onMessage(connection, message) {
    const rows = this.sql`select * from entry order by id desc limit 100`;
    connection.send(JSON.stringify({ to: message, rows }));
  }
}

/** Each move goes to all others at once. */
export class Cursors extends Hibernating {
  onMessage(connection, message) {
    const { x, y, at } = JSON.parse(message);
    this.broadcast(JSON.stringify({ type: "move", id: connection.id, x, y, at }), [connection.id]);
  }
}

/** Moves are collected, and go to all together, twenty times a second. */
export class CollectedCursors extends Hibernating {
  moves = {};
  /** @type {any} */
  timer = null;

  onMessage(connection, message) {
    const { x, y, at } = JSON.parse(message);
    this.moves[connection.id] = [x, y, at];
    this.timer ??= setInterval(() => this.sendMoves(), 1000 / 20);
  }

  sendMoves() {
    const { moves } = this;
    this.moves = {};
    if (Object.keys(moves).length > 0) {
      this.broadcast(JSON.stringify({ type: "moves", moves }));
    } else {
      clearInterval(this.timer);
      this.timer = null;
    }
  }
}

/** Inputs come in, and ten times a second all get where everybody is. */
export class Game extends Hibernating {
  /** @type {Map<string, any>} */
  players = new Map();
  /** @type {any} */
  timer = null;

  onMessage(connection, message) {
    const { dx, dy, seq } = JSON.parse(message);
    const { x, y } = this.players.get(connection.id) ?? { x: 0, y: 0 };
    this.players.set(connection.id, { x, y, dx, dy, seq });
    this.timer ??= setInterval(() => this.step(), 1000 / 10);
  }

  onClose(connection) {
    this.players.delete(connection.id);
  }

  step() {
    if (this.players.size === 0) {
      clearInterval(this.timer);
      this.timer = null;
      return;
    }
    const players = {};
    for (const [id, player] of this.players) {
      player.x = (player.x + player.dx) % 1000;
      player.y = (player.y + player.dy) % 1000;
      players[id] = [player.x, player.y, player.seq];
    }
    this.broadcast(JSON.stringify({ type: "state", players }));
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
