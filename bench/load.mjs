// The load: WebSocket and HTTP clients that do as little as possible for each message, so
// that a server's CPU is what a run waits for. Frames are made once and sent many at a
// time; those that come back are counted, and the content of one compared by a probe.
//
// Commands come as lines of JSON on stdin, results go to stdout likewise:
//   {"op": "open", "group": g, "port": p, "paths": [..], "greeting": n}   sockets that stay open
//   {"op": "probe", "group": g, ...message}                   is the reply what it should be?
//   {"op": "run", "group": g, "messages": n, "window": w, ...message}
//   {"op": "close", "group": g, "handshake": bool}
//   {"op": "http", "port": p, "paths": [..], "count": n, "concurrency": c}
//   {"op": "pace", "group": g, "senders": k, "rate": r, "seconds": s, "text": t, "watched": w}
//   {"op": "rest", "group": g, "fanout": n}
// Those for shared documents are in `documents.mjs`.
// A result has the seconds it took and the seconds of CPU that this process used.
//
// `run` sends the next messages when the answers have come, so a server is as busy as it can be.
// `pace` sends at a given rate, whatever comes: k of the sockets send r messages a second each,
// for s seconds, and each begins at a moment of its own. The first ten digits of the text are
// replaced by the time, in microseconds, and w sockets look for such times in what comes, so that
// it is known how long each message was under way. `rest` waits until each message has come n times,
// and says what has come, and how late.

import net from "node:net";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

/** @type {Map<string, Group>} */
const groups = new Map();

// --- frames ----------------------------------------------------------------------------

