// The page of one note. Its address is `#NAME.KEY`: the key says what its holder may do, and as a fragment it is told
// to no other site, and to no log of who asked for the page. The worker is told it: in a header, and where a browser has
// none, in the URL of the WebSocket.

import { defaultKeymap } from "@codemirror/commands";
import { markdown, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorSelection, EditorState } from "@codemirror/state";
import { EditorView, keymap, placeholder } from "@codemirror/view";
import { tagHighlighter, tags } from "@lezer/highlight";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { IndexeddbPersistence } from "y-indexeddb";
import YProvider from "y-partyserver/provider";
import { readAuthMessage } from "y-protocols/auth";
import * as Y from "yjs";

const COLORS = ["#c0392b", "#b9560c", "#8a6d00", "#2e7d32", "#00796b", "#0277a8", "#3f51b5", "#7b3fb5", "#b0307f", "#7d6255"];

/** An element of index.html. @returns {any} */
const $ = (selector) => document.querySelector(selector);

// --- who is here ---------------------------------------------------------------------

const me = { name: "Guest", color: COLORS[Math.floor(Math.random() * COLORS.length)] };

/** What others say of themselves may be anything: names go into text, and colours are ours. */
function clean(state) {
  const { name, color } = state?.user ?? {};
  const known = COLORS.find((one) => one === color) ?? COLORS[0];
  const anchor = toPlace(state?.cursor?.anchor);
  const head = toPlace(state?.cursor?.head);
  return {
    user: {
      name: (typeof name === "string" && name.trim().slice(0, 40)) || "Guest",
      color: known,
      colorLight: `${known}4d`,
    },
    cursor: anchor && head && { anchor, head },
  };
}

/** A position in the note, whole as Yjs needs it: at a character, or at the end. Null where this is none. */
function toPlace(place) {
  const isNumber = (number) => Number.isSafeInteger(number) && number >= 0;
  const { item, tname, assoc } = place ?? {};
  const isItem = isNumber(item?.client) && isNumber(item?.clock);
  if (!isItem && (item != null || tname !== "content")) return null;
  return Y.createRelativePositionFromJSON({ item: isItem ? item : null, tname: "content", assoc: assoc < 0 ? -1 : 0 });
}

/** The editor takes cursors of the same colour for the same one, and leaves its name: a comment makes colours differ. */
function distinct(id, { user, cursor }) {
  const letters = Array.from(user.name, (letter) => letter.codePointAt(0));
  return { user: { ...user, color: `${user.color}/*${id} ${letters}*/` }, cursor };
}

function watchPeople(provider) {
  const { awareness } = provider;
  const isMe = (id) => id === awareness.clientID;
  let mine = awareness.getLocalState();
  // The provider sends back what it was told of others, which would count for the room's rate.
  const send = provider._awarenessUpdateHandler;
  awareness.off("change", send);
  awareness.on("change", (changes, origin) => origin !== provider && send(changes, origin));
  // Before the editor is told of it.
  awareness.on("change", ({ added, updated, removed }, origin) => {
    for (const id of [...added, ...updated]) {
      if (!isMe(id)) awareness.states.set(id, distinct(id, clean(awareness.states.get(id))));
    }
    if (origin !== provider) mine = awareness.getLocalState();
    // Others can say anything under one's own number, too.
    else if ([...added, ...updated, ...removed].some(isMe)) awareness.setLocalState(mine);
    showPeople([...awareness.states].sort(([a], [b]) => Number(isMe(b)) - Number(isMe(a)) || a - b), isMe);
  });
}

/** More have no room on a phone, beside the title. */
const SHOWN = 3;

