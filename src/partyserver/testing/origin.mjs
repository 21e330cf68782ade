// What a runtime was started with, and of which files: whether another start would give the same.

import { createRequire } from "node:module";
import { dirname, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { differences, look } from "./files.mjs";

/** The kit itself, of another version perhaps. */
const OWN = fileURLToPath(new URL(".", import.meta.url));
/** Milliseconds that the times of files may be behind. */
const TICK = 10;
/** Where wrangler writes files of its own, which it adds to a bundle. */
const WRANGLERS = `${sep}.wrangler${sep}`;

export class Origin {
  #settings;
  #environment;
  #env;
  /** What is read before a worker is built. */
  #fixed = new Set();
  /** Files, and folders with all that is in them, by the configs of the workers that are of them. */
  #sources = new Map();
  /** Folders of which every file is served. */
  #served = new Set();
  /** When the modules of a worker have begun to be read, by its config. */
  #read = new Map();
  /** Files that a bundle of JavaScript is made of, and when they have begun to be read. */
  #bundled = new Map();
  #files;

  /** What has changed during the start, and is in the runtime or not.
      @type {string | undefined} */
  outdated;

  constructor({ settings, environment, env, wranglerPackage }) {
    this.#settings = settings;
    this.#environment = environment;
    this.#env = env;
    const require = createRequire(wranglerPackage);
    const miniflare = require.resolve("miniflare");
    const workerd = createRequire(miniflare).resolve("workerd/package.json");
    for (const path of [wranglerPackage, miniflare, workerd, OWN]) this.#fixed.add(path);
  }

  /** The files of a worker are of the runtime: its config, and what wrangler has read in that. */
  watch(config, { main, base_dir, assets, build }) {
    const at = (path) => resolve(dirname(config), path);
    const sources = [at("python_modules")];
    if (main) sources.push(at(main), dirname(at(main)));
    if (base_dir) sources.push(at(base_dir));
    if (assets?.directory) {
      const folder = at(assets.directory);
      sources.push(folder);
      // One that has all of the project in it has what tools write there, too.
      if (relative(folder, config).startsWith("..")) this.#served.add(folder);
    }
    // Here, and only here, wrangler counts from the current folder.
    if (build?.command) {
      sources.push(...[build.watch_dir ?? "src"].flat().map((path) => resolve(path)));
    }
    this.#sources.set(config, sources);
    for (const path of [config, at("package-lock.json")]) this.#fixed.add(path);
    for (const name of [".dev.vars", ".env"]) {
      for (const end of ["", ".local", `.${this.#env}`, `.${this.#env}.local`]) {
        this.#fixed.add(at(name + end));
      }
    }
  }

  startsNow() {
    this.#files = look(this.#fixed);
  }

  /** What its build command has written is there, and its modules are about to be read. */
  isRead(config) {
    this.#read.set(config, Date.now());
    for (const [path, file] of look(this.#sources.get(config), this.#served)) {
      if (!this.#fixed.has(path)) this.#files.set(path, file);
    }
  }

  isMadeOf(config, paths) {
    for (const path of paths) {
      const own = resolve(dirname(config), path);
      if (own.includes(WRANGLERS)) continue;
      this.#bundled.set(own, this.#bundled.get(own) ?? this.#read.get(config));
    }
  }

  hasStarted() {
    const before = this.#files;
    this.#files = this.#look();
    this.outdated = differences(before, this.#files).find((path) => {
      const { changed = Infinity } = this.#files.get(path) ?? {};
      return before.has(path) || !(changed + TICK < this.#bundled.get(path));
    });
  }

  /** Why the runtime is of no use to another run; nothing if it is. */
  keepsNot() {
    if (!this.outdated) return undefined;
    return `${relative(process.cwd(), this.outdated)} has changed while it started`;
  }

  /** Why a runtime that is started now would be another; nothing if it would be the same. */
  difference({ settings, environment }) {
    const setting = firstDifference(this.#settings, settings);
    if (setting) return `${setting} has changed`;
    const variable = firstDifference(this.#environment, environment);
    if (variable) return `${variable} has changed in the environment`;
    const [path, ...more] = differences(this.#files, this.#look());
    if (!path) return undefined;
    const others = more.length ? ` and ${more.length} more have` : " has";
    return `${relative(process.cwd(), path)}${others} changed`;
  }

  #look() {
    const sources = [...this.#sources.values()].flat();
    return look([...this.#fixed, ...sources, ...this.#bundled.keys()], this.#served);
  }
}

function firstDifference(before, after) {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].find((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}
