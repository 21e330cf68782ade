const $ = (id) => document.getElementById(id);
const room = new URLSearchParams(location.search).get("room") || "lobby";

/** How a room closes the connection of somebody whom it does not let in. */
const REFUSED = 1008;
/** How it throws somebody out. */
const REMOVED = 4403;

let socket;
let me = "";
let isModerator = false;
let failures = 0;
/** The number of the last event that this page has: the room sends what came after it. */
let last = 0;
/** The names of who is here. Somebody with two tabs is here once. */
const people = new Set();

// ---- The connection

function connect() {
  const url = new URL(`/parties/chat/${encodeURIComponent(room)}`, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("since", last);
  socket = new WebSocket(url);
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    receive[message.type]?.(message);
  });
  socket.addEventListener("close", ({ code }) => {
    if (code === REFUSED || code === REMOVED) return refused();
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
  welcome({ name, moderator }) {
    me = name;
    isModerator = moderator;
    failures = 0;
    showStatus("Connected");
    showError("");
    show("chat");
    showOwn(); // what this page has missed came before the welcome
    $("text").focus();
  },
  event({ seq, data }) {
    last = seq;
    receiveEvent[data.type]?.(data);
  },
  history_gap({ first }) {
    last = first - 1;
    showNotice("Some messages are no longer kept");
  },
  topic({ text }) {
    $("topic").textContent = text;
  },
  presence_state({ presence }) {
    people.clear();
    for (const name of Object.keys(presence)) people.add(name);
    showPeople();
  },
  presence_diff({ joins, leaves }) {
    for (const name of Object.keys(joins)) people.add(name);
    for (const name of leaves) people.delete(name);
    showPeople();
  },
  error({ error, code }) {
    if (code !== "login") showError(error); // else the form says it
  },
};

/** What the room keeps. */
const receiveEvent = {
  said: showMessage,
  notice: ({ text }) => showNotice(text),
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

function showMessage({ name, text, at }) {
  const line = element("li", { className: "message" }, element("b", {}, name), clock(at), element("p", {}, text));
  line.dataset.name = name;
  append(line);
  showOwn();
}

function showOwn() {
  for (const line of $("messages").children) line.classList.toggle("own", line.dataset.name === me);
  $("messages").lastChild?.scrollIntoView({ block: "end" });
}

function showNotice(text) {
  append(element("li", { className: "notice" }, text));
}

function clock(at) {
  const time = new Date(at);
  const text = time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  return element("time", { dateTime: time.toISOString(), title: time.toLocaleString() }, text);
}

function showPeople() {
  const names = [...people].sort((a, b) => a.localeCompare(b));
  $("people").replaceChildren(...names.map(personLine));
}

function personLine(name) {
  const line = element("li", {}, element("span", {}, name === me ? `${name} (you)` : name));
  if (isModerator && name !== me) {
    line.append(button("Kick", name, "kick"), button("Ban", name, "ban"));
  }
  return line;
}

function button(text, name, type) {
  const made = element("button", { type: "button", ariaLabel: `${text} ${name}` }, text);
  made.addEventListener("click", () => socket.send(JSON.stringify({ type, name })));
  return made;
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
  socket.send(JSON.stringify(messageOf(text)));
  $("text").value = "";
  showError("");
});

/** For what somebody has typed, which may be a command. */
function messageOf(text) {
  const remind = text.match(/^\/remind ([\d.]+) (.+)/);
  if (remind) return { type: "remind", minutes: Number(remind[1]), text: remind[2] };
  const topic = text.match(/^\/topic (.+)/);
  if (topic) return { type: "topic", text: topic[1] };
  return { type: "say", text };
}

$("title").textContent = room;
connect();
