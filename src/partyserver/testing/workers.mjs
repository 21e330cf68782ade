// What wrangler has built for Miniflare: which modules it is of, and what the kit adds to it.

import { readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** The module that answers the kit's questions. */
export const PROBE = "_partyserver_testing_probe";
const VENDORED = "python_modules";

/** Of which modules a Python worker is, whose config is in `folder`. */
export function bundleOf({ name, modules, modulesRoot, durableObjects }, folder) {
  const [main] = modules;
  if (main?.type !== "PythonModule") return undefined;
  const paths = modules.map(({ path }) => relative(modulesRoot, path).split(sep));
  const top = ([folder, name = ""]) => folder === VENDORED && name.split(".")[0];
  return {
    folder: modulesRoot,
    main: relative(modulesRoot, main.path),
    names: paths.filter((path) => path[0] !== VENDORED).map((path) => path.join("/")),
    vendored: [...new Set(paths.map(top).filter(Boolean))],
    python_modules: join(folder, VENDORED),
    classes: Object.entries(durableObjects ?? {})
      .filter(([, { scriptName = name }]) => scriptName === name)
      .map(([binding, { className }]) => [binding, className]),
  };
}

/** Python workers come with what answers the kit's questions about their objects. */
export function addProbe({ modules: [main, ...others], modulesRoot }, index, workers) {
  if (main?.type !== "PythonModule") return;
  const probe = {
    type: "PythonModule",
    path: join(modulesRoot, `${PROBE}.py`),
    contents: readFileSync(new URL("probe.py", import.meta.url), "utf8"),
  };
  // At the end, where it moves no line of the user's.
  const contents = `${main.contents}\n__import__("${PROBE}").install()\n`;
  workers[index].modules = [{ ...main, contents }, ...others, probe];
}

/** A binding to another worker's class does not know how that stores; its own worker does. */
export function matchStorage(workers) {
  const classes = workers.flatMap(({ name, durableObjects, additionalUnboundDurableObjects }) =>
    [...Object.values(durableObjects ?? {}), ...(additionalUnboundDurableObjects ?? [])].map(
      (designator) => ({ script: designator.scriptName ?? name, owner: name, designator }),
    ),
  );
  for (const { script, owner, designator } of classes) {
    if (script === owner) continue;
    const own = classes.find(
      (other) =>
        other.owner === script && other.designator.className === designator.className,
    );
    designator.useSQLite = own?.designator.useSQLite;
  }
}

/** The bindings of the primary worker, as another worker has to spell them. */
export function* rooms({ name, durableObjects }) {
  for (const [binding, designator] of Object.entries(durableObjects ?? {})) {
    yield [binding, { ...designator, scriptName: designator.scriptName ?? name }];
  }
}