function showPeople(people, isMe) {
  const items = people.slice(0, SHOWN).map(([id, { user }]) => {
    const item = document.createElement("li");
    const badge = document.createElement(isMe(id) ? "button" : "span");
    badge.textContent = initials(user.name);
    badge.title = isMe(id) ? `${user.name} (you)` : user.name;
    badge.style.backgroundColor = user.color;
    if (isMe(id)) badge.addEventListener("click", ask);
    badge.setAttribute("aria-label", badge.title);
    if (!isMe(id)) badge.setAttribute("role", "img");
    item.append(badge);
    return item;
  });
  if (people.length > SHOWN) {
    const more = document.createElement("li");
    more.className = "more";
    more.textContent = `+${people.length - SHOWN}`;
    more.title = people.slice(SHOWN).map(([, { user }]) => user.name).join(", ");
    items.push(more);
  }
  $("#people").replaceChildren(...items);
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => String.fromCodePoint(word.codePointAt(0)).toUpperCase()).join("");
}

/** Ask for a name and a colour, which are kept in this browser. */
function ask() {
  $("#name").value = me.name === "Guest" ? "" : me.name;
  $("#who").showModal();
}

function introduce(awareness) {
  for (const color of COLORS) {
    const choice = document.createElement("input");
    Object.assign(choice, { type: "radio", name: "color", value: color, ariaLabel: color, checked: color === me.color });
    choice.style.backgroundColor = color;
    $("#colors").append(choice);
  }
  const tell = () => awareness.setLocalStateField("user", { ...me, colorLight: `${me.color}4d` });
  $("#who form").addEventListener("submit", () => {
    me.name = $("#name").value.trim();
    me.color = $("#colors :checked").value;
    keep("me", me);
    tell();
  });
  tell();
  if (!kept("me")) ask();
}

/** What this browser has kept, if it keeps anything. */
function kept(name) {
  try {
    return JSON.parse(localStorage.getItem(`notes-${name}`));
  } catch {
    return null;
  }
}

function keep(name, value) {
  try {
    localStorage.setItem(`notes-${name}`, JSON.stringify(value));
  } catch {
    // It is asked again.
  }
}

// --- the editor ----------------------------------------------------------------------

const LOOK = [
  EditorView.lineWrapping,
  markdown({ base: markdownLanguage }),
  syntaxHighlighting(tagHighlighter([
    { tag: tags.heading1, class: "heading heading1" },
    { tag: tags.heading2, class: "heading heading2" },
    { tag: tags.heading, class: "heading" },
    { tag: tags.strong, class: "strong" },
    { tag: tags.emphasis, class: "emphasis" },
    { tag: tags.strikethrough, class: "struck" },
    { tag: tags.monospace, class: "code" },
    { tag: [tags.link, tags.url], class: "link" },
    { tag: tags.quote, class: "quote" },
    { tag: tags.processingInstruction, class: "sign" },
  ])),
];
const READ_ONLY = [EditorState.readOnly.of(true), EditorView.editable.of(false), EditorView.contentAttributes.of({ tabindex: "0" })];

