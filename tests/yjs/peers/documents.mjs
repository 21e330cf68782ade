// npm's yjs, for tests in Python: a command a line, and an answer a line, both JSON. Bytes are hex.

import { createInterface } from "node:readline";

import * as Y from "yjs";

import { makeLog } from "./random.mjs";

const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));

/** A value as JSON that keeps what JSON has not. */
function shown(value) {
  if (value === undefined) return ["undefined"];
  if (typeof value === "bigint") return ["bigint", `${value}`];
  if (typeof value === "number") return Object.is(value, -0) ? ["-0"] : Number.isFinite(value) ? value : [`${value}`];
  if (value instanceof Uint8Array) return ["bytes", hex(value)];
  if (value instanceof Y.Doc) return ["document", value.guid];
  if (value instanceof Y.XmlHook) return ["hook", value.hookName];
  if (value instanceof Y.XmlElement) {
    return ["element", value.nodeName, shown(value.getAttributes()), shown(value.toArray())];
  }
  if (value instanceof Y.XmlFragment) return ["fragment", shown(value.toArray())];
  if (value instanceof Y.Text) return ["text", shown(value.toDelta())];
  if (value instanceof Y.Map) return ["map", shown(Object.fromEntries(value.entries()))];
  if (value instanceof Y.Array) return ["array", shown(value.toArray())];
  if (Array.isArray(value)) return value.map(shown);
  if (value !== null && typeof value === "object") {
    return Object.entries(value).sort().map(([key, one]) => [key, shown(one)]);
  }
  return value;
}

/** What a document says, and what it waits for. */
function content(doc) {
  // Defined when all is there: the clean-up of formats depends on the order else.
  const roots = [doc.getText("text"), doc.getMap("map"), doc.getArray("array"), doc.getXmlFragment("xml")];
  return JSON.stringify([roots.map(shown), doc.store.pendingStructs && "pending", doc.store.pendingDs && "pending"]);
}

/** One who has no history, and gets these updates one after the other. */
function documentOf(updates, gc = true) {
  const doc = new Y.Doc({ gc });
  for (const update of updates) Y.applyUpdate(doc, bytes(update));
  return doc;
}

const commands = {
  log(seed, options) {
    const { log, moments } = makeLog(seed, options);
    return {
      updates: log.map(hex),
      moments: moments.map((one) => one.map(hex)),
    };
  },
  /** What Yjs itself makes of them, merged first: one by one it may be left waiting. */
  merged(updates) {
    const merged = Y.mergeUpdates(updates.map(bytes));
    return {
      update: hex(merged),
      vector: hex(Y.encodeStateVectorFromUpdate(merged)),
      content: content(documentOf([hex(merged)])),
    };
  },
  contents(lists, gc) {
    return lists.map((updates) => content(documentOf(updates, gc)));
  },
  /** What becomes of each update: the document of one who gets it behind others, or why it fails. */
  applied(updates, before = []) {
    return updates.map((update) => {
      try {
        return { content: content(documentOf([...before, update])) };
      } catch (error) {
        return { failure: String(error) };
      }
    });
  },
  size(updates) {
    return Y.encodeStateAsUpdate(documentOf(updates)).length;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...given] = JSON.parse(line);
  let answer;
  try {
    answer = { value: commands[name](...given) };
  } catch (error) {
    answer = { failure: error instanceof Error ? error.stack : String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
