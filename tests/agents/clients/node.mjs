// Obeys the lines on stdin, each a command of commands.js with its arguments as JSON, and answers
// each with a line of JSON.

import { createInterface } from "node:readline";

import { alarm, obey } from "./commands.js";

process.on("unhandledRejection", alarm);

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line);
  console.log(JSON.stringify(await obey(name, ...rest)));
}
process.exit();
