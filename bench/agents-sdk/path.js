// Of "path", which a package that the Agents SDK imports asks for as Node.js has it.

export * from "node:path";
