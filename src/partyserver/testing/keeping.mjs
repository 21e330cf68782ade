// Between two runs of pytest that share a runtime: this process waits for the next run at a port of
// the loopback interface, and ends if none comes. Both sides prove that they have read the control
// file, which nobody but the user can.

import { spawn } from "node:child_process";
import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";

const LOOK_MS = 2000;
const GREETING_MS = 5000;
const SECRET_LENGTH = 64;

/** Reads nothing before this process is gone. */
const GUARD = 'trap "" HUP INT TERM; read _; rm -rf "$1"; kill -9 -"$2"';

/** Have nothing left of what this process has started, and of its folder, should it be killed while
    nobody is there to see it. The guard is of the same group, whose number is no other's meanwhile.
    What it returns ends the guard. */
export function guard(folder) {
  if (process.platform === "win32") return async () => {};
  const shell = spawn("/bin/sh", ["-c", GUARD, "sh", folder, String(process.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {}).unref();
  return async () => {
    if (shell.kill("SIGKILL")) await once(shell, "exit");
  };
}

export class Keeper {
  #secret = randomBytes(SECRET_LENGTH / 2).toString("hex");
  #proof = randomBytes(SECRET_LENGTH / 2).toString("hex");
  #server;
  #control;
  #clocks = [];
  #use;
  #end;

  /** Whether no run uses the runtime. */
  isWaiting = false;

  /** `use` is given the socket of the next run; `end` ends this process and all that it runs. */
  constructor(use, end) {
    this.#use = use;
    this.#end = end;
  }

  /** Wait for the next run for `idle` seconds, as long as all of `needed` exists. */
  async wait({ control, idle, needed, folder }) {
    this.#server ??= await this.#listen();
    this.#control = control;
    const { port } = this.#server.address();
    const text = JSON.stringify({
      pid: process.pid,
      port,
      secret: this.#secret,
      proof: this.#proof,
      folder,
    });
    const draft = `${control}.${process.pid}`;
    rmSync(draft, { force: true });
    writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
    renameSync(draft, control);
    this.isWaiting = true;
    this.#clocks = [
      setTimeout(this.#end, idle * 1000),
      setInterval(() => {
        if (!this.#isKnown() || !needed.every(existsSync)) this.#end();
      }, LOOK_MS),
    ];
  }

  /** The next run shall not look for this runtime. */
  forget() {
    this.#stopWaiting();
    if (this.#isKnown()) rmSync(this.#control, { force: true });
  }

  /** Whether the next run would find this runtime, and no other. */
  #isKnown() {
    try {
      return readFileSync(this.#control, "utf8").includes(this.#secret);
    } catch {
      return false;
    }
  }

  #stopWaiting() {
    this.isWaiting = false;
    for (const clock of this.#clocks) clearTimeout(clock);
  }

  /** @returns {Promise<import("node:net").Server>} */
  #listen() {
    const server = createServer((socket) => this.#greet(socket));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host: "127.0.0.1", port: 0 }, () => resolve(server));
    });
  }

  #greet(socket) {
    const late = setTimeout(() => socket.destroy(), GREETING_MS);
    const hear = () => {
      const said = socket.read(SECRET_LENGTH);
      if (said === null) return;
      clearTimeout(late);
      socket.off("readable", hear);
      const isKnown =
        said.length === SECRET_LENGTH && timingSafeEqual(said, Buffer.from(this.#secret));
      if (!isKnown || !this.isWaiting) {
        socket.destroy();
        return;
      }
      this.#stopWaiting();
      socket.write(`${this.#proof}\n`);
      this.#use(socket);
    };
    socket.on("readable", hear);
    socket.on("error", () => {}); // whoever it was is gone
    socket.on("close", () => clearTimeout(late));
  }
}
