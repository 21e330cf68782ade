// Assembles the Pyodide bundle that workerd loads for a Python worker from the
// npm package `pyodide`, so that the runtime starts without a download.
//
//   node tools/pyodide-bundle.mjs [OUT_DIR [--compiled]]      (default: .cache/pyodide-bundle)
//
// With --compiled, the standard library comes with its bytecode, and a start of the runtime takes
// half the CPU. That is for the tests, which start it a hundred times. The package has the source
// only, and so have the benchmarks, whose cold starts would else be no longer those of before.
//
// workerd looks for `pyodide_<version>.capnp.bin` in the folder it is given as
// --pyodide-bundle-disk-cache-dir, and checks every version but "dev" against a
// hash of Cloudflare's own build. The result therefore carries the name "dev"
// and needs the compatibility flags of DEVELOPMENT_FLAGS in runtime.py.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const PYODIDE_VERSION = "314.0.6";
const WRAPPERS = "pyodide-internal:builtin_wrappers";

class BundleError extends Error {}

const packageFolder = () =>
  dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));

/** The files of the npm package, checked to be the version this tool knows. */
function readPackage() {
  const root = packageFolder();
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (version !== PYODIDE_VERSION) {
    throw new BundleError(
      `pyodide is ${version}, but this tool and the pinned workerd expect ${PYODIDE_VERSION}. ` +
        `Run "npm install --save-dev --save-exact pyodide@${PYODIDE_VERSION}", or move both pins together.`,
    );
  }
  const read = (name) => readFileSync(join(root, name));
  return {
    glue: read("pyodide.asm.mjs").toString("utf8"),
    wasm: read("pyodide.asm.wasm"),
    stdlib: read("python_stdlib.zip"),
  };
}

/** Replace every occurrence of `pattern`, of which there must be at least one. */
function replace(source, what, pattern, replacement) {
  if (!source.match(pattern)) {
    throw new BundleError(
      `pyodide.asm.mjs ${PYODIDE_VERSION} does not hold the expected code for "${what}" (${pattern}); ` +
        "the package has changed, and tools/pyodide-bundle.mjs must learn its new form.",
    );
  }
  return source.replace(pattern, replacement);
}

