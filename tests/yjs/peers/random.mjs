// Logs of people who edit one document, made at random from a seed: with npm's yjs, and so with all
// that it writes.

import * as Y from "yjs";

/** A generator of numbers in [0, 1), the same for the same seed. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

class Chance {
  constructor(seed) {
    this.next = seeded(seed);
  }
  below(limit) {
    return Math.floor(this.next() * limit);
  }
  is(probability) {
    return this.next() < probability;
  }
  of(choices) {
    return choices[this.below(choices.length)];
  }
  shuffled(list) {
    const result = [...list];
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [result[i], result[j]] = [result[j], result[i]];
    }
    return result;
  }
}

const PLAIN = ["a", "hello ", "é", "漢字", "x\n", "", "0123456789", "\u0000"];
const EMOJI = ["😀", "👨‍👩‍👧", "a😀b", "🏳️‍🌈"];

function anyValue(chance, depth = 0) {
  const simple = [
    () => null,
    () => undefined,
    () => chance.is(0.5),
    () => chance.below(1000) - 500,
    () => (chance.below(2 ** 30) - 2 ** 29) * 2 ** chance.below(24),
    () => chance.next() * 1e9,
    () => Math.fround(chance.next()),
    () => BigInt(chance.below(2 ** 31)) * 3n,
    () => chance.of(PLAIN),
    () => new Uint8Array([1, 2, chance.below(256)]),
  ];
  if (depth < 3 && chance.is(0.25)) {
    const length = chance.below(4);
    if (chance.is(0.5)) return Array.from({ length }, () => anyValue(chance, depth + 1));
    return Object.fromEntries(
      Array.from({ length }, (_, i) => [`k${i}`, anyValue(chance, depth + 1)]),
    );
  }
  return chance.of(simple)();
}

/** What Yjs lets an array hold by itself. */
function arrayValue(chance) {
  const value = anyValue(chance);
  return value === undefined || typeof value === "bigint" ? [value] : value;
}

function newType(chance) {
  switch (chance.below(4)) {
    case 0: {
      const text = new Y.Text();
      text.insert(0, chance.of(PLAIN) + "nested");
      return text;
    }
    case 1: {
      const map = new Y.Map();
      map.set("inner", chance.below(10));
      return map;
    }
    case 2: {
      const array = new Y.Array();
      array.push([1, "two"]);
      return array;
    }
    default:
      return new Y.Doc({ guid: `sub-${chance.below(1e6)}` });
  }
}

function newXml(chance) {
  if (chance.is(0.3)) return new Y.XmlText(chance.of(PLAIN) + "xml");
  if (chance.is(0.1)) return new Y.XmlHook(chance.of(["one", "two"]));
  const element = new Y.XmlElement(chance.of(["p", "div", "em"]));
  element.setAttribute("class", `c${chance.below(3)}`);
  return element;
}

/** Types of `wanted` within a type, itself included. */
function within(type, wanted, found = []) {
  if (type instanceof wanted) found.push(type);
  const children =
    type instanceof Y.Map ? [...type.values()]
    : type instanceof Y.Array ? type.toArray()
    : type instanceof Y.XmlFragment ? type.toArray()
    : [];
  for (const child of children) if (child instanceof Y.AbstractType) within(child, wanted, found);
  return found;
}

