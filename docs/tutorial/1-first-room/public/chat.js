// A client without a bundler. With one, PartySocket from npm does the same, and keeps what is sent
// while there is no connection: https://www.npmjs.com/package/partysocket

const room = new URLSearchParams(location.search).get("room") || "lobby";
const status = document.getElementById("status");
const messages = document.getElementById("messages");
const text = document.getElementById("text");
const send = document.getElementById("send");

/** How a room closes the connection of somebody whom it does not let in, or no longer. */
const REFUSED = 1008;
/** Milliseconds. A connection that is open for less was none. */
const STEADY = 5_000;

let socket;
let failures = 0;

function connect() {
  const url = new URL(`/parties/chat/${encodeURIComponent(room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  let steady;
  socket.addEventListener("open", () => {
    steady = setTimeout(() => (failures = 0), STEADY);
    status.textContent = `In the room ${room}`;
    send.disabled = false;
  });
  socket.addEventListener("message", ({ data }) => show(data));
  socket.addEventListener("close", ({ code, reason }) => {
    clearTimeout(steady);
    send.disabled = true;
    if (code === REFUSED) {
      status.textContent = reason || "Refused"; // as it would be the next time
      return;
    }
    status.textContent = "Reconnecting…";
    // Later each time, and not all at once when the server is back.
    const delay = Math.min(30_000, 500 * 2 ** failures++);
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
  });
}

/** What others have written is text, never HTML. */
function show(data, ...classes) {
  const line = document.createElement("li");
  line.classList.add(...classes);
  line.textContent = data;
  messages.append(line);
  line.scrollIntoView({ block: "end" });
}

document.getElementById("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  if (text.value === "" || send.disabled) return;
  socket.send(text.value);
  show(text.value, "own"); // the room sends it to all others
  text.value = "";
});

connect();
