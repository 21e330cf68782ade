// The clients of Yjs documents, unchanged, as people run them in Node.js. Obeys the lines on stdin, each a
// command of `commands` with its arguments as JSON, and answers each with a line of JSON.

import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

import YProvider from "y-partyserver/provider";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";

// Only a failing test waits so long. It is more than anything takes where all of the machine is busy.
const patience = 60_000;

const clients = new Map();
const warnings = [];

console.warn = (...words) => warnings.push(words.join(" "));
console.error = (...words) => warnings.push(words.join(" "));
process.on("unhandledRejection", (error) => warnings.push(`unhandled: ${error}`));

/** One that can be lost in a way that only its client notices. */
class LosableSocket extends WebSocket {
  #listeners = [];
  #isLost = false;

  addEventListener(type, listener) {
    this.#listeners.push([type, listener]);
    super.addEventListener(type, listener);
  }
  close(...why) {
    if (!this.#isLost) super.close(...why);
  }
  release() {
    super.close();
  }
  lose() {
    this.#isLost = true;
    const closed = this.#listeners.filter(([type]) => type === "close").map(([, listener]) => listener);
    const { onclose } = /** @type {any} */ (this);
    if (onclose) closed.push(onclose.bind(this));
    for (const [type, listener] of this.#listeners) super.removeEventListener(type, listener);
    this.onopen = this.onmessage = this.onerror = this.onclose = null;
    for (const close of closed) close({ code: 1006, reason: "" });
  }
}

/** @returns {any} */
function connectedTo(kind, doc, { host, party, room, ...options }) {
  const more = { WebSocketPolyfill: LosableSocket, disableBc: true, maxBackoffTime: 200, ...options };
  if (kind === "y-partyserver") return new YProvider(host, room, doc, { party, ...more });
  return new WebsocketProvider(`ws://${host}/parties/${party}`, room, doc, more);
}

/** What a document says: its roots are a text `t`, a map `m` and an array `a`. */
function content(doc) {
  const said = { t: doc.getText("t").toString() };
  const [map, array] = [doc.getMap("m").toJSON(), doc.getArray("a").toJSON()];
  if (Object.keys(map).length) said.m = map;
  if (array.length) said.a = array;
  return said;
}

function states({ doc, provider }) {
  return [...provider.awareness.getStates()]
    .filter(([client]) => client !== doc.clientID)
    .map(([, state]) => state.name)
    .filter((name) => name !== undefined)
    .sort();
}

/**
 * When `get` gives what is wanted: it is looked at after each event of a client, and of the `other` that it
 * may be compared with.
 */
async function until(key, get, wanted, other = key) {
  const client = clients.get(key);
  const limit = Promise.withResolvers();
  const timer = setTimeout(() => limit.resolve("late"), patience - 1_000);
  while (!isDeepStrictEqual(get(client), wanted)) {
    const event = Promise.withResolvers();
    client.waiting.push(event.resolve);
    clients.get(other).waiting.push(event.resolve);
    if ((await Promise.race([event.promise, limit.promise])) === "late") {
      const has = get(client);
      // Then an event is not listened to here: the test would be slow, and pass.
      const missed = isDeepStrictEqual(has, wanted) ? ", or has it, and no event has told so" : "";
      throw new Error(`${key} has ${JSON.stringify(has)}, not ${JSON.stringify(wanted)}${missed}`);
    }
  }
  clearTimeout(timer);
}

const edits = {
  insert: (doc, index, text) => doc.getText("t").insert(index, text),
  append: (doc, text) => doc.getText("t").insert(doc.getText("t").length, text),
  delete: (doc, index, length) => doc.getText("t").delete(index, length),
  set: (doc, name, value) => doc.getMap("m").set(name, value),
  unset: (doc, name) => doc.getMap("m").delete(name),
  push: (doc, ...values) => doc.getArray("a").push(values),
  subdocument: (doc, guid) => doc.getMap("m").set("sub", new Y.Doc({ guid })),
};

const commands = {
  open(key, kind, /** @type {any} */ { params, ...options }) {
    const doc = new Y.Doc();
    /** @type {any} */
    const client = { doc, provider: null, texts: [], statuses: [], sockets: [], waiting: [], changed() {} };
    client.changed = () => {
      for (const resolve of client.waiting.splice(0)) resolve();
    };
    // A list has those of one connection after the other, the last for all that follow.
    const changing = Array.isArray(params) && (async () => (params.length > 1 ? params.shift() : params[0]));
    const provider = connectedTo(kind, doc, { params: changing || params, ...options });
    client.provider = provider;
    provider.on("status", ({ status }) => {
      client.statuses.push(status);
      client.changed();
    });
    provider.on("sync", () => client.changed());
    provider.on("custom-message", (text) => {
      client.texts.push(text);
      client.changed();
    });
    // It is told before the provider has let go of its socket.
    provider.on("connection-close", () => setImmediate(client.changed));
    provider.awareness.on("update", client.changed);
    doc.on("update", client.changed);
    clients.set(key, client);
  },
  /** Each edit is a transaction of its own. */
  edit(key, ...list) {
    for (const [name, ...rest] of list) edits[name](clients.get(key).doc, ...rest);
  },
  /** Type on, a number after the other, until its socket has gone; then stay away. */
  type(key) {
    const client = clients.get(key);
    client.provider.shouldConnect = false;
    let number = 0;
    const timer = setInterval(() => {
      if (client.provider.ws === null) clearInterval(timer);
      else client.doc.getText("t").insert(client.doc.getText("t").length, `${number++} `);
    }, 1);
  },
  /** It has more than so many letters. It will not connect again by itself. */
  until_longer(key, length) {
    clients.get(key).provider.shouldConnect = false;
    return until(key, ({ doc }) => doc.getText("t").length > length, true);
  },
  until_away(key) {
    return until(key, ({ provider }) => provider.ws, null);
  },
  content(key) {
    return content(clients.get(key).doc);
  },
  /** The names of the documents in it. */
  until_subdocuments(key, wanted) {
    return until(key, ({ doc }) => [...doc.getSubdocGuids()], wanted);
  },
  until_content(key, wanted) {
    return until(key, ({ doc }) => content(doc), wanted);
  },
  until_same(key, other) {
    // Not the contents, which may be the same before an edit and after it.
    const isSame = ({ doc }) => Y.equalSnapshots(Y.snapshot(doc), Y.snapshot(clients.get(other).doc));
    return until(key, isSame, true, other);
  },
  until_synced(key) {
    return until(key, ({ provider }) => provider.synced, true);
  },
  /** The names of all others. */
  until_present(key, names) {
    return until(key, states, names);
  },
  /** Connections so far. */
  until_connections(key, wanted) {
    return until(
      key,
      ({ statuses, provider }) => statuses.filter((s) => s === "connected").length >= wanted && provider.synced,
      true,
    );
  },
  connections(key) {
    return clients.get(key).statuses.filter((status) => status === "connected").length;
  },
  point(key, state) {
    clients.get(key).provider.awareness.setLocalState(state);
  },
  async text(key) {
    await until(key, ({ texts }) => texts.length > 0, true);
    return clients.get(key).texts.shift();
  },
  send(key, text) {
    clients.get(key).provider.sendMessage(text);
  },
  url(key) {
    return clients.get(key).provider.url;
  },
  disconnect(key) {
    clients.get(key).provider.disconnect();
    return until(key, ({ provider }) => provider.wsconnected || provider.ws !== null, false);
  },
  connect(key) {
    clients.get(key).provider.connect();
  },
  /** Its client is back on another socket; the room has both until `release`. */
  lose(key) {
    const client = clients.get(key);
    client.sockets.push(client.provider.ws);
    client.provider.ws.lose();
  },
  release(key) {
    for (const socket of clients.get(key).sockets.splice(0)) socket.release();
  },
  /** It goes without a word. */
  vanish(key) {
    const { provider } = clients.get(key);
    const { ws } = provider;
    provider.shouldConnect = false;
    ws.lose();
    ws.release();
  },
  /** The socket closes, and the client connects again by itself. */
  drop(key) {
    clients.get(key).provider.ws.close();
  },
  closeAll() {
    for (const { provider, sockets } of clients.values()) {
      for (const socket of sockets) socket.release();
      provider.destroy();
    }
    clients.clear();
    return warnings.splice(0);
  },
  warnings() {
    return warnings.splice(0);
  },
};

function late(name) {
  const { promise, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new Error(`${name} has waited in vain`)), patience);
  return { promise, end: () => clearTimeout(timer) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line);
  const limit = late(name);
  try {
    const value = await Promise.race([commands[name](...rest), limit.promise]);
    console.log(JSON.stringify({ value: value ?? null }));
  } catch (error) {
    console.log(JSON.stringify({ failure: String(error.stack ?? error) }));
  }
  limit.end();
}
process.exit();
