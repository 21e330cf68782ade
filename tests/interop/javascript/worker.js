// The JavaScript side: npm partyserver's router and rooms. ../python/worker.py is its twin, line by
// line where the languages allow; ../scenarios.py drives both with the same requests.

import { getServerByName, routePartykitRequest, Server } from "partyserver";

const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
const unhex = (text) => new Uint8Array(text.match(/../g)?.map((pair) => parseInt(pair, 16)) ?? []);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Does what its clients say, and writes down what happens to it. */
class Scripted extends Server {
  #starts = 0;

  onStart(props) {
    this.sql`create table if not exists event (name text, detail text)`;
    this.record("start", this.name, props ?? null);
    /** @type {any[]} */
    const [{ starts }] = this.sql`select count(*) as starts from event where name = 'start'`;
    if (this.name.startsWith("start-fails") && starts <= 2) throw new Error("start fails");
    this.#starts = starts;
  }

  record(name, ...detail) {
    this.sql`insert into event values (${name}, ${JSON.stringify(detail)})`;
  }

  events() {
    /** @type {any[]} */
    const rows = this.sql`select name, detail from event order by rowid`;
    return rows.map(({ name, detail }) => [name, ...JSON.parse(detail)]);
  }

  /** Sorted: `do_order` alone tells in which order they come. */
  ids(tag) {
    return Array.from(this.getConnections(tag), (connection) => connection.id).sort();
  }

  describe({ id, uri, tags, state, server }) {
    return { id, uri, tags: [...tags], state: state ?? null, server };
  }

  getConnectionTags(connection, { request }) {
    const query = new URL(request.url).searchParams;
    if (query.get("raise") === "tags") throw new Error("tags fail");
    return query.getAll("tag");
  }

  async onConnect(connection, { request }) {
    const query = new URL(request.url).searchParams;
    this.record("connect", connection.id, connection.state, this.name, this.ids());
    if (query.has("state")) connection.setState(JSON.parse(query.get("state")));
    connection.send(JSON.stringify(["connected", connection.id]));
    if (query.get("raise") === "connect") throw new Error("connect fails");
    if (query.has("later")) await sleep(10);
    if (query.get("raise") === "later") throw new Error("connect fails later");
    if (query.has("close")) connection.close(Number(query.get("close")), "at the door");
  }

  onMessage(connection, message) {
    if (typeof message !== "string") {
      this.record("message", connection.id, { bytes: hex(message) }, this.name);
      return connection.send(message);
    }
    const [command, ...rest] = message.startsWith("[") ? JSON.parse(message) : ["echo", message];
    if (command !== "sync") this.record("message", connection.id, message, this.name);
    return this["do_" + command](connection, ...rest);
  }

  onClose(connection, code, reason, wasClean) {
    this.record("close", connection.id, code, reason, wasClean, connection.state ?? null, this.name, this.ids());
    if (reason === "raise") throw new Error("close fails");
    if (reason === "raise later") return sleep(0).then(() => { throw new Error("close fails later"); });
    if (reason === "answer") connection.close(4777, "mine");
    if (reason === "broadcast") this.broadcast(`${connection.id} left`);
    if (reason === "send") this.attempt("send in close", () => connection.send("too late"));
  }

  onError(connection, error) {
    this.record("error", connection.id, error.message, this.name);
  }

  async onRequest(request) {
    const url = new URL(request.url);
    const [, path] = url.pathname.match(/\/parties\/+[^/]+\/+[^/]+(.*)/);
    if (path === "/events") return Response.json(this.events());
    if (path === "/attachments") return Response.json(this.attachments());
    if (path === "/adopt") return Response.json(await this.adopt(url.searchParams.get("binding"), url.searchParams.get("room")));
    const body = await request.text();
    this.record("request", request.method, path, url.search, body, this.name);
    if (path === "/raise") throw new Error("request fails");
    if (path === "/raise-later") { await sleep(0); throw new Error("request fails later"); }
    if (path === "/teapot") return new Response("short and stout", { status: 418, headers: { "x-teapot": "yes" } });
    if (path === "/empty") return new Response(null, { status: 204 });
    if (path === "/redirect") return new Response(null, { status: 302, headers: { location: "/elsewhere" } });
    if (path === "/bytes") return new Response(unhex("00ff80"));
    if (path === "/broadcast") this.broadcast(body);
    if (path === "/close-all") for (const connection of [...this.getConnections()]) connection.close(4002, "all");
    if (path === "/alarm") await this.ctx.storage.setAlarm(Date.now() + Number(url.searchParams.get("in")));
    if (path === "/sql") this.sql`select * from missing`;
    const headers = ["content-type", "x-custom", "x-partykit-namespace", "x-partykit-room", "x-partykit-props", "x-partykit-jurisdiction"];
    return Response.json({
      name: this.name,
      method: request.method,
      path: path + url.search,
      body,
      headers: Object.fromEntries(headers.map((name) => [name, request.headers.get(name)])),
      ids: this.ids(),
    });
  }

