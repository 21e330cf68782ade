// What a runtime was started with, and of which files: whether another start would give the same.

import { createRequire } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { differences, look } from "./files.mjs";

/** The kit itself, of another version perhaps. */
const OWN = fileURLToPath(new URL(".", import.meta.url));

export class Origin {
  #settings;
  #environment;
  #env;
  /** Files, and folders with all that is in them. */
  #watched = new Set();
  /** Files that a bundle of JavaScript is made of. */
  #bundled = new Set();
  #files;
  #hasBuild = false;
  #builtAt = 0;

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
    for (const path of [wranglerPackage, miniflare, workerd, OWN]) this.#watched.add(path);
  }

  /** The files of a worker are of the runtime: its config, and what wrangler has read in that. */
  watch(config, { main, base_dir, assets, build }) {
    const add = (...paths) => {
      for (const path of paths) this.#watched.add(resolve(dirname(config), path));
    };
    add(config, "python_modules", "package-lock.json");
    if (main) add(dirname(main));
    if (base_dir) add(base_dir);
    if (assets?.directory) add(assets.directory);
    for (const name of [".dev.vars", ".env"]) {
      for (const end of ["", ".local", `.${this.#env}`, `.${this.#env}.local`]) add(name + end);
    }
    if (build?.command) {
      this.#hasBuild = true;
      // Here, and only here, wrangler counts from the current folder.
      for (const path of [build.watch_dir ?? "src"].flat()) this.#watched.add(resolve(path));
    }
  }

  startsNow() {
    this.#files = look(this.#watched);
  }

  isMadeOf(config, paths) {
    for (const path of paths) this.#bundled.add(resolve(dirname(config), path));
  }

  /** A build command writes files; what changes later than it is somebody else's. */
  isBuilt() {
    this.#builtAt = Date.now();
  }

  hasStarted() {
    const before = this.#files;
    this.#files = this.#look();
    this.outdated = differences(before, this.#files).find((path) => {
      const mayChange = this.#hasBuild || this.#bundled.has(path);
      const { changed = Infinity } = this.#files.get(path) ?? {};
      return !mayChange || changed > this.#builtAt;
    });
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
    return look([...this.#watched, ...this.#bundled]);
  }
}

function firstDifference(before, after) {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].find((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}
