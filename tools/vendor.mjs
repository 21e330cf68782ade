// Puts what the chat's worker needs where wrangler looks for it: the library into
// python_modules/, the page's JavaScript, bundled, into fixtures/chat/public/.
//
//   node tools/vendor.mjs                        (the root wrangler.toml's build command)
//
// A file whose content is the same is left alone, because wrangler watches these
// folders and would otherwise reload for ever.

import {
  existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync,
} from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..");
const LIBRARY = join(ROOT, "src", "partyserver");
const VENDORED = join(ROOT, "python_modules", "partyserver");
const PAGE = join(ROOT, "fixtures", "chat", "page");
const PUBLIC = join(ROOT, "fixtures", "chat", "public");

function writeIfChanged(target, content) {
  if (existsSync(target) && readFileSync(target).equals(content)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  console.log(`vendored ${relative(ROOT, target)}`);
}

/** The paths of the files in `folder` that end in `ending`, relative to it. */
function list(folder, ending) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(ending));
}

/** The library without its pytest plugin, which runs outside of the worker. */
function vendorLibrary() {
  const sources = list(LIBRARY, ".py").filter((path) => !path.startsWith(`testing${sep}`));
  for (const path of sources) {
    writeIfChanged(join(VENDORED, path), readFileSync(join(LIBRARY, path)));
  }
  const current = new Set(sources);
  for (const path of list(VENDORED, ".py")) {
    if (!current.has(path)) rmSync(join(VENDORED, path));
  }
}

async function bundlePage() {
  const { outputFiles } = await build({
    entryPoints: list(PAGE, ".js").map((path) => join(PAGE, path)),
    outdir: PUBLIC,
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  });
  for (const { path, contents } of outputFiles) writeIfChanged(path, Buffer.from(contents));
}

vendorLibrary();
await bundlePage();