  async onAlarm() {
    const alarms = this.events().filter(([name]) => name === "alarm").length;
    this.record("alarm", this.name, this.ids());
    if (this.name.startsWith("alarm-fails") && !alarms) throw new Error("alarm fails");
    this.broadcast("alarm");
  }

  onException(error) {
    if (this.name.startsWith("exceptions")) this.record("exception");
  }

  attempt(what, action) {
    let outcome = "done";
    try { action(); } catch { outcome = "raised"; }
    this.record(what, outcome);
  }

  do_sync(connection, number) {
    if (connection.readyState === WebSocket.OPEN) connection.send(JSON.stringify(["synced", number]));
  }
  do_echo(connection, text) { connection.send(text); }
  async do_later(connection, text) { await sleep(0); connection.send(text); }
  do_bytes(connection, text) { connection.send(unhex(text)); }
  do_broadcast(connection, text, exclude) { this.broadcast(text, exclude); }
  do_broadcast_bytes(connection, text, exclude) { this.broadcast(unhex(text), exclude); }
  do_tell(connection, id, text) { this.getConnection(id).send(text); }
  do_set_state(connection, state) { connection.send(JSON.stringify(["state", connection.setState(state)])); }
  do_count(connection) {
    connection.setState((previous) => ({ n: (previous?.n ?? 0) + 1 }));
    connection.send(JSON.stringify(["state", connection.state]));
  }
  do_change_in_place(connection) { connection.state.n = "changed"; }
  do_describe(connection, id) {
    const found = this.getConnection(id ?? connection.id);
    connection.send(JSON.stringify(["described", found ? this.describe(found) : null]));
  }
  do_order(connection) {
    const ids = Array.from(this.getConnections(), (connection) => connection.id);
    connection.send(JSON.stringify(["order", ids]));
  }
  do_ids(connection, tag) { connection.send(JSON.stringify(["ids", this.ids(tag ?? undefined)])); }
  do_close(connection, ...codeAndReason) { connection.close(...codeAndReason); }
  do_try_close(connection, ...codeAndReason) {
    this.attempt("close", () => connection.close(...codeAndReason));
  }
  do_close_twice(connection) { connection.close(4001, "first"); connection.close(4002, "second"); }
  do_close_other(connection, id, code, reason) { this.getConnection(id).close(code, reason); }
  do_send_after_close(connection) {
    connection.close(4003, "going");
    this.attempt("send after close", () => connection.send("too late"));
  }
  do_broadcast_after_close(connection) {
    connection.close(4003, "going");
    this.broadcast("to those who are left");
  }
  do_name(connection) { connection.send(JSON.stringify(["name", this.name, this.#starts])); }
  do_raise() { throw new Error("message fails"); }
  async do_raise_later() { await sleep(0); throw new Error("message fails later"); }

  /** What the platform keeps with each hibernating socket. */
  attachments() {
    const read = WebSocket.prototype.deserializeAttachment;
    return this.ctx.getWebSockets().map((socket) => read.call(socket));
  }

  /** Give the one socket of this room what another room has written on its own. */
  async adopt(binding, name) {
    const [attachment] = await this.env[binding].getByName(name).attachments();
    const [socket] = this.ctx.getWebSockets();
    WebSocket.prototype.serializeAttachment.call(socket, attachment);
    return attachment;
  }
}

export class JsMemory extends Scripted {}

export class JsSleepy extends Scripted {
  static options = { hibernate: true };
}

/** Every default. */
export class JsPlain extends Server {}

const KINDS = { Array: "list", Date: "datetime", Object: "dict", Uint8Array: "bytes" };

/** Calls the other side's rooms over RPC, and is called by them. */
export class JsCaller extends Server {
  onStart(props) {
    this.props = props ?? null;
  }

  sample() {
    return {
      dict: { a: 1, "ü": "ö" },
      list: [1, "two", 3.5, true, null, []],
      none: null,
      bytes: new Uint8Array([0, 255, 128]),
      datetime: new Date("2026-01-02T03:04:05.678Z"),
      nested: [{ bytes: new Uint8Array([1]), at: new Date(0), nothing: null }],
    };
  }

  echo(value) {
    return value;
  }

  /** What has arrived, by kind and value. */
  describe(value) {
    if (value === null) return ["None"];
    if (Array.isArray(value)) return ["list", ...value.map((item) => this.describe(item))];
    const kind = KINDS[value?.constructor.name] ?? typeof value;
    if (kind === "bytes") return [kind, hex(value)];
    if (kind === "datetime") return [kind, value.getTime()];
    if (kind !== "dict") return [kind, value];
    return [kind, Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.describe(item)]))];
  }

  nothing() {}

  started() {
    return { name: this.name, props: this.props };
  }

  fail(text) {
    throw new TypeError(text);
  }

  async fetch(request) {
    const url = new URL(request.url);
    if (!url.pathname.endsWith("/ask")) return super.fetch(request);
    const ask = Object.fromEntries(url.searchParams);
    const options = ask.props ? { props: JSON.parse(ask.props) } : undefined;
    /** @type {any} */
    const other = await getServerByName(this.env[ask.binding], ask.room ?? "other", options);
    switch (ask.what) {
      case "describe":
        return Response.json(await other.describe(this.sample()));
      case "echo":
        return Response.json(this.describe(await other.echo(this.sample())));
      case "sample":
        return Response.json(this.describe(await other.sample()));
      case "nothing":
        return Response.json(this.describe((await other.nothing()) ?? null));
      case "started":
        return Response.json(await other.started());
      case "several":
        return Response.json(await other.join("a", ["b"], { c: 1 }));
      case "fetch":
        return await other.fetch("https://room/path?query", { method: "POST", body: "grüße" });
      case "fail":
        try {
          return Response.json(await other.fail("no way"));
        } catch (error) {
          return Response.json({ message: error.message });
        }
    }
  }

  join(...values) {
    return values;
  }

  async onRequest(request) {
    return Response.json([this.name, request.method, request.url, await request.text()]);
  }
}

/** Has facets: objects of other classes that live inside of it, here to be asked by URL. */
export class JsParent extends Server {
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    if (!query.has("facet")) return super.fetch(request);
    const namespace = this.ctx.exports[query.get("class")];
    const id = query.has("name") ? { id: namespace.idFromName(query.get("name")) } : {};
    const facet = this.ctx.facets.get(query.get("facet"), () => ({ class: namespace, ...id }));
    if (query.has("method")) return Response.json(await facet[query.get("method")]());
    return facet.fetch(request);
  }
}

const HOOKS = {
  onBeforeConnect: before,
  onBeforeRequest: before,
};

async function before(request, lobby) {
  const what = new URL(request.url).searchParams.get("before");
  if (what === "refuse") return new Response(`no ${lobby.className} ${lobby.name}`, { status: 401 });
  if (what === "replace") {
    const replaced = new Request(request);
    replaced.headers.set("x-custom", "by the hook");
    return replaced;
  }
}

const OPTIONS = {
  plain: {},
  cors: { cors: true },
  "own-cors": { cors: { "Access-Control-Allow-Origin": "https://example.com" } },
  props: { props: { greeting: "grüße", list: [1, null] } },
  hooks: HOOKS,
  "hooks-cors": { ...HOOKS, cors: true },
  "deep/er": {},
};

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/ours/")) return env.PYTHON.fetch(request);
    if (pathname === "/page") return new Response("<!doctype html>", { headers: { "content-type": "text/html" } });
    const how = Object.keys(OPTIONS).find((name) => pathname.startsWith(`/npm/${name}/`));
    const options = how ? { ...OPTIONS[how], prefix: `npm/${how}/parties` } : {};
    return (await routePartykitRequest(request, env, options)) ?? new Response("Not Found", { status: 404 });
  },
};
