// The kit's Node side: runs the user's worker through wrangler's own API and obeys the lines on
// stdin. Each line is a JSON command; answers and log lines go to stdout as JSON text sequences
// (RFC 7464: each starts with 0x1E), so that whatever wrangler prints there does no harm.

import { existsSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { finished } from "node:stream";

import { CONTROL_MODULE, CONTROL_SCRIPT, CONTROL_WORKER } from "./control.mjs";
import { Keeper, guard } from "./keeping.mjs";
import { Origin } from "./origin.mjs";
import { Workerd } from "./workerd.mjs";
import { PROBE, addProbe, bundleOf, matchStorage, rooms } from "./workers.mjs";

const { wranglerPackage, configs, env, persist, temporary, pyodideBundle, snapshots } = JSON.parse(
  process.argv[2],
);

const ignore = () => true;
/** Where answers and log lines go: to the run of pytest that has started this process, or that uses
    it now. */
let client = { write: process.stdout.write.bind(process.stdout) };
const record = (message) => `\x1e${JSON.stringify(message)}\n`;
const tell = (message) => client.write(record(message));
process.stdout.write = process.stderr.write.bind(process.stderr);

const require = createRequire(wranglerPackage);
const marks = new Map();

const INTERPRETER_FRAMES = /^( +at .*(wasm|pyodide)|stack: .*workerd@).*\n?/gm;
const PROBE_FRAMES = new RegExp(`^ +File ".*/${PROBE}\\.py", .*\n( {4}.*\n){0,2}`, "gm");
const UNCAUGHT =
  /^uncaught exception; (?:source = .*?; stack|desc|exception) = (?:workerd\/.*?jsg\.Error: )?([^]*)/;
const INTERNAL = /^(exception = (kj|workerd)\/|NOSENTRY )/;
let lastUncaught;

function log({ level, message, timestamp = Date.now() }) {
  const mark = marks.get(message.trim());
  if (mark) {
    lastUncaught = undefined;
    return mark();
  }
  if (INTERNAL.test(message)) return;
  message = message.replace(INTERPRETER_FRAMES, "").replace(PROBE_FRAMES, "").trimEnd();
  const uncaught = UNCAUGHT.exec(message);
  if (uncaught) {
    // The runtime reports one exception at each promise that it passes.
    if (uncaught[1] === lastUncaught || message.includes(CONTROL_MODULE)) return;
    lastUncaught = uncaught[1];
    level = "error";
    message = `Uncaught ${lastUncaught}`;
  }
  tell({ log: { level, message, timestamp } });
}

/** What wrangler has built of the workers beside the primary one, for the runtime to run too. */
const companions = [];
let gathering = true;
/** The config whose worker is being built. */
let building;

/** How the runtime is started.
    @type {Workerd} */
let workerd;

/** Make wrangler's Miniflare run more than the worker that it is started for: its companions, and
    the worker that can wipe. */
function extendMiniflare() {
  const path = require.resolve("miniflare");
  const original = require(path);
  const { Miniflare, convertV4MiniflareOptions: convert } = original;
  if (!convert) throw unknownWrangler();
  class RestartableMiniflare extends Miniflare {
    constructor(options) {
      super(options);
      this.restart = () => this.setOptions(options);
    }
  }
  /** @type {NodeModule} */ (require.cache[path]).exports = {
    ...original,
    convertV4MiniflareOptions(options) {
      // Before the runtime is started, which takes long: an import may be known to fail.
      for (const worker of options.workers) {
        const bundle = bundleOf(worker, dirname(building));
        if (bundle) tell({ bundle });
      }
      if (gathering) return companions.push(...options.workers);
      const workers = [...options.workers, ...companions];
      matchStorage(workers);
      workers.forEach(addProbe);
      const control = {
        name: CONTROL_WORKER,
        durableObjects: Object.fromEntries(rooms(workers[0])),
        modules: [{ type: "ESModule", path: CONTROL_MODULE, contents: CONTROL_SCRIPT }],
        compatibilityDate: "2026-11-17",
        compatibilityFlags: ["unsafe_module", "experimental"],
      };
      // A requested port of 0 lets Miniflare keep the port when the runtime is started again.
      // Verbose is what makes the runtime log uncaught exceptions.
      const made = convert({ ...options, workers: [...workers, control], port: 0, verbose: true });
      workerd.prepare(made.workers);
      return made;
    },
    get Miniflare() {
      return gathering ? NoMiniflare : RestartableMiniflare;
    },
  };
}

function unknownWrangler() {
  const { version } = require(wranglerPackage);
  return new Error(
    `partyserver.testing does not know its way about wrangler ${version}: ` +
      "update partyserver, or install another wrangler with `npm install wrangler@4.164.0`",
  );
}

/** Stands where wrangler starts a runtime for a companion, which runs in the primary's. */
class NoMiniflare {
  ready = Promise.resolve(new URL("http://companion"));
  async dispose() {}
}

/** Stands where wrangler has its reloading proxy, a second runtime that nobody needs here. */
class NoProxy {
  ready = { promise: new Promise(() => {}), resolve() {}, reject() {} };
  onConfigUpdate() {}
  onBundleStart() {}
  onReloadStart() {}
  onReloadComplete() {}
  async teardown() {}
}

const devEnvs = [];

async function start({ vars, identity }) {
  extendMiniflare();
  const miniflarePath = require.resolve("miniflare");
  workerd = new Workerd({ miniflare: miniflarePath, temporary, pyodideBundle, snapshots });
  const { unstable_DevEnv: DevEnv, unstable_readConfig: readConfig } = require(
    dirname(wranglerPackage),
  );
  if (!DevEnv || !readConfig) throw unknownWrangler();
  const reads = configs.map((config) => readConfig({ config, env }, { hideWarnings: true }));
  if (identity) {
    origin = new Origin({ ...identity, env, wranglerPackage });
    for (const [index, read] of reads.entries()) origin.watch(configs[index], read);
    origin.startsNow();
  }
  const [primary, ...others] = reads.entries();
  for (const [index, read] of others) await build(configs[index], read, {});
  gathering = false;
  const run = async () => {
    await build(configs[0], primary[1], vars);
    await miniflare().ready;
    cleanProcess = await control("identify");
    // What has made a snapshot converts some values between Python and JavaScript otherwise.
    if (!workerd.hasMade()) return;
    await miniflare().restart();
    cleanProcess = await control("identify");
  };
  await run().catch(async (error) => {
    if (!workerd.hasFailed(error)) throw error;
    await devEnvs.pop().teardown().catch(ignore); // which fails as the start has
    await run();
  });
  origin?.hasStarted();
  bindings = primary[1].durable_objects.bindings.map((binding) => ({
    binding: binding.name,
    class_name: binding.class_name,
  }));
  return describeRuntime();

  async function build(config, read, vars) {
    building = config;
    const flags = read.compatibility_flags;
    const isPython = flags.includes("python_workers");
    const devEnv = new DevEnv({ proxyFactory: () => new NoProxy() });
    devEnvs.push(devEnv);
    const { command } = read.build ?? {};
    if (!command) origin?.isRead(config);
    const { dispatch } = devEnv; // which tells no others of these events
    devEnv.dispatch = (event) => {
      if (command && event.type === "bundleStart") origin?.isRead(config); // and it has been run
      if (event.type === "bundleComplete") {
        origin?.isMadeOf(config, Object.keys(event.bundle.dependencies ?? {}));
      }
      dispatch.call(devEnv, event);
    };
    const reloaded = new Promise((resolve, reject) => {
      const fail = (event) => reject(event.cause ?? event);
      devEnv.once("reloadComplete", resolve);
      devEnv.on("error", fail);
      devEnv.on("buildFailed", fail);
    });
    await Promise.all([
      reloaded,
      devEnv.config.set(
        {
          config,
          env,
          compatibilityFlags: [...new Set([...flags, ...(isPython ? workerd.flags : [])])],
          bindings: Object.fromEntries(
            Object.entries(vars).map(([name, value]) => [name, { type: "plain_text", value }]),
          ),
          dev: {
            persist,
            server: { hostname: "127.0.0.1", port: 0 },
            logLevel: "error",
            watch: false,
            inspector: false,
            inferOriginFromRoutes: false,
            structuredLogsHandler: log,
          },
        },
        true,
      ),
    ]);
  }
}

async function describeRuntime() {
  const url = await miniflare().ready;
  return { url: url.origin, wrangler: require(wranglerPackage).version, rooms: bindings };
}

/** The Durable Object bindings of the primary worker. */
let bindings;

/** What the runtime was made of, if it may be kept.
    @type {Origin | undefined} */
let origin;

const dismissGuard = guard(temporary);

/** The primary worker, which is built last, has the runtime. */
const miniflare = () => devEnvs.at(-1).runtimes[0].mf;

const teardown = () => Promise.all(devEnvs.map((devEnv) => devEnv.teardown()));

/** The runtime's process whose start found no storage. */
let cleanProcess;

/** The folders stay, as the runtime expects them. */
function deleteFiles(folder, isOne = (path) => true) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && isOne(path)) rmSync(path, { force: true });
  }
}

