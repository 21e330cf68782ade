// What a worker is made of, as files: whether any of it is another than it was.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

/** Folders that no worker is in, by their names. Those with a dot are left out, too. */
const LEFT_OUT = new Set(["node_modules", "__pycache__", "htmlcov"]);
/** What lies beside a worker and is not of it, but for the variables that wrangler reads. */
const HIDDEN = /^\.(?!dev\.vars|env)/;
const VENDORED = "python_modules";
/** What pytest takes for tests where it is not told otherwise. */
const TEST = /^(test_.*|.*_test|conftest)\.py$/;

/** The files at these paths and below, each with what tells its versions apart. Of what is `served`,
    hidden files and tests count, too.
    @param {Iterable<string>} roots
    @param {Set<string>} served */
export function look(roots, served = new Set()) {
  /** @type {Map<string, { version: string, changed: number }>} */
  const found = new Map();
  for (const root of roots) {
    const isServed = served.has(root);
    const tests = [];
    const sources = [];
    add(root, found);
    visit(root, basename(root) === VENDORED);
    addImported(tests, sources, found);

    function visit(folder, isVendored) {
      const entries = tried(() => readdirSync(folder, { withFileTypes: true })) ?? [];
      if (folder !== root && entries.some(({ name }) => name === "pyvenv.cfg")) return;
      for (const entry of entries) {
        const { name } = entry;
        const path = join(folder, name);
        if ((HIDDEN.test(name) && !isServed) || name.endsWith(".pyc")) continue;
        if (entry.isDirectory()) {
          if (!LEFT_OUT.has(name)) visit(path, isVendored || name === VENDORED);
        } else if (TEST.test(name) && !isVendored && !isServed) {
          tests.push(path);
        } else {
          if (name.endsWith(".py") && !isVendored) sources.push(path);
          add(path, found);
        }
      }
    }
  }
  return found;
}

/** A module that looks like a test belongs to the worker if any other names it. */
function addImported(tests, sources, found) {
  if (!tests.length) return;
  const text = sources.map((path) => tried(() => readFileSync(path, "utf8"))).join("\n");
  for (const path of tests) {
    const module = basename(path, ".py");
    if (new RegExp(`\\b${module}\\b`).test(text)) add(path, found);
  }
}

/** What is no file, such as a link to a folder, wrangler does not read either. */
function add(path, found) {
  const stat = tried(() => statSync(path, { bigint: true }));
  if (!stat?.isFile()) return;
  const { size, ino, mtimeNs, ctimeNs } = stat;
  const changed = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n);
  found.set(path, { version: [size, ino, mtimeNs, ctimeNs].join(" "), changed });
}

/** Nothing of what is not there, or may not be read. */
function tried(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The paths of what is there in one of two looks only, or is not the same in both. */
export function differences(before, after) {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path)?.version !== after.get(path)?.version);
}