function edit(peer, chance, options) {
  const { doc } = peer;
  const pieces = options.emoji ? [...PLAIN, ...EMOJI] : PLAIN;
  switch (options.typing ? 0 : chance.below(10)) {
    case 0: case 1: case 2: case 3: {
      const nested = within(doc.getMap("map"), Y.Text);
      const text = chance.is(0.7) || !nested.length ? doc.getText("text") : chance.of(nested);
      return editText(text, chance, pieces, peer);
    }
    case 4: case 5: {
      const map = chance.of(within(doc.getMap("map"), Y.Map));
      const key = chance.of(["a", "b", "__proto__", "é"]);
      if (chance.is(0.2)) map.delete(key);
      else map.set(key, chance.is(0.3) ? newType(chance) : anyValue(chance));
      return;
    }
    case 6: case 7: {
      const array = chance.of(within(doc.getArray("array"), Y.Array));
      if (array.length && chance.is(0.3)) {
        const index = chance.below(array.length);
        array.delete(index, 1 + chance.below(Math.min(3, array.length - index)));
      } else {
        const content =
          chance.is(0.3) ? [newType(chance)]
          : Array.from({ length: 1 + chance.below(4) }, () => arrayValue(chance));
        array.insert(chance.below(array.length + 1), content);
      }
      return;
    }
    case 8: {
      const xml = chance.of(
        within(doc.getXmlFragment("xml"), Y.XmlFragment).filter((one) => !(one instanceof Y.XmlHook)),
      );
      if (xml.length && chance.is(0.3)) xml.delete(chance.below(xml.length), 1);
      else xml.insert(chance.below(xml.length + 1), [newXml(chance)]);
      return;
    }
    default:
      if (chance.is(0.5)) peer.history.undo();
      else peer.history.redo();
  }
}

function editText(text, chance, pieces, peer) {
  const length = text.length;
  // People go on where they are, as a rule.
  const index = chance.is(0.6) ? Math.min(peer.cursor, length) : chance.below(length + 1);
  const what = chance.next();
  if (what < 0.6 || !length) {
    const piece = chance.of(pieces);
    if (chance.is(0.1)) text.insert(index, piece, { bold: true });
    else text.insert(index, piece);
    peer.cursor = index + piece.length;
  } else if (what < 0.8) {
    const start = Math.min(index, length - 1);
    text.delete(start, 1 + chance.below(Math.min(5, length - start)));
    peer.cursor = start;
  } else if (what < 0.92) {
    const start = Math.min(index, length - 1);
    const value = chance.of([true, null, "red", { deep: [1] }]);
    text.format(start, 1 + chance.below(length - start), { [chance.of(["bold", "color"])]: value });
  } else {
    text.insertEmbed(index, { image: "x.png", width: chance.below(9) });
  }
}

/**
 * A log of updates, as they were made, with some that answer a state vector among them; and what
 * single people had at some moments.
 */
export function makeLog(seed, options) {
  const chance = new Chance(seed);
  const log = [];
  const moments = [];
  const peers = Array.from({ length: 2 + chance.below(3) }, (_, number) => {
    const doc = new Y.Doc({ gc: options.gc ?? chance.is(0.5) });
    doc.clientID = chance.is(0.2) ? chance.below(2 ** 32) : number + 1 + chance.below(200) * 10;
    const peer = { doc, inbox: /** @type {Uint8Array[]} */ ([]), cursor: 0, offline: 0 };
    peer.history = new Y.UndoManager([doc.getText("text"), doc.getMap("map")], { captureTimeout: 0 });
    doc.on("update", (update, origin) => {
      if (origin === "remote") return;
      log.push(update);
      for (const other of peers) if (other !== peer) other.inbox.push(update);
    });
    return peer;
  });
  const receive = (peer) => {
    const updates = chance.is(0.5) ? peer.inbox : chance.shuffled(peer.inbox);
    peer.inbox = [];
    for (const update of updates) Y.applyUpdate(peer.doc, update, "remote");
  };
  for (let step = 0; step < options.steps; step++) {
    const peer = chance.of(peers);
    if (chance.is(0.05)) peer.offline = chance.below(20);
    if (peer.offline > 0) peer.offline--;
    else if (chance.is(0.5)) receive(peer);
    if (chance.is(0.1)) peer.doc.transact(() => {
      for (let i = chance.below(4); i >= 0; i--) edit(peer, chance, options);
    });
    else edit(peer, chance, options);
    if (chance.is(0.04)) {
      const other = chance.of(peers);
      log.push(Y.encodeStateAsUpdate(peer.doc, Y.encodeStateVector(other.doc)));
    }
    if (chance.is(0.05)) {
      moments.push([Y.encodeStateVector(peer.doc), Y.encodeStateAsUpdate(peer.doc)]);
    }
  }
  return { log, moments };
}