function frame(opcode, payload, masked) {
  const mask = masked ? 0x80 : 0;
  let head;
  if (payload.length < 126) head = Buffer.from([0x80 | opcode, mask | payload.length]);
  else if (payload.length < 65536) {
    head = Buffer.from([0x80 | opcode, mask | 126, 0, 0]);
    head.writeUInt16BE(payload.length, 2);
  } else {
    head = Buffer.alloc(10);
    head.set([0x80 | opcode, mask | 127]);
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  // A mask of zeros is a legal one, and leaves the payload as it is.
  return Buffer.concat([head, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

/** The frame that a client sends, and the one that comes back to each receiver.
    @param {any} message */
function frames({ size, binary, reply, text }) {
  const payload = text === undefined ? Buffer.alloc(size, "x") : Buffer.from(text);
  const opcode = binary ? 2 : 1;
  const back = reply === undefined ? frame(opcode, payload) : frame(1, Buffer.from(reply));
  return { sent: frame(opcode, payload, true), back };
}

/** The messages in what a server has sent, without control frames, and without one that has not come whole.
    @param {Buffer} bytes
    @returns {Buffer[]} */
function payloads(bytes) {
  const found = [];
  for (let at = 0; bytes.length - at >= 2; ) {
    const opcode = bytes[at] & 0x0f;
    const short = bytes[at + 1];
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length - at < head) break;
    let length = short;
    if (short === 126) length = bytes.readUInt16BE(at + 2);
    if (short === 127) length = Number(bytes.readBigUInt64BE(at + 2));
    at += head + length;
    if (at > bytes.length) break;
    if (opcode === 1 || opcode === 2) found.push(bytes.subarray(at - length, at));
  }
  return found;
}

/** Counts the messages in what a socket reads, without looking at their content. */
class Counter {
  /** Bytes of a payload that are still to come. */
  rest = 0;
  final = false;
  /** The beginning of a header, or of a control frame, whose end has not come.
      @type {Buffer | null} */
  start = null;

  constructor(onControl) {
    this.onControl = onControl;
  }

  count(chunk) {
    const bytes = this.start ? Buffer.concat([this.start, chunk]) : chunk;
    this.start = null;
    let messages = 0;
    let at = 0;
    for (;;) {
      if (this.rest > 0) {
        const step = Math.min(this.rest, bytes.length - at);
        at += step;
        this.rest -= step;
        if (this.rest > 0) return messages;
        if (this.final) messages++;
      }
      if (at === bytes.length) return messages;
      const short = bytes.length - at < 2 ? 0 : bytes[at + 1];
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      const control = bytes[at] & 0x08;
      if (bytes.length - at < head + (control ? short : 0)) {
        this.start = Buffer.from(bytes.subarray(at));
        return messages;
      }
      if (control) {
        this.onControl(bytes[at] & 0x0f, bytes.subarray(at + 2, at + 2 + short));
        at += 2 + short;
        continue;
      }
      this.final = (bytes[at] & 0x80) !== 0;
      if (head === 2) this.rest = short;
      else this.rest = head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      at += head;
    }
  }
}

// --- sockets ---------------------------------------------------------------------------

/** @typedef {net.Socket & { counter: Counter, closing?: boolean, watch?: Watch }} CountedSocket */

/** Microseconds, in ten digits. */
const clock = () => 1e9 + Math.round(performance.now() * 1000);

/** Looks for the times at which messages were sent, in what a socket reads. */
class Watch {
  /** Digits at the end of a chunk, whose rest is still to come. */
  rest = "";
  /** Those that have come in the last second or two: what is said again is no news. */
  seen = new Set();
  before = new Set();
  turned = 0;

  /** @param {number[]} late */
  constructor(late) {
    this.late = late;
  }

  look(chunk) {
    const text = this.rest + chunk.toString("latin1");
    const now = clock();
    this.rest = /** @type {any} */ (/\d{0,10}$/.exec(text))[0];
    if (this.rest.length === 10) this.rest = "";
    if (now - this.turned > 1e6) {
      this.before = this.seen;
      this.seen = new Set();
      this.turned = now;
    }
    for (const [time] of text.matchAll(/\d{10}/g)) {
      if (!this.seen.has(time) && !this.before.has(time)) {
        this.late.push((now - Number(time)) / 1000);
      }
      this.seen.add(time);
    }
  }
}

class Group {
  /** @type {CountedSocket[]} */
  sockets = [];
  received = 0;
  wanted = 0;
  /** Set by a probe, which wants to see what comes to each socket.
      @type {Map<CountedSocket, Buffer[]> | null} */
  chunks = null;
  /** Called when a message has come.
      @type {(() => void) | null} */
  look = null;
  next = 0;
  /** What was sent at a pace, and how long each took, in milliseconds; see `Watch`. */
  sent = 0;
  /** @type {number[]} */
  late = [];

  /** Whether the room says something of its own, and when it was last heard of. */
  greets = false;
  last = 0;

  resolve = () => {};

  /** A room that sleeps after ten seconds may say something when it wakes, which is not counted. It
      never gets there but on a machine that is busy with something else.
      @param {() => Buffer} sent */
  async wake(sent) {
    if (!this.greets || performance.now() - this.last < 5000) return;
    this.expect(Infinity);
    this.sockets[0].write(sent());
    for (let before = -1; before !== this.received || !before; ) {
      before = this.received;
      await after(250);
    }
  }

  /** Resolves when so many messages more have come.
      @returns {Promise<void>} */
  expect(messages) {
    this.received = 0;
    this.wanted = messages;
    return new Promise((resolve) => (this.resolve = resolve));
  }

  take(socket, chunk) {
    if (this.chunks) {
      this.chunks.set(socket, [...(this.chunks.get(socket) ?? []), Buffer.from(chunk)]);
    }
    socket.watch?.look(chunk);
    const messages = socket.counter.count(chunk);
    if (messages === 0) return;
    this.received += messages;
    this.look?.();
    if (this.received === this.wanted) this.resolve();
    if (this.received > this.wanted) fail(`${this.received - this.wanted} messages too many came`);
  }
}

const shared = Buffer.alloc(1 << 18);

/** Open one WebSocket; all of them read into one buffer, which is counted at once. */
function open(group, port, path) {
  return new Promise((resolve, reject) => {
    let upgraded = false;
    /** @type {any} */
    const socket = net.connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: shared,
        callback(length, buffer) {
          if (socket.closing) {
            socket.destroy(); // what came is the answer to our close frame
            return false;
          }
          if (upgraded) {
            group.take(socket, buffer.subarray(0, length));
            return true;
          }
          const answer = Buffer.from(buffer.subarray(0, length)).toString("latin1");
          const end = answer.indexOf("\r\n\r\n");
          if (!answer.startsWith("HTTP/1.1 101") || end < 0) {
            reject(new Error(`no upgrade for ${path}: ${answer}`));
            return false;
          }
          upgraded = true;
          resolve(socket);
          // A greeting may have come with it.
          if (end + 4 < length) group.take(socket, buffer.subarray(end + 4, length));
          return true;
        },
      },
    });
    // workerd asks from time to time whether the client is there, and closes if no answer comes.
    socket.counter = new Counter((opcode, payload) => {
      if (opcode === 9) socket.write(frame(10, payload, true));
    });
    socket.on("error", (error) => (socket.closing ? undefined : fail(`${path}: ${error}`)));
    socket.on("close", () => {
      if (!socket.closing) fail(`the server closed ${path}`);
    });
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
    );
  });
}