/** The database of an object, by the name of its file. */
const DATABASE = /[/\\][0-9a-f]{64}\.([^/\\]*\.)?sqlite$/;
/** One that is in use has its log beside it. */
const isClosedDatabase = (path) => DATABASE.test(path) && !existsSync(`${path}-wal`);

let lastMark = 0;

/** Have the control worker do something, and wait until the log up to now has been passed on. */
async function control(action, options = {}) {
  const mark = `partyserver-testing-mark-${++lastMark}`;
  /** @type {Promise<void>} */
  const seen = new Promise((resolve) => {
    let missing = 2;
    marks.set(mark, () => --missing || resolve());
  });
  try {
    const [ok, text] = await send({ action, mark, ...options });
    if (!ok) throw refusal(JSON.parse(text));
    await seen;
    return text;
  } finally {
    marks.delete(mark);
  }
}

async function send(order) {
  try {
    const response = await miniflare().dispatchFetch("http://control", {
      method: "POST",
      headers: { "MF-Route-Override": CONTROL_WORKER },
      body: JSON.stringify(order),
    });
    return [response.ok, await response.text()];
  } catch (error) {
    throw Object.assign(error, { kind: "crash" });
  }
}

const NO_PROBE = /RPC receiver does not implement|does not support RPC/;

/** Why the control worker could not do something. */
function refusal({ message, reset }) {
  const kind = reset ? "reset" : NO_PROBE.test(message) ? "no probe" : undefined;
  return Object.assign(new Error(message), { kind });
}

