// Puts what the workers of this checkout need where wrangler looks for it: the library and
// the SDK into python_modules/ beside each wrangler.toml, and the pages' JavaScript, bundled,
// into fixtures/*/public/.
//
//   node tools/vendor.mjs                        (every wrangler.toml's build command)
//
// A file whose content is the same is left alone, because wrangler watches these
// folders and would otherwise reload for ever.

import {
  existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const SOURCES = join(ROOT, "src");
const SDK = join(ROOT, ".cache", "sdk");

/** The folders of `parent` that hold a file or folder called `name`. */
function having(parent, name) {
  const base = join(ROOT, parent);
  if (!existsSync(base)) return [];
  return readdirSync(base)
    .map((folder) => join(base, folder))
    .filter((folder) => existsSync(join(folder, name)));
}

/** What has changed. */
const written = [];

function writeIfChanged(target, content) {
  if (existsSync(target) && readFileSync(target).equals(content)) return;
  mkdirSync(dirname(target), { recursive: true });
  // At once: a worker that runs may serve the file just now.
  const draft = `${target}.${process.pid}.new`;
  writeFileSync(draft, content);
  renameSync(draft, target);
  written.push(relative(ROOT, target));
}

/** The paths of the files in `folder` that end in `ending`, relative to it. */
function list(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(ending),
  );
}

/**
 * Make `target` hold the `paths` of `source`, and no other modules in the same packages: what
 * else lies beside them, a requirements.txt has brought there (see the Makefile).
 */
function mirror(source, paths, target) {
  for (const path of paths) writeIfChanged(join(target, path), readFileSync(join(source, path)));
  const current = new Set(paths);
  const packages = new Set(paths.map(topFolder));
  for (const path of list(target, ".py")) {
    if (packages.has(topFolder(path)) && !current.has(path)) rmSync(join(target, path));
  }
}

const topFolder = (path) => path.split(sep)[0];

/** Each worker has a copy of its own: wrangler takes no links. */
function vendorModules() {
  // Not what runs outside of the worker: the library's pytest plugin, its command, and what hosts a worker.
  const outside = ["testing", "command", "hosting", "load", "__main__.py"];
  const library = list(join(SOURCES, "partyserver"), ".py")
    .filter((path) => !outside.includes(topFolder(path)))
    .map((path) => join("partyserver", path));
  const sdk = list(SDK, "").filter(
    (path) => !path.includes("__pycache__") && statSync(join(SDK, path)).isFile(),
  );
  const workers = [
    ROOT,
    ...having("tests", "wrangler.toml"),
    ...having("tests/interop", "worker.py"),
    ...having("fixtures", "wrangler.toml"),
  ];
  for (const folder of workers) {
    const modules = join(folder, "python_modules");
    mirror(SDK, sdk, modules);
    mirror(SOURCES, library, modules);
  }
}

async function bundlePages() {
  for (const fixture of having("fixtures", "page")) {
    const page = join(fixture, "page");
    const { outputFiles } = await build({
      entryPoints: [...list(page, ".js"), ...list(page, ".tsx")].map((path) => join(page, path)),
      outdir: join(fixture, "public"),
      absWorkingDir: ROOT, // else the bundle is another one in each folder that this is called from
      bundle: true,
      jsx: "automatic",
      define: { "process.env.NODE_ENV": '"production"' }, // React's build without warnings
      format: "esm",
      target: "es2022",
      write: false,
    });
    for (const { path, contents } of outputFiles) writeIfChanged(path, Buffer.from(contents));
  }
}

vendorModules();
await bundlePages();
if (written.length) {
  const what = written.length > 3 ? `${written.length} files` : written.join(", ");
  console.log(`vendored ${what}`);
}
