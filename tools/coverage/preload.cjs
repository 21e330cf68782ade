// Loaded into the Node.js process of partyserver.testing, by NODE_OPTIONS. It hands collector.py to
// each Python worker that the process starts, and writes what the workers tell into the folder
// that PARTYSERVER_COVERAGE names. Records do not reach the log that tests read.

const { appendFileSync, readFileSync } = require("node:fs");
const Module = require("node:module");
const { basename, join } = require("node:path");

const MARK = "partyserver-coverage:"; // as in collector.py
const COLLECTOR = "_partyserver_coverage";
const MINIFLARE = join("miniflare", "dist", "src", "index.js");

/** Other processes inherit NODE_OPTIONS, and are left alone. */
if (basename(process.argv[1] ?? "") === "harness.mjs") {
  const file = join(process.env.PARTYSERVER_COVERAGE, `worker-${process.pid}.txt`);
  const load = Module._load;
  Module._load = function (request, ...others) {
    const loaded = load.call(this, request, ...others);
    return request.endsWith(MINIFLARE) ? measuring(loaded, file) : loaded;
  };
}

/** Miniflare's exports, with options that measure what its workers execute. */
function measuring(miniflare, file) {
  return {
    ...miniflare,
    convertV4MiniflareOptions({ workers, handleStructuredLogs: handle, ...options }) {
      const handleStructuredLogs = (record) => {
        if (!record.message.startsWith(MARK)) return handle?.(record);
        appendFileSync(file, `${record.message.slice(MARK.length)}\n`);
      };
      workers = workers.map(withCollector);
      return miniflare.convertV4MiniflareOptions({ ...options, workers, handleStructuredLogs });
    },
  };
}

function withCollector(worker) {
  const [main, ...others] = worker.modules ?? [];
  if (main?.type !== "PythonModule") return worker;
  const code = readFileSync(join(__dirname, "collector.py"), "utf8");
  const collector = {
    type: "PythonModule",
    path: join(worker.modulesRoot, `${COLLECTOR}.py`),
    contents: `${code}\n# Of the run ${process.env.PARTYSERVER_COVERAGE_RUN}: no other has this module.\n`,
  };
  return { ...worker, modules: [{ ...main, contents: started(main.contents) }, ...others, collector] };
}

/** A main module that starts the collector before its imports, with each line where it was. */
function started(source) {
  const start = `__import__("${COLLECTOR}").start()`;
  const future = /^from __future__ import [\w, ]*\w/m; // which nothing but a docstring may precede
  return future.test(source) ? source.replace(future, `$&; ${start}`) : `${start}; ${source}`;
}