function close(socket, handshake) {
  return new Promise((resolve) => {
    socket.closing = true;
    socket.once("close", resolve);
    if (handshake) socket.write(frame(8, Buffer.from([0x03, 0xe8]), true));
    else socket.destroy();
  });
}

// --- HTTP ------------------------------------------------------------------------------

/** Requests one after the other on a connection that is kept. */
function requests(port, paths, count, concurrency) {
  let started = 0;
  const worker = () =>
    new Promise((/** @type {(value?: any) => void} */ resolve, reject) => {
      const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
      let answer = "";
      const next = () => {
        if (started === count) {
          socket.destroy();
          resolve();
          return;
        }
        const path = paths[started++ % paths.length];
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      };
      socket.on("error", reject);
      socket.on("data", (chunk) => {
        answer += chunk.toString("latin1");
        if (!complete(answer)) return;
        if (!answer.startsWith("HTTP/1.1 200")) reject(new Error(answer));
        answer = "";
        next();
      });
      next();
    });
  return Promise.all(Array.from({ length: concurrency }, worker));
}

function complete(answer) {
  const end = answer.indexOf("\r\n\r\n");
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(answer.slice(0, end));
  return length ? answer.length >= end + 4 + Number(length[1]) : answer.endsWith("0\r\n\r\n");
}

// --- pace ------------------------------------------------------------------------------

const after = (/** @type {number} */ milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));

/** When each sender sends, in order. Messages are as far apart as the rate says, and each sender
    begins anywhere in that time: of those that send more seldom than `seconds`, some are silent.
    @returns {{ moment: number, sender: number }[]} */
function schedule(senders, rate, seconds) {
  const due = [];
  for (let sender = 0; sender < senders; sender++) {
    for (let moment = Math.random() / rate; moment < seconds; moment += 1 / rate) {
      due.push({ moment: moment * 1000, sender });
    }
  }
  return due.sort((one, other) => one.moment - other.moment);
}

// --- commands --------------------------------------------------------------------------

async function inChunks(items, size, work) {
  for (let at = 0; at < items.length; at += size) {
    await Promise.all(items.slice(at, at + size).map((item, index) => work(item, at + index)));
  }
}