/** Route what workerd forbids (compiling wasm, eval, entropy) to its own wrappers. */
function patchGlue(source) {
  const patches = [
    ["wasm compilation", /new WebAssembly\.Module\(/g, "newWasmModule("],
    ["wasm instantiation", /WebAssembly\.instantiate\(/g, "wasmInstantiate("],
    ["the clock", /Date\.now(?=\()/g, "monotonicDateNow"],
    ["entropy", /crypto\.getRandomValues\((\w+)\)/g, "getRandomValues(Module,$1)"],
    [
      "dynamic libraries",
      /function loadLibData\(\)\{/,
      "$&return patchedLoadLibData(Module,libName,flags.rpath);",
    ],
    [
      "the memory of dynamic libraries",
      /alignMemory\(getMemory\(/,
      "alignMemory(Module.getMemoryPatched(Module,libName,",
    ],
    ["eval", /([^\w.$])eval\(/g, "$1forbiddenEval("],
    [
      "the export",
      /export default _createPyodideModule;\s*$/,
      "export{_createPyodideModule};export default _createPyodideModule;",
    ],
  ];
  const patched = patches.reduce((code, [what, from, to]) => replace(code, what, from, to), source);
  const names = [
    "addEventListener", "getRandomValues", "location", "monotonicDateNow", "newWasmModule",
    "patchedLoadLibData", "wasmInstantiate",
  ];
  return (
    `import{${names.join(",")}}from"${WRAPPERS}";` +
    `function forbiddenEval(){throw new Error("eval is forbidden in workerd")}` +
    patched
  );
}

/**
 * Adds the bytecode of each module beside its source, which tracebacks still show. It is made by
 * the same interpreter, on Node.js, and never checked against the source again.
 */
const COMPILE = `
import importlib.util, io, sys, zipfile
from importlib._bootstrap_external import _code_to_hash_pyc

[path] = (path for path in sys.path if path.endswith(".zip"))  # the same in workerd
library = io.BytesIO()
with (
    zipfile.ZipFile(path) as sources,
    zipfile.ZipFile(library, "w", zipfile.ZIP_DEFLATED) as target,
):
    for entry in sources.infolist():
        source = sources.read(entry)
        target.writestr(entry, source)
        if entry.filename.endswith(".py"):
            code = compile(source, f"{path}/{entry.filename}", "exec", dont_inherit=True)
            pyc = _code_to_hash_pyc(code, importlib.util.source_hash(source), checked=False)
            compiled = zipfile.ZipInfo(f"{entry.filename}c", entry.date_time)
            target.writestr(compiled, pyc, zipfile.ZIP_DEFLATED)
library.getvalue()
`;

/** The standard library with its modules compiled. */
async function compileLibrary() {
  const module = pathToFileURL(join(packageFolder(), "pyodide.mjs")).href;
  /** @type {typeof import("pyodide")} */
  const { loadPyodide } = await import(module);
  const pyodide = await loadPyodide();
  return Buffer.from(pyodide.runPython(COMPILE).toJs());
}

/**
 * Encode a `Bundle` of workerd's src/workerd/jsg/modules.capnp as one unpacked
 * Cap'n Proto segment: https://capnproto.org/encoding.html
 */
function encodeBundle(modules) {
  const INTERNAL = 2; // enum ModuleType
  const BODY = { src: 0, wasm: 1, data: 2 }; // the union's discriminants, by ordinal
  const DATA_WORDS = 1;
  const POINTER_WORDS = 4; // name, body, tsDeclaration, compileCache
  const moduleWords = DATA_WORDS + POINTER_WORDS;
  const words = (bytes) => Math.ceil(bytes / 8);

  // Layout: root pointer, Bundle (one pointer), list tag, modules, then the bytes.
  const tagAt = 2;
  const modulesAt = tagAt + 1;
  let end = modulesAt + modules.length * moduleWords;
  const blobs = [];
  const place = (bytes) => {
    const blob = { at: end, bytes };
    end += words(bytes.length);
    blobs.push(blob);
    return blob;
  };
  const placed = modules.map(({ name, kind, body }) => ({
    kind,
    name: place(Buffer.from(`${name}\0`, "utf8")),
    body: place(body),
  }));

  const HEADER_BYTES = 8; // one segment, and its size in words
  const out = Buffer.alloc(HEADER_BYTES + end * 8);
  out.writeUInt32LE(0, 0);
  out.writeUInt32LE(end, 4);
  const write = (word, low, high) => {
    out.writeUInt32LE(low >>> 0, HEADER_BYTES + word * 8);
    out.writeUInt32LE(high >>> 0, HEADER_BYTES + word * 8 + 4);
  };
  const STRUCT = 0;
  const LIST = 1;
  const pointer = (from, to, kind) => ((to - from - 1) << 2) | kind;
  const structSize = (data, pointers) => data | (pointers << 16);
  const BYTE_LIST = 2;
  const COMPOSITE_LIST = 7;

  write(0, pointer(0, 1, STRUCT), structSize(0, 1));
  write(1, pointer(1, tagAt, LIST), COMPOSITE_LIST | ((modules.length * moduleWords) << 3));
  write(tagAt, (modules.length << 2) | STRUCT, structSize(DATA_WORDS, POINTER_WORDS));
  placed.forEach(({ name, kind, body }, index) => {
    const at = modulesAt + index * moduleWords;
    write(at, INTERNAL | (BODY[kind] << 16), 0);
    [name, body].forEach((blob, slot) => {
      const word = at + DATA_WORDS + slot;
      write(word, pointer(word, blob.at, LIST), BYTE_LIST | (blob.bytes.length << 3));
    });
  });
  for (const { at, bytes } of blobs) out.set(bytes, HEADER_BYTES + at * 8);
  return out;
}

async function main(outDir = join(process.cwd(), ".cache", "pyodide-bundle"), option = "") {
  const { glue, wasm, stdlib } = readPackage();
  const patched = Buffer.from(patchGlue(glue));
  const library = option === "--compiled" ? await compileLibrary() : stdlib;
  const bundle = encodeBundle([
    { name: "pyodideRuntime-internal:pyodide.asm", kind: "src", body: patched },
    { name: "pyodideRuntime-internal:pyodide.asm.wasm", kind: "wasm", body: wasm },
    { name: "pyodideRuntime-internal:python_stdlib.zip", kind: "data", body: library },
  ]);
  mkdirSync(outDir, { recursive: true });
  const target = join(outDir, "pyodide_dev.capnp.bin");
  writeFileSync(`${target}.tmp`, bundle);
  renameSync(`${target}.tmp`, target); // never a half-written bundle under the final name
  console.log(`${target}: Pyodide ${PYODIDE_VERSION}, ${(bundle.length / 1e6).toFixed(1)} MB`);
}

try {
  await main(...process.argv.slice(2, 4));
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  console.error(`pyodide-bundle: ${error.message}`);
  process.exit(1);
}
