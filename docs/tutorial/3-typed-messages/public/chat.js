const $ = (id) => document.getElementById(id);
const room = new URLSearchParams(location.search).get("room") || "lobby";

/** How a room closes the connection of somebody whom it does not let in. */
const REFUSED = 1008;

let socket;
let me = "";
let failures = 0;

// ---- The connection

function connect() {
  const url = new URL(`/parties/chat/${encodeURIComponent(room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    receive[message.type]?.(message);
  });
  socket.addEventListener("close", ({ code }) => {
    if (code === REFUSED) return refused();
    showStatus("Reconnecting…");
    // Later each time, and not all at once when the server is back.
    const delay = Math.min(30_000, 500 * 2 ** failures++);
    setTimeout(connect, delay * (0.5 + Math.random() / 2));
  });
}

/** It would be refused the next time, too: somebody has to log in first. */
function refused() {
  showStatus("Not connected");
  show("login");
  $("name").focus();
}

const receive = {
  welcome({ name }) {
    me = name;
    failures = 0;
    showStatus("Connected");
    showError("");
    show("chat");
    $("text").focus();
  },
  said: showMessage,
  error({ error, code }) {
    if (code !== "login") showError(error); // else the form says it
  },
};

// ---- What the page shows. What others have written is text, never HTML.

function show(view) {
  for (const id of ["login", "chat"]) $(id).hidden = id !== view;
}

function showStatus(text) {
  $("status").textContent = text;
  $("send").disabled = text !== "Connected";
}

function showError(text) {
  $("error").textContent = text;
}

function showMessage({ name, text }) {
  const line = element("li", { className: "message" }, element("b", {}, name), element("p", {}, text));
  line.classList.toggle("own", name === me);
  append(line);
}

function append(line) {
  $("messages").append(line);
  line.scrollIntoView({ block: "end" });
}

/** Strings among the children become text. */
function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// ---- What people do

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = JSON.stringify({ name: $("name").value, code: $("code").value });
  const answer = await fetch("/login", { method: "POST", body });
  if (!answer.ok) return showError((await answer.json()).error);
  $("code").value = "";
  connect();
});

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text || $("send").disabled) return;
  socket.send(JSON.stringify({ type: "say", text }));
  $("text").value = "";
  showError("");
});

$("title").textContent = room;
connect();
