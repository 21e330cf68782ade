// What people write in shared documents, made by npm's yjs: the frames that its clients send.

import * as encoding from "lib0/encoding";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";

const TEXT = "content";
/** Of random numbers, as those of clients are: the same ones each time. */
const FIRST_CLIENT = 0xc0000000;
const WORDS = "the quick brown fox jumps over the lazy dog while nobody looks at it ".split(/(?<= )/);
/** Characters between two moves of the caret, and how far it moves, at most. */
const BURST = 24;
const MOVE = 400;
/** Updates that a document is sent in. */
const PIECES = 100;

const SYNC = 0;
const STEP_2 = 1;

/** @param {(encoder: encoding.Encoder) => void} write */
function frame(write) {
  const encoder = encoding.createEncoder();
  encoding.writeVarUint(encoder, SYNC);
  write(encoder);
  return Buffer.from(encoding.toUint8Array(encoder));
}

const updated = (update) => frame((encoder) => sync.writeUpdate(encoder, update));
const asked = (doc) => frame((encoder) => sync.writeSyncStep1(encoder, doc));

/** What a client says who has nothing: what it lacks, and to the room's question, what it has. */
export const COMING = [asked(new Y.Doc()), frame((e) => sync.writeSyncStep2(e, new Y.Doc()))];

/** Numbers below 1 that are the same each time (a linear congruential generator). */
function chance(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Somebody who types, and now and then goes on elsewhere. */
export class Typist {
  /** @param {number} number */
  constructor(number) {
    this.doc = new Y.Doc();
    this.doc.clientID = FIRST_CLIENT + number;
    this.text = this.doc.getText(TEXT);
    this.random = chance(number + 1);
    this.caret = 0;
    this.doc.on("update", (update) => (this.last = update));
  }

  /** The frame of one.
      @param {number} backspaces their share of all */
  keystroke(backspaces) {
    const { random, text } = this;
    if (random() < 1 / BURST) this.caret = Math.floor(random() * (text.length + 1));
    if (this.caret && random() < backspaces) text.delete(--this.caret, 1);
    else text.insert(this.caret++, random() < 0.2 ? " " : "e");
    return updated(this.last);
  }
}

/** What all of these have typed: what it says, and how many bytes Yjs itself needs for it.
    @param {Typist[]} typists */
export function together(typists) {
  const whole = new Y.Doc();
  for (const { doc } of typists) Y.applyUpdate(whole, Y.encodeStateAsUpdate(doc));
  return { says: whole.getText(TEXT).toString(), size: Y.encodeStateAsUpdate(whole).length };
}

/** A document of about so many bytes, as Yjs encodes it: pasted by one, or typed by three who went
    back and forth. `frames` are what brings it to a room, and the last of them asks for the answer. */
export class Written {
  constructor(kind, size) {
    this.doc = new Y.Doc();
    this.text = this.doc.getText(TEXT);
    this.at = 0;
    const updates = [];
    this.doc.on("update", (update) => updates.push((this.last = update)));
    if (kind === "pasted") this.paste(size);
    else this.type(size);
    const each = Math.ceil(updates.length / PIECES);
    this.frames = [];
    for (let at = 0; at < updates.length; at += each) {
      this.frames.push(updated(Y.mergeUpdates(updates.slice(at, at + each))));
    }
    this.frames.push(asked(this.doc));
    this.says = this.text.toString();
    this.size = Y.encodeStateAsUpdate(this.doc).length;
  }

  paste(size) {
    this.doc.clientID = FIRST_CLIENT;
    this.text.insert(0, WORDS.join("").repeat(Math.ceil(size / WORDS.join("").length)).slice(0, size));
  }

  type(size) {
    const random = chance(size);
    let caret = 0;
    let next = 100; // when its size is looked at
    for (let number = 1; ; number++) {
      this.doc.clientID = FIRST_CLIENT + Math.floor(random() * 3);
      const words = WORDS[number % WORDS.length] + WORDS[(number * 7) % WORDS.length];
      this.text.insert(caret, words);
      caret += words.length;
      if (random() < 0.1) this.text.delete((caret -= 4), 4);
      caret += Math.floor((random() * 2 - 1) * MOVE);
      caret = Math.max(0, Math.min(caret, this.text.length));
      if (number < next) continue;
      next = Math.ceil(number * 1.05);
      if (Y.encodeStateAsUpdate(this.doc).length >= size) return;
    }
  }

  /** A frame of somebody new who inserts a character into it, away from all others of these. */
  keystroke() {
    this.at += 3;
    if (this.at > this.text.length) throw new Error("there is no more room in the document");
    this.doc.clientID = FIRST_CLIENT + 1000 + this.at;
    this.text.insert(this.at, "e");
    return updated(this.last);
  }
}

/** The frames' updates if the last is the answer to who has come, else null.
    @param {Buffer[]} frames */
export function answer(frames) {
  const updates = frames.filter((one) => one[0] === SYNC && one[1] >= STEP_2);
  return updates.some((one) => one[1] === STEP_2) ? updates : null;
}

/** What a document says that is made of such frames.
    @param {Buffer[]} frames */
export function says(frames) {
  const doc = new Y.Doc();
  for (const one of frames) Y.applyUpdate(doc, body(one));
  return doc.getText(TEXT).toString();
}

/** @param {Buffer} one */
function body(one) {
  let at = 2;
  while (one[at] & 0x80) at++;
  return one.subarray(at + 1);
}
