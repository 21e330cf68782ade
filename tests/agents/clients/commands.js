// What the tests have the Agents SDK's clients do, unchanged, in Node.js and in Chromium alike.

import * as newer from "agents/client";
import * as older from "agents-0.21/client";

const versions = { "0.32.0": newer, "0.21.0": older };
// Only a failing test waits so long. It is more than anything takes where all of the machine is busy.
const patience = 60_000;
// The defaults wait 3 to 10 seconds before a reconnection.
// And they give up a connection after 4, which a machine with other work may need.
export const delays = {
  minReconnectionDelay: 50,
  maxReconnectionDelay: 200,
  connectionTimeout: 60_000,
};

const clients = new Map();
const calls = new Map();
const warnings = [];

console.warn = (...words) => warnings.push(words.join(" "));

/** Something that no client may do has happened. */
export function alarm(what) {
  warnings.push(`unhandled: ${what}`);
}

/** What has happened to a client, or is to happen. */
class Events {
  #happened = [];
  #waiting = [];

  tell(...event) {
    if (this.#waiting.length) this.#waiting.shift()(event);
    else this.#happened.push(event);
  }
  next() {
    return this.#happened.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** What became of a call: JSON has no `undefined`. */
async function outcome(promise) {
  try {
    const value = await promise;
    return value === undefined ? ["undefined"] : ["result", value];
  } catch (error) {
    return ["error", error.message];
  }
}

/** Whether it is the client's own matter. The others are an agent's, for the application. */
function isOfTheSdk(data) {
  const { type } = JSON.parse(data);
  return type === "rpc" || String(type).startsWith("cf_agent_");
}

function place(call) {
  const { promise, resolve } = Promise.withResolvers();
  calls.set(call, promise);
  return resolve;
}

function find(key) {
  return clients.get(key).agent;
}

/** When what a client has heard is to be seen in it: see `rendered` in page.js. */
async function settled(key) {
  await clients.get(key).settled?.();
}

/**
 * The ways to an agent. Each makes a client of a version with options, for a `client` that has
 * `events` and `frames`, and gives it its `agent`, and what ends it as `end`.
 */
export const kinds = {
  AgentClient(client, version, { onOpen, onMessage, onClose, ...options }) {
    const agent = new versions[version].AgentClient(options);
    agent.addEventListener("message", ({ data }) => {
      client.frames.push(data);
      if (!isOfTheSdk(data)) onMessage({ data });
    });
    agent.addEventListener("open", onOpen);
    agent.addEventListener("close", onClose);
    client.agent = agent;
    client.end = () => agent.close();
  },
};

export const commands = {
  /**
   * `queries` are those of one connection after the other, the last for all that follow. `callOnClose`
   * is a call, with a name for `outcome`, that is made whenever the connection has been lost.
   */
  async open(key, kind, version, { queries, callOnClose, ...options }) {
    const events = new Events();
    /** @type {any} */
    const client = { events, frames: [], asked: 0 };
    async function query() {
      client.asked += 1;
      return queries.length > 1 ? queries.shift() : queries[0];
    }
    clients.set(key, client);
    await kinds[kind](client, version, {
      ...delays,
      ...(queries && { query }),
      onIdentity: (name, agent) => events.tell("identity", name, agent),
      onIdentityChange: (...names) => events.tell("identity change", ...names),
      onStateUpdate: (state, source) => events.tell("state", state, source),
      onMcpUpdate: (servers) => events.tell("mcp", servers),
      onStateUpdateError: (error) => events.tell("state error", error),
      onConnectionError: ({ code, reason }) => events.tell("connection error", code, reason),
      onOpen: ({ target }) => events.tell("open", target.url),
      onMessage: ({ data }) => events.tell("message", data),
      onClose({ code, reason }) {
        events.tell("close", code, reason);
        if (callOnClose) {
          const [call, ...rest] = callOnClose;
          place(call)(outcome(client.agent.call(...rest)));
        }
      },
      ...options,
    });
  },
  next(key) {
    return clients.get(key).events.next();
  },
  /** All frames that have come, and are told for the first time. */
  frames(key) {
    return clients.get(key).frames.splice(0);
  },
  async ready(key) {
    await settled(key);
    await find(key).ready;
    return commands.about(key);
  },
  async about(key) {
    await settled(key);
    const { agent, name, state, identified, readyState, shouldReconnect, id, url } = find(key);
    const connectionError = find(key).connectionError?.message ?? null;
    // How often it has called for a query.
    const { asked } = clients.get(key);
    const about = { agent, name, state, identified, readyState, shouldReconnect, id, url };
    return { ...about, connectionError, asked };
  },
  call(key, method, args, options) {
    return outcome(find(key).call(method, args, options));
  },
  stub(key, method, args) {
    return outcome(find(key).stub[method](...args));
  },
  /** The names that JavaScript itself asks every object for. */
  async probe(key) {
    const { stub } = find(key);
    return [JSON.stringify(stub), String((await stub) === stub), String(stub.constructor)];
  },
  /** The same as `call`, without a wait for its `outcome`. */
  start(call, key, method, args, options) {
    place(call)(outcome(find(key).call(method, args, options)));
  },
  outcome(call) {
    return calls.get(call);
  },
  /** `legacy` gives the callbacks where older code does. */
  async stream(key, method, args, { legacy = false, ...rest } = {}) {
    const told = [];
    const stream = {
      onChunk: (chunk) => told.push(["chunk", chunk]),
      onDone: (value) => told.push(value === undefined ? ["done"] : ["done", value]),
      onError: (error) => told.push(["error", error]),
    };
    const end = await commands.call(key, method, args, legacy ? stream : { stream, ...rest });
    // It settles the call before it calls the callback, and in the same turn.
    return { told, end };
  },
  setState(key, state) {
    find(key).setState(state);
  },
  /** Text as it is, and an array for bytes. */
  send(key, message) {
    find(key).send(Array.isArray(message) ? new Uint8Array(message) : message);
  },
  reconnect(key) {
    find(key).reconnect();
  },
  close(key, code, reason) {
    find(key).close(code, reason);
  },
  closeAll() {
    for (const client of clients.values()) client.end();
    clients.clear();
    calls.clear();
    return warnings.splice(0);
  },
  warnings() {
    return warnings.splice(0);
  },
  async fetch(version, options, init) {
    const response = await versions[version].agentFetch(options, init);
    return { status: response.status, text: await response.text() };
  },
  /** What a client is now, by another key: a hook gives another one for other options. */
  keep(key, other) {
    clients.set(other, { ...clients.get(key), agent: find(key), end() {} });
  },
  /** Do what only components can: see page.js. */
  have(key, what, ...rest) {
    return clients.get(key)[what](...rest);
  },
};

function late(name) {
  const { promise, reject } = Promise.withResolvers();
  const timer = setTimeout(() => reject(new Error(`${name} has waited in vain`)), patience);
  return { promise, end: () => clearTimeout(timer) };
}

/** Run a command: `value` is its result, or `failure` what it has failed with. */
export async function obey(name, ...rest) {
  const limit = late(name);
  try {
    const value = await Promise.race([commands[name](...rest), limit.promise]);
    return { value: value ?? null };
  } catch (error) {
    return { failure: String(error.stack ?? error) };
  } finally {
    limit.end();
  }
}
