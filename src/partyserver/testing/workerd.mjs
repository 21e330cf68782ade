// How the runtime's process is started: by which command, with which interpreter, and from which
// start-up snapshot. That is Python's memory after the imports of the worker, which take most of the
// time of a start. The first start with the same modules and variables leaves one behind.

import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync, copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, readdirSync, renameSync,
  rmSync, statSync, utimesSync, writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** It rises with each change in how snapshots are made. */
const METHOD = 1;
/** How many are kept, of some 40 MB each: those that were used last. This library's own tests have
    more workers than that. */
const KEPT = Number(process.env.PARTYSERVER_SNAPSHOTS_KEPT ?? 8);
/** How their names end. It is nothing that wrangler takes for a module of a worker around them. */
const KEPT_AS = ".snapshot";
/** The name that the runtime gives to what it makes. */
const MADE = "snapshot.bin";
/** The flag of a worker that is imported at each start, also on the platform. */
const HAS_NONE = "disable_python_dedicated_snapshot";
/** A bundle of this name is of the user's own making, and needs flags to be accepted. */
const OWN_BUNDLE = "pyodide_dev.capnp.bin";

/** How the name of what stands for one ends that cannot be: a worker may hold objects of JavaScript in
    global variables, which is its own matter where no snapshot is made of it. */
const REFUSED = ".none";
const OF_SNAPSHOTS = /\bat pyodide-internal:snapshot:/;

const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
const digestOf = (data) => createHash("sha256").update(data).digest("hex").slice(0, 32);

const isPython = (config) => {
  const { modules, mainModule } = config?.manifest ?? {};
  return modules?.[mainModule]?.type === "python";
};

export class Workerd {
  #binary;
  #script;
  #arguments = [];
  /** A file of the runtime's alone, which no other run removes. */
  #own;
  #bundle;
  #cache;
  /** The name of the snapshot that this start makes or uses. */
  #key;
  #isMaking = false;

  /** Compatibility flags that a Python worker needs for the interpreter.
      @type {string[]} */
  flags = [];

  constructor({ miniflare, temporary, pyodideBundle, snapshots }) {
    const installed = createRequire(miniflare)("workerd").default;
    this.#script = join(temporary, "workerd");
    this.#own = join(temporary, "snapshot");
    this.#bundle = pyodideBundle;
    this.#cache = process.platform === "win32" ? undefined : snapshots;
    this.#binary = installed;
    if (pyodideBundle) {
      mkdirSync(pyodideBundle, { recursive: true });
      this.#arguments = [`--pyodide-bundle-disk-cache-dir=${pyodideBundle}`];
      const isOwn = existsSync(join(pyodideBundle, OWN_BUNDLE));
      if (isOwn) this.flags = ["python_workers_development", "experimental"];
    } else {
      if (!this.#cache) return; // Miniflare starts it by itself
      this.#binary = process.env.MINIFLARE_WORKERD_PATH ?? installed;
    }
    this.#write();
    process.env.MINIFLARE_WORKERD_PATH = this.#script;
  }

  /** These workers are started next. */
  prepare(workers) {
    const python = workers.filter(({ config }) => isPython(config));
    // A snapshot is of one worker, and the runtime gives it to all that are in Python.
    if (!this.#cache || python.length !== 1) return;
    if (python[0].config.compatibilityFlags?.includes(HAS_NONE)) return;
    try {
      mkdirSync(this.#cache, { recursive: true, mode: 0o700 });
      mkdirSync(this.#own, { recursive: true, mode: 0o700 });
      this.#key = this.#keyOf(python[0].config);
      if (existsSync(join(this.#cache, this.#key + REFUSED))) this.#startPlain();
      else if (this.#take()) this.#load();
      else this.#save();
    } catch (error) {
      if (!error.code) throw error;
      this.#startPlain(); // a folder that cannot be written to, say
    }
  }

  /** Whether the start that is over was to make a snapshot. The next one uses it, if it is there. */
  hasMade() {
    if (!this.#isMaking) return false;
    try {
      this.#keep(join(this.#own, MADE));
      this.#load();
    } catch (error) {
      if (!error.code) throw error;
      this.#startPlain();
    }
    return true;
  }

  /** Whether a start has failed for its snapshot alone, and another one is to be tried. */
  hasFailed(error) {
    if (!this.#key || !OF_SNAPSHOTS.test(error.message)) return false;
    try {
      writeFileSync(join(this.#cache, this.#key + REFUSED), "");
      this.#prune();
    } catch {
      // Then the next run learns it anew.
    }
    this.#startPlain();
    return true;
  }

  #startPlain() {
    this.#key = undefined;
    this.#isMaking = false;
    this.#write();
  }

  #load() {
    this.#isMaking = false;
    this.#write(`--python-load-snapshot=${MADE}`, `--python-snapshot-dir=${this.#own}`);
  }

  #save() {
    this.#isMaking = true;
    this.#write("--python-save-snapshot", `--python-snapshot-dir=${this.#own}`);
  }

  #write(...more) {
    const words = [this.#binary, ...this.#arguments, ...more].map(quote);
    const [binary, ...options] = words;
    const draft = `${this.#script}.new`;
    writeFileSync(draft, `#!/bin/sh\nexec ${binary} "$@" ${options.join(" ")}\n`);
    chmodSync(draft, 0o755);
    renameSync(draft, this.#script);
  }

  /** A hash of all that the memory after the imports may depend on. */
  #keyOf({ manifest: { modules, mainModule }, ...config }) {
    const hash = createHash("sha256");
    const versions = [this.#binary, ...this.#bundleFiles()].map((path) => {
      const { size, mtimeMs } = statSync(path);
      return [path, size, mtimeMs];
    });
    hash.update(JSON.stringify([METHOD, versions, mainModule, config]));
    for (const [name, { type, contents }] of Object.entries(modules)) {
      hash.update(JSON.stringify([type, name, contents.length])).update(contents);
    }
    return hash.digest("hex").slice(0, 32);
  }

  #bundleFiles() {
    if (!this.#bundle) return [];
    return readdirSync(this.#bundle).sort().map((name) => join(this.#bundle, name));
  }

  /** Have the snapshot of this name as a file of one's own: whether there is a whole one. */
  #take() {
    const name = readdirSync(this.#cache).find((name) => name.startsWith(`${this.#key}.`));
    if (!name) return false;
    const path = join(this.#cache, name);
    const own = join(this.#own, MADE);
    rmSync(own, { force: true });
    try {
      linkSync(path, own);
    } catch {
      copyFileSync(path, own); // on another disk
    }
    const isWhole = name === `${this.#key}.${digestOf(readFileSync(own))}${KEPT_AS}`;
    if (isWhole) utimesSync(own, new Date(), new Date());
    else rmSync(path, { force: true });
    return isWhole;
  }

  /** Have it for other runs, too. */
  #keep(made) {
    const digest = digestOf(readFileSync(made));
    const draft = join(this.#cache, `${randomBytes(8).toString("hex")}.new`);
    copyFileSync(made, draft);
    renameSync(draft, join(this.#cache, `${this.#key}.${digest}${KEPT_AS}`));
    this.#prune();
  }

  #prune() {
    const paths = readdirSync(this.#cache).map((name) => join(this.#cache, name));
    const used = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const byUse = paths.map((path) => ({ path, time: used(path) })).sort((a, b) => b.time - a.time);
    for (const { path } of byUse.slice(KEPT)) rmSync(path, { force: true });
  }
}