/** Put a sign of Markdown around what is selected, or take it away. */
function toggle(sign) {
  return (view) => {
    const { state } = view;
    if (state.readOnly) return false;
    const size = sign.length;
    const isAt = (place) => place >= 0 && state.sliceDoc(place, place + size) === sign;
    const change = state.changeByRange(({ from, to }) =>
      isAt(from - size) && isAt(to)
        ? {
            changes: [{ from: from - size, to: from }, { from: to, to: to + size }],
            range: EditorSelection.range(from - size, to - size),
          }
        : {
            changes: [{ from, insert: sign }, { from: to, insert: sign }],
            range: EditorSelection.range(from + size, to + size),
          },
    );
    view.dispatch(state.update(change, { userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

const bold = toggle("**");
const italic = toggle("_");

function edit(text, awareness) {
  const undoManager = new Y.UndoManager(text);
  const right = new Compartment();
  const view = new EditorView({
    doc: text.toString(),
    extensions: [
      right.of(READ_ONLY),
      // The history is Yjs', which undoes one's own edits only.
      keymap.of([{ key: "Mod-b", run: bold }, { key: "Mod-i", run: italic }, ...yUndoManagerKeymap, ...defaultKeymap]),
      LOOK,
      placeholder("Write something. # makes a heading, - a list."),
      EditorView.contentAttributes.of({ "aria-label": "Note", spellcheck: "true", autocapitalize: "sentences" }),
      yCollab(text, awareness, { undoManager }),
    ],
    parent: $("#editor"),
  });
  const does = { bold, italic, undo: () => undoManager.undo(), redo: () => undoManager.redo() };
  for (const button of document.querySelectorAll("[data-does]")) {
    button.addEventListener("click", () => {
      does[/** @type {HTMLElement} */ (button).dataset.does](view);
      view.focus();
    });
  }
  const showUndo = () => {
    $("[data-does=undo]").disabled = !undoManager.canUndo();
    $("[data-does=redo]").disabled = !undoManager.canRedo();
  };
  for (const event of /** @type {const} */ (["stack-item-added", "stack-item-popped", "stack-cleared"])) {
    undoManager.on(event, showUndo);
  }
  return {
    lines: (most) => [...view.state.doc.iterLines(1, Math.min(view.state.doc.lines, most) + 1)],
    allow(mayEdit) {
      view.dispatch({ effects: right.reconfigure(mayEdit ? [] : READ_ONLY) });
      $("[role=toolbar]").hidden = !mayEdit;
      $("#right").hidden = mayEdit;
      if (mayEdit && !$("dialog[open]")) view.focus();
    },
    replace(content) {
      undoManager.stopCapturing(); // one step of its own
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: content } });
      undoManager.stopCapturing();
    },
  };
}

// --- the connection ------------------------------------------------------------------

const STATUS = {
  connecting: "Connecting…",
  connected: "Connected",
  unsaved: "Not saved",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  refused: "Refused",
};

function show(status, notice = "") {
  $("#status").dataset.state = status;
  $("#status").textContent = STATUS[status];
  $("#notice").textContent = notice;
  $("#notice").hidden = !notice;
}

function watchConnection(provider, editor) {
  let wasConnected = false;
  let mayEdit = false;
  let refused = "";
  let unsaved = "";
  const update = () => {
    const safe = mayEdit ? "Your edits are kept here, and sent when you are back." : "";
    if (refused) show("refused", refused);
    else if (unsaved) show("unsaved", unsaved);
    else if (!navigator.onLine) show("offline", `You are offline. ${safe}`);
    else if (provider.synced) show("connected");
    else if (wasConnected) show("reconnecting", safe);
    else show("connecting");
  };
  provider.on("custom-message", (message) => {
    const { right, read } = JSON.parse(message);
    mayEdit = right === "edit";
    editor.allow(mayEdit);
    $("[data-opens=share]").disabled = false;
    $("#edit-link").hidden = !mayEdit;
    $("#edit-url").value = location.href;
    $("#read-url").value = `${location.origin}${location.pathname}#${provider.roomname}.${read}`;
  });
  provider.on("synced", (isSynced) => {
    wasConnected ||= isSynced;
    update();
  });
  provider.on("status", ({ status }) => {
    if (status === "connected") unsaved = "";
    update();
  });
  // An edit was refused, as the note is full; or one that was made offline, with another link. The page keeps it, and
  // sends it again when it connects anew.
  provider.messageHandlers[2] = (_encoder, decoder) => {
    readAuthMessage(decoder, provider.doc, (_doc, reason) => {
      unsaved = `${reason}. Your last edits are in this browser alone.`;
      if (mayEdit) unsaved += " Take something out, and reload the page.";
      update();
    });
  };
  provider.on("connection-close", ({ code, reason }) => {
    if (code === 1009) {
      // It would be sent again and again. The editor stays as it is: what was too much can be taken out.
      unsaved = "That is too much at once: it is in this browser alone. Take something out, and reload the page.";
    } else if (code === 1008) {
      refused = reason || "The server has closed the connection.";
      editor.allow(false);
    } else return;
    provider.disconnect();
    update();
  });
  // A socket does not notice by itself that the network has gone, or is back.
  addEventListener("offline", () => {
    provider.disconnect();
    update();
  });
  addEventListener("online", () => {
    if (!refused && !unsaved) provider.connect();
    update();
  });
  update();
}

// --- links and history ---------------------------------------------------------------

function share() {
  $("#share").showModal();
}

async function copy(button) {
  const input = $(`#${button.dataset.copies}`);
  input.select();
  try {
    await navigator.clipboard.writeText(input.value);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  } catch {
    // It is selected, for the keyboard's copy.
  }
}

function watchHistory(url, key, editor) {
  const past = new EditorView({ extensions: [READ_ONLY, LOOK, EditorView.contentAttributes.of({ "aria-label": "Earlier text" })], parent: $("#past") });
  const get = async (path) => {
    const response = await fetch(`${url}/history${path}`, { headers: { Authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return response;
  };
  let chosen = 0;

  async function look(at, button) {
    chosen = at;
    for (const one of $("#snapshots").querySelectorAll("button")) one.ariaPressed = String(one === button);
    try {
      const update = new Uint8Array(await (await get(`/${at}`)).arrayBuffer());
      if (chosen !== at) return; // another one has been chosen meanwhile
      const doc = new Y.Doc();
      Y.applyUpdate(doc, update);
      past.dispatch({ changes: { from: 0, to: past.state.doc.length, insert: doc.getText("content").toString() } });
      $("#told").textContent = `As it was on ${date(at)}`;
      $("#restore").disabled = $("[role=toolbar]").hidden;
    } catch {
      $("#told").textContent = "This snapshot cannot be read now.";
    }
  }

  async function open() {
    $("#snapshots").replaceChildren();
    $("#told").textContent = "";
    $("#restore").disabled = true;
    past.dispatch({ changes: { from: 0, to: past.state.doc.length } });
    $("#history").showModal();
    try {
      const times = await (await get("")).json();
      if (!times.length) $("#told").textContent = "Nothing yet: a snapshot is kept some seconds after an edit.";
      const buttons = times.map((at) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = date(at);
        button.addEventListener("click", () => look(at, button));
        return button;
      });
      $("#snapshots").replaceChildren(...buttons.map((button) => {
        const item = document.createElement("li");
        item.append(button);
        return item;
      }));
      buttons[0]?.click();
    } catch {
      $("#told").textContent = "The history cannot be read now.";
    }
  }

  $("#restore").addEventListener("click", () => {
    editor.replace(past.state.doc.toString());
    $("#history").close();
  });
  return open;
}

function date(seconds) {
  return new Date(seconds * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

// --- all of it -----------------------------------------------------------------------

/** The note of the page's address; a new one if that has none. */
async function find() {
  const [name, key = ""] = location.hash.slice(1).split(".");
  if (name) return { name, key };
  const response = await fetch("notes", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  const made = await response.json();
  history.replaceState(null, "", `#${made.name}.${made.key}`);
  return made;
}

function open({ name, key }) {
  const doc = new Y.Doc();
  const text = doc.getText("content");
  const provider = new YProvider(location.host, encodeURIComponent(name), doc, {
    party: "notes",
    protocol: location.protocol === "https:" ? "wss" : "ws",
    params: { key },
    connect: navigator.onLine,
    disableBc: true, // else tabs of one browser tell each other what the server has refused
  });
  // What was typed offline stays when the page is closed.
  new IndexeddbPersistence(`note ${name}`, doc);
  watchPeople(provider);
  const editor = edit(text, provider.awareness);
  watchConnection(provider, editor);
  introduce(provider.awareness);
  const title = () => {
    const line = editor.lines(40).find((line) => line.trim()) ?? "";
    const title = line.replace(/^[#>*\-\s]+/, "").replaceAll("**", "").slice(0, 80) || "Untitled note";
    $("h1").textContent = title;
    document.title = title;
  };
  text.observe(title);
  title();
  const opens = { share, history: watchHistory(`/parties/notes/${encodeURIComponent(name)}`, key, editor) };
  for (const button of document.querySelectorAll("[data-opens]")) {
    button.addEventListener("click", () => opens[/** @type {HTMLElement} */ (button).dataset.opens]());
  }
  for (const button of document.querySelectorAll("[data-copies]")) button.addEventListener("click", () => copy(button));
}

Object.assign(me, clean({ user: kept("me") ?? me }).user);
addEventListener("hashchange", () => location.reload());
find().then(open, (error) => show("refused", error.message));
