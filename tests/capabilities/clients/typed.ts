// A client of the rooms in worker/typed.py, with the types that `partyserver types` prints for them.
// Says what it gets, a line each, and ends at "the end".

import { PartySocket } from "partysocket";

import type { TypedClientMessage, TypedServerMessage } from "./events";

const [host, party] = process.argv.slice(2) as [string, string];
const socket = new PartySocket({ host, party, room: "lobby", id: "ts", connectionTimeout: 60_000 });

function send(message: TypedClientMessage): void {
  socket.send(JSON.stringify(message));
}

function tell(message: TypedServerMessage): string {
  switch (message.type) {
    case "said":
      return `${message.id} said ${message.text.toLowerCase()}`;
    case "told":
      return `told ${JSON.stringify(message.value)}`;
    case "error":
      return `${message.event ?? "something"} is wrong: ${message.error}`;
    default:
      return message satisfies never;
  }
}

socket.addEventListener("message", ({ data }) => {
  if (!data.startsWith("{")) {
    console.log(data);
    return;
  }
  const message = JSON.parse(data) as TypedServerMessage;
  console.log(tell(message));
  if (message.type === "told" && message.value === "the end") socket.close();
});
socket.addEventListener("close", () => process.exit());

send({ type: "shout", text: "hello" });
send({ type: "shout", text: "hi", times: 2 });
send({ type: "place", piece: { shortName: "k" }, at: [1, 2] });
send({
  type: "place",
  piece: { shortName: "k", color: "blue" },
  at: [1, 2],
  history: [{ shortName: "q" }],
  mode: null,
  picture: btoa("\0"),
  when: new Date(0).toISOString(),
  notes: { a: 1, b: "two" },
});
send({ type: "shout", text: "types do not count", times: 4 });
send({ type: "tell", to: "me", value: "the end" });

/** What the types refuse. It is never called. */
export function refused(): void {
  // @ts-expect-error -- there is no such event
  send({ type: "said", id: "a", text: "a" });
  // @ts-expect-error -- a field is missing
  send({ type: "say" });
  // @ts-expect-error -- a field is of another type
  send({ type: "shout", text: "a", times: "2" });
  // @ts-expect-error -- there is no such field
  send({ type: "shout", text: "a", loud: true });
  // @ts-expect-error -- not one of the values
  send({ type: "place", piece: { shortName: "k", color: "green" }, at: [1, 2] });
  // @ts-expect-error -- too few
  send({ type: "place", piece: { shortName: "k" }, at: [1] });
  // @ts-expect-error -- null is none of them
  send({ type: "shout", text: "a", times: null });
}