const commands = {
  async open({ group: name, port, paths, greeting = 0 }) {
    const group = groups.get(name) ?? new Group();
    groups.set(name, group);
    const before = group.sockets.length;
    const due = greeting * paths.length;
    const greeted = due > 0 && group.expect(due);
    await inChunks(paths, 16, async (path, at) => {
      group.sockets[before + at] = await open(group, port, path);
    });
    await greeted;
    group.greets ||= greeting > 0;
    group.last = performance.now();
  },

  async probe({ group: name, fanout, answers, others, ...message }) {
    const group = /** @type {Group} */ (groups.get(name));
    const { sent, back } = frames(message);
    const chunks = (group.chunks = new Map());
    const done = group.expect(fanout);
    group.sockets[0].write(sent);
    await done;
    group.chunks = null;
    const different = (seen) => fail(`another reply: ${seen.toString("latin1", 0, 200)}`);
    if (!answers) {
      const [first] = chunks.values();
      const seen = Buffer.concat(first);
      if (!seen.equals(back)) different(seen);
      return;
    }
    for (const [at, socket] of group.sockets.entries()) {
      const seen = Buffer.concat(chunks.get(socket) ?? []);
      const wanted = (at === 0 ? answers : others).map((text) => JSON.parse(text));
      if (!isDeepStrictEqual(payloads(seen).map((one) => JSON.parse(String(one))), wanted)) different(seen);
    }
  },

  async run({ group: name, messages, window, fanout, ...message }) {
    const group = /** @type {Group} */ (groups.get(name));
    const { sent } = frames(message);
    const { sockets } = group;
    await group.wake(() => sent);
    const single = sockets.length === 1 && Buffer.concat(Array(Math.min(window, messages)).fill(sent));
    for (let left = messages; left > 0; ) {
      const count = Math.min(window, left);
      const done = group.expect(count * fanout);
      if (single) sockets[0].write(single.subarray(0, count * sent.length));
      else {
        for (let i = 0; i < count; i++) sockets[group.next++ % sockets.length].write(sent);
      }
      await done;
      left -= count;
    }
    group.last = performance.now();
  },

  async pace({ group: name, senders, rate, seconds, text, watched }) {
    const group = /** @type {Group} */ (groups.get(name));
    const { sockets } = group;
    group.expect(Infinity);
    group.sent = 0;
    group.late = [];
    for (let i = 0; i < watched; i++) {
      // Spread over all: a room sends to one after the other.
      const socket = sockets[Math.floor(((i + 0.5) * sockets.length) / watched)];
      socket.watch = new Watch(group.late);
    }
    const { sent } = frames({ text });
    const place = sent.indexOf(/** @type {any} */ (/\d{10}/.exec(text))[0]);
    const due = schedule(senders, rate, seconds);
    const start = performance.now();
    let last = 0;
    for (let at = 0; at < due.length; ) {
      const now = performance.now() - start;
      for (; at < due.length && due[at].moment <= now; at++) {
        // No two messages have the same time.
        last = Math.max(last + 1, clock());
        sent.write(String(last), place, "latin1");
        const socket = sockets[Math.floor((due[at].sender * sockets.length) / senders)];
        socket.write(Buffer.from(sent));
        group.sent++;
      }
      if (at < due.length) await after(due[at].moment - (performance.now() - start));
    }
    await after(seconds * 1000 - (performance.now() - start));
  },

  async rest({ group: name, fanout }) {
    const group = /** @type {Group} */ (groups.get(name));
    const inTime = group.received;
    const done = () => group.received >= group.sent * (fanout ?? 0);
    // A server that others keep from its core may be silent for a while.
    for (let before = -1, quiet = 0; !done() && quiet < 100; before = group.received) {
      await after(50);
      quiet = before === group.received ? quiet + 1 : 0;
    }
    await after(100); // too many would come now
    const late = group.late.sort((one, other) => one - other);
    for (const socket of group.sockets) socket.watch = undefined;
    return {
      sent: group.sent,
      received: group.received,
      in_time: inTime,
      watched: late.length,
      median: late[Math.floor(late.length * 0.5)] ?? 0,
      p95: late[Math.floor(late.length * 0.95)] ?? 0,
    };
  },

  async close({ group: name, handshake }) {
    const { sockets } = /** @type {Group} */ (groups.get(name));
    await inChunks(sockets, 64, (socket) => close(socket, handshake));
    groups.delete(name);
  },

  async http({ port, paths, count, concurrency }) {
    await requests(port, paths, count, concurrency);
  },
};

function say(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

function fail(message) {
  say({ error: message });
  process.exit(1);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { op, ...options } = JSON.parse(line);
  if (!(op in commands)) {
    const { commandsOf } = await import("./documents.mjs"); // which need packages
    Object.assign(commands, commandsOf({ groups, Group, open, frame, payloads, after }));
  }
  const before = process.cpuUsage();
  const start = process.hrtime.bigint();
  const patience = setTimeout(() => fail("the answers do not come"), 600_000);
  let found;
  try {
    found = await commands[op](options);
  } catch (error) {
    fail(`${op}: ${error.message}`);
  }
  clearTimeout(patience);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const used = process.cpuUsage(before);
  say({ seconds, cpu: (used.user + used.system) / 1e6, ...found });
}