const within = (timeout, promise, otherwise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(resolve, timeout, otherwise))]);

/** What the probe in a room answers. */
async function ask({ binding, name, timeout }, what, ...args) {
  const method = `_partyserver_testing_${what}`;
  const answer = control("ask", { binding, name, method, args });
  const text = await within(timeout, answer, undefined);
  if (text === undefined) throw Object.assign(new Error("no answer"), { kind: "late" });
  return JSON.parse(text);
}

/** Whether the room has left memory within `timeout` ms; one that is not there has. */
function evict({ binding, name, timeout }, webSockets) {
  const evicted = control("evict", { binding, name, webSockets }).then(
    () => true,
    () => false,
  );
  return within(timeout, evicted, false);
}

const commands = {
  start,
  flush: () => control("flush"),
  /** The runtime deletes what its process has loaded. After a restart, and after a crash and the
      restart that Miniflare makes of it, there may be more. */
  async wipe() {
    const wiped = await control("wipe").catch(() => "crashed");
    // What was evicted, by a test or for it was idle, is on the disk alone.
    if (wiped === cleanProcess) return deleteFiles(persist, isClosedDatabase);
    deleteFiles(persist);
    await miniflare().restart();
    cleanProcess = await control("identify");
  },
  attributes: (options) => ask(options, "attributes"),
  run_alarm: (options) => ask(options, "run_alarm"),
  run_due: (options) => ask(options, "run_due", options.order),
  async hibernate(options) {
    if (!(await evict(options, "hibernate"))) throw new Error("the room is still in use");
  },
  /** Sockets that were accepted without hibernation keep a room in memory, and the runtime can
      remove such a room only together with all others: as a deployment does. */
  async evict(options) {
    if (!(await evict(options, "close"))) await control("abort");
  },
  async restart() {
    await miniflare().restart();
    return describeRuntime();
  },
  /** The run of pytest is over, and the next may use the runtime. */
  async keep(options) {
    const why = origin?.keepsNot();
    if (why) return { why };
    await keeper.wait({ ...options, needed: configs, folder: temporary });
    return {};
  },
  /** The next run, with what it would start the runtime with. */
  async adopt({ identity }) {
    const why = origin?.difference(identity);
    if (why) return { why };
    await commands.wipe();
    return describeRuntime();
  },
  async stop() {
    try {
      await teardown();
      await dismissGuard();
    } finally {
      process.exit();
    }
  },
};

