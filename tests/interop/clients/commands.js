// What the tests have partysocket do, in Node.js and in Chromium alike.

import { PartySocket } from "partysocket";

/** @type {PartySocket} */
let socket;
const happened = [];
const waiting = [];

function tell(event) {
  if (waiting.length) waiting.shift()(event);
  else happened.push(event);
}

export const commands = {
  /** `stopOn` is a close code after which it does not reconnect. */
  open({ stopOn, ...options }) {
    // The defaults wait 3 to 10 seconds before a reconnection.
    // And they give up a connection after 4, which a machine with other work may need.
    const delays = { minReconnectionDelay: 50, maxReconnectionDelay: 200 };
    const shouldReconnectOnClose = ({ code }) => code !== stopOn;
    const ours = { ...delays, connectionTimeout: 60_000, shouldReconnectOnClose };
    socket = new PartySocket({ ...ours, .../** @type {any} */ (options) });
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => tell(["open"]));
    socket.addEventListener("message", ({ data }) =>
      tell(["message", typeof data === "string" ? data : Array.from(new Uint8Array(data))]),
    );
    socket.addEventListener("close", ({ code, reason }) => tell(["close", code, reason]));
  },
  /** As `open`, and after a reconnection asks a room with `History` for what it has missed. */
  resume(options) {
    let last;
    commands.open({ ...options, query: () => ({ since: last }) });
    socket.addEventListener("message", ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "event") last = message.seq;
      if (message.type === "history_gap") last = message.first - 1;
    });
  },
  /** The next thing that happens, or has happened. */
  next() {
    return happened.shift() ?? new Promise((resolve) => waiting.push(resolve));
  },
  about() {
    const { id, name, room, url, roomUrl, readyState, protocol, shouldReconnect } = socket;
    return { id, name, room, url, roomUrl, readyState, protocol, shouldReconnect };
  },
  send(message) {
    socket.send(Array.isArray(message) ? new Uint8Array(message) : message);
  },
  close(code, reason) {
    socket.close(code, reason);
  },
  reconnect() {
    socket.reconnect();
  },
  async fetch(options, init) {
    const response = await PartySocket.fetch(options, init);
    return [response.status, await response.text()];
  },
};
