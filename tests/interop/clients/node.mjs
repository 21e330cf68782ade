// Obeys the lines on stdin, each a command of commands.js with its arguments as JSON, and answers
// each with a line of JSON.

import { createInterface } from "node:readline";

import { commands } from "./commands.js";

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = JSON.parse(line);
  console.log(JSON.stringify((await commands[command](...rest)) ?? null));
}
process.exit();
