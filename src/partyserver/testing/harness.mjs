// The kit's Node side: runs the user's worker through wrangler's own API and obeys the lines on
// stdin. Each line is a JSON command; answers and log lines go to stdout as JSON text sequences
// (RFC 7464: each starts with 0x1E), so that whatever wrangler prints there does no harm.

import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const { wranglerPackage, config, env, vars, persist, temporary, pyodideBundle } = JSON.parse(
  process.argv[2],
);

const CONTROL_WORKER = "partyserver-testing-control";
const CONTROL_MODULE = "partyserver-testing-control.mjs";
const CONTROL_SCRIPT = `
  import unsafe from "workerd:unsafe";
  const actions = {
    flush() {},
    wipe: () => unsafe.deleteAllDurableObjects(),
    abort: () => unsafe.abortAllDurableObjects(),
    async evict({ binding, name, webSockets }, env) {
      const room = env[binding].get(env[binding].idFromName(name));
      try {
        await unsafe.evict(room, { webSockets });
      } catch (error) {
        if (!error.message.includes("not currently running")) throw error;
      }
    },
  };
  export default {
    async fetch(request, env) {
      const { action, mark, ...options } = await request.json();
      try {
        await actions[action](options, env);
      } catch (error) {
        return new Response(error.message, { status: 500 });
      }
      // Whatever the runtime had to say before this line has been said.
      console.log(mark);
      console.error(mark);
      return new Response();
    },
  };
`;

const write = process.stdout.write.bind(process.stdout);
const tell = (message) => write(`\x1e${JSON.stringify(message)}\n`);
process.stdout.write = process.stderr.write.bind(process.stderr);

const require = createRequire(wranglerPackage);
const marks = new Map();

const INTERPRETER_FRAMES = /^( +at .*(wasm|pyodide)|stack: .*workerd@).*\n?/gm;
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
  message = message.replace(INTERPRETER_FRAMES, "").trimEnd();
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

/** Make wrangler's Miniflare run one more worker beside the user's: the one that can wipe. */
function extendMiniflare() {
  const path = require.resolve("miniflare");
  const original = require(path);
  const { Miniflare, convertV4MiniflareOptions: convert } = original;
  if (!convert) {
    const { version } = require(wranglerPackage);
    throw new Error(
      `partyserver.testing needs wrangler 4.164 or newer, this is ${version}: ` +
        "run `npm install wrangler@latest`",
    );
  }
  require.cache[path].exports = {
    ...original,
    convertV4MiniflareOptions(options) {
      options.workers.push({
        name: CONTROL_WORKER,
        durableObjects: Object.fromEntries(rooms(options.workers)),
        modules: [{ type: "ESModule", path: CONTROL_MODULE, contents: CONTROL_SCRIPT }],
        compatibilityDate: "2026-11-17",
        compatibilityFlags: ["unsafe_module", "experimental"],
      });
      // A requested port of 0 lets Miniflare keep the port when the runtime is started again.
      // Verbose is what makes the runtime log uncaught exceptions.
      return convert({ ...options, port: 0, verbose: true });
    },
    Miniflare: class extends Miniflare {
      constructor(options) {
        super(options);
        this.restart = () => this.setOptions(options);
      }
    },
  };
}

/** The bindings of the user's first worker, as another worker has to spell them. */
function* rooms([{ name, durableObjects }]) {
  for (const [binding, designator] of Object.entries(durableObjects ?? {})) {
    const target = typeof designator === "string" ? { className: designator } : designator;
    yield [binding, { ...target, scriptName: target.scriptName ?? name }];
  }
}

/** Offline: workerd takes the interpreter from a folder instead of downloading it. */
function useLocalPyodide() {
  const workerd = createRequire(require.resolve("miniflare"))("workerd").default;
  const script = join(temporary, "workerd");
  const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  writeFileSync(
    script,
    `#!/bin/sh\nexec ${quote(workerd)} "$@" --pyodide-bundle-disk-cache-dir=${quote(pyodideBundle)}\n`,
  );
  chmodSync(script, 0o755);
  process.env.MINIFLARE_WORKERD_PATH = script;
  return ["python_workers_development", "experimental"];
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

let devEnv;

async function start() {
  extendMiniflare();
  const developmentFlags = pyodideBundle ? useLocalPyodide() : [];
  const { unstable_DevEnv: DevEnv, unstable_readConfig: readConfig } = require(
    dirname(wranglerPackage),
  );
  const read = readConfig({ config, env }, { hideWarnings: true });
  devEnv = new DevEnv({ proxyFactory: () => new NoProxy() });
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
        compatibilityFlags: [...new Set([...read.compatibility_flags, ...developmentFlags])],
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
  const url = await miniflare().ready;
  const worker = devEnv.config.latestConfig.name;
  return {
    url: url.origin,
    worker,
    wrangler: require(wranglerPackage).version,
    rooms: read.durable_objects.bindings.map((binding) => ({
      binding: binding.name,
      class_name: binding.class_name,
      script: binding.script_name ?? worker,
    })),
  };
}

const miniflare = () => devEnv.runtimes[0].mf;

let lastMark = 0;

/** Have the control worker do something, and wait until the log up to now has been passed on. */
async function control(action, options = {}) {
  const mark = `partyserver-testing-mark-${++lastMark}`;
  const seen = new Promise((resolve) => {
    let missing = 2;
    marks.set(mark, () => --missing || resolve());
  });
  try {
    const response = await miniflare().dispatchFetch("http://control", {
      method: "POST",
      headers: { "MF-Route-Override": CONTROL_WORKER },
      body: JSON.stringify({ action, mark, ...options }),
    });
    const problem = await response.text();
    if (!response.ok) throw new Error(problem);
    await seen;
  } finally {
    marks.delete(mark);
  }
}

/** Whether the room has left memory within `timeout` ms; one that is not there has. */
function evict({ binding, name, timeout }, webSockets) {
  const evicted = control("evict", { binding, name, webSockets }).then(
    () => true,
    () => false,
  );
  return Promise.race([evicted, new Promise((resolve) => setTimeout(resolve, timeout, false))]);
}

const commands = {
  start,
  flush: () => control("flush"),
  wipe: () => control("wipe"),
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
    return { url: (await miniflare().ready).origin };
  },
  async stop() {
    try {
      await devEnv?.teardown();
    } finally {
      process.exit();
    }
  },
};

async function obey(line) {
  const { id, command, ...options } = JSON.parse(line);
  try {
    tell({ id, result: (await commands[command](options)) ?? null });
  } catch (error) {
    tell({ id, error: describe(error) });
  }
}

function describe(error) {
  const causes = [];
  for (let e = error; e instanceof Error; e = e.cause) causes.push(e.message);
  // Miniflare repeats in its message what the log has.
  return causes.join("\n").split("\nRuntime stderr:")[0] || String(error);
}

/** The parent is gone, perhaps killed: leave nothing running, whatever state this is in. */
async function abandon() {
  const limit = new Promise((resolve) => setTimeout(resolve, 3000));
  await Promise.race([limit, devEnv?.teardown()]).catch(() => {});
  rmSync(temporary, { recursive: true, force: true });
  try {
    process.kill(-process.pid, "SIGKILL"); // This process leads the group of all that it started.
  } catch {
    process.exit(1);
  }
}

process.on("unhandledRejection", (error) => log({ level: "error", message: `wrangler: ${describe(error)}` }));
process.on("SIGTERM", abandon);
createInterface({ input: process.stdin }).on("line", obey).on("close", abandon);
