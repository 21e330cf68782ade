// The load's commands for shared documents. What people write is made by npm's yjs (`typing.mjs`),
// before the time is taken:
//   {"op": "write", "group": g, "rooms": n, "document": {"kind": "typed" | "pasted", "size": bytes}}
//   {"op": "listen", "group": g, "rooms": n}   a keystroke in each room: what comes of it?
//   {"op": "type", "group": g, "keystrokes": n, "window": w, "backspaces": share}
//   {"op": "size", "group": g}                 what Yjs itself needs for all that was typed
//   {"op": "newcomers", "group": g, "port": p, "path": s, "count": n, "is_checked": bool}
//   {"op": "wake", "group": g, "rooms": n}     a keystroke in each room, one after the other
// Of a group with n rooms, the first n sockets are each in another one. `listen` compares what the
// others hear with what was typed, byte by byte, and counts what comes from then on for each
// keystroke; `newcomers` are checked by what their documents say.

import { answer, COMING, says, together, Typist, Written } from "./typing.mjs";

/** @type {Map<string, Written>} */
const documents = new Map();

/** @param {any} load what `load.mjs` has */
export function commandsOf({ groups, Group, open, frame, payloads, after }) {
  const masked = (payload) => frame(2, payload, true);
  const coming = Buffer.concat(COMING.map(masked));

  /** What has come to a socket since the group keeps chunks. */
  const heard = (group, socket) => payloads(Buffer.concat(group.chunks.get(socket) ?? []));

  /** Send something, and wait for the answer to who has come; the updates that are the document. */
  function synced(group, socket, sent) {
    return new Promise((resolve) => {
      group.look = () => {
        const found = answer(heard(group, socket));
        if (!found) return;
        group.look = null;
        resolve(found);
      };
      socket.write(sent);
    });
  }

  /** What is sent next by a group's socket. */
  function keystroke(group, at, backspaces = 0) {
    if (group.document) return group.document.keystroke();
    group.typists ??= group.sockets.map((_, number) => new Typist(number));
    return group.typists[at].keystroke(backspaces);
  }

  async function timed(work) {
    const before = process.cpuUsage();
    const start = performance.now();
    await work();
    const used = process.cpuUsage(before);
    return { seconds: (performance.now() - start) / 1000, cpu: (used.user + used.system) / 1e6 };
  }

  return {
    async write({ group: name, rooms, document: { kind, size } }) {
      const group = groups.get(name);
      const key = `${kind} ${size}`;
      const document = documents.get(key) ?? new Written(kind, size);
      documents.set(key, document);
      group.document = document;
      group.expect(Infinity);
      for (const socket of group.sockets.slice(0, rooms)) {
        group.chunks = new Map();
        await synced(group, socket, Buffer.concat(document.frames.map(masked)));
      }
      group.chunks = null;
      return { size: document.size };
    },

    async listen({ group: name, rooms }) {
      const group = groups.get(name);
      const { sockets } = group;
      for (let room = 0; room < rooms; room++) {
        group.chunks = new Map();
        group.expect(Infinity);
        const sent = keystroke(group, room);
        const others = sockets.filter((_, at) => at % rooms === room && at !== room);
        const have = (one) => heard(group, one).some((payload) => payload.equals(sent));
        sockets[room].write(masked(sent));
        for (let before = -1, quiet = 0; quiet < 3; before = group.received) {
          await after(100);
          quiet = before === group.received && others.every(have) ? quiet + 1 : 0;
        }
        group.fanout = group.received;
      }
      group.chunks = null;
      group.last = performance.now();
      return { fanout: group.fanout };
    },

    async type({ group: name, keystrokes, window, backspaces }) {
      const group = groups.get(name);
      const { sockets } = group;
      // A room of npm's that sleeps after ten seconds has something to say when it wakes.
      await group.wake(() => masked(keystroke(group, 0, backspaces)));
      const sent = Array.from({ length: keystrokes }, () => {
        const at = group.next++ % sockets.length;
        return { socket: sockets[at], bytes: masked(keystroke(group, at, backspaces)) };
      });
      const took = await timed(async () => {
        for (let at = 0; at < sent.length; at += window) {
          const some = sent.slice(at, at + window);
          const done = group.expect(some.length * group.fanout);
          for (const { socket, bytes } of some) socket.write(bytes);
          await done;
        }
      });
      group.last = performance.now();
      return took;
    },

    async size({ group: name }) {
      const group = groups.get(name);
      group.document = together(group.typists);
      return { size: group.document.size };
    },

    async newcomers({ group: name, port, path, count, is_checked }) {
      const all = groups.get(name);
      let found;
      const took = await timed(async () => {
        for (let number = 0; number < count; number++) {
          const group = new Group();
          group.expect(Infinity);
          group.chunks = new Map();
          const socket = await open(group, port, path);
          all.sockets.push(socket);
          found = await synced(group, socket, coming);
          group.chunks = null;
        }
      });
      if (is_checked && says(found) !== all.document.says) throw new Error("another document");
      return took;
    },

    async wake({ group: name, rooms }) {
      const group = groups.get(name);
      const sent = Array.from({ length: rooms }, (_, room) => masked(keystroke(group, room)));
      return timed(async () => {
        for (let room = 0; room < rooms; room++) {
          const done = group.expect(group.fanout);
          group.sockets[room].write(sent[room]);
          await done;
        }
      });
    },
  };
}