async function obey(line, own) {
  const { id, command, ...options } = JSON.parse(line);
  // What a run has not waited for is not the next one's.
  const answer = (message) => client === own && tell({ id, ...message });
  try {
    answer({ result: (await commands[command](options)) ?? null });
    if (keeper.isWaiting) client.leave?.();
  } catch (error) {
    const failed = failedBuild(error);
    if (failed) answer({ error: failed, kind: "build" });
    else answer({ error: describe(error), kind: error.kind });
  }
}

/** What the user's build command has said, if that is what has failed. */
function failedBuild(error) {
  const build = /^Running custom build `([^]*)` failed/.exec(error?.message);
  for (let e = error; build && e instanceof Error; e = e.cause) {
    const { output } = /** @type {any} */ (e);
    if (!output) continue;
    const said = [output.stderr, output.stdout].map((text) => text?.trim()).filter(Boolean);
    return [`its build command has failed (exit ${output.exitCode}): ${build[1]}`, ...said].join("\n");
  }
  return undefined;
}

function describe(error) {
  const causes = [];
  for (let e = error; e instanceof Error; e = e.cause) causes.push(e.message);
  // Miniflare repeats in its message what the log has.
  const [message] = causes.join("\n").split("\nRuntime stderr:");
  return message.replace(PROBE_FRAMES, "").trimEnd() || String(error);
}

/** The parent is gone, perhaps killed: leave nothing running, whatever state this is in. */
async function abandon() {
  const limit = new Promise((resolve) => setTimeout(resolve, 3000));
  keeper.forget();
  await Promise.race([limit, teardown()]).catch(ignore);
  rmSync(temporary, { recursive: true, force: true });
  try {
    process.kill(-process.pid, "SIGKILL"); // This process leads the group of all that it started.
  } catch {
    process.exit(1);
  }
}

process.on("unhandledRejection", (error) => log({ level: "error", message: `wrangler: ${describe(error)}` }));
process.on("uncaughtException", abandon);
for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"]) process.on(signal, abandon);

/** What a run says on `input`; when it is gone, whether killed or at its end. */
function serve(input, own) {
  createInterface({ input }).on("line", (line) => obey(line, own)).on("error", ignore);
  // Its lines do not end where it was killed and something was on its way to it.
  finished(input, { writable: false }, () => {
    if (client === own && !keeper.isWaiting) abandon();
  });
}

const keeper = new Keeper((socket) => {
  client = { write: (text) => socket.write(text) };
  serve(socket, client);
}, abandon);

/** The run that has started this process is over: its pipes lead nowhere. */
client.leave = () => {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", ignore);
  const end = record({ end: true });
  client.write(end);
  process.stderr.write(`\n${end}`);
  client = { write: ignore };
  const write = (text) => {
    if (String(text).trim()) log({ level: "error", message: String(text) });
    return true;
  };
  process.stdout.write = process.stderr.write = write;
};
serve(process.stdin, client);
