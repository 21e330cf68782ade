// The assistant's page. What was said is the agent's state, and reaches the page as text, never as HTML.

import { useAgent } from "agents/react";
import { type FormEvent, type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import type { Assistant, AssistantState, Message, Reminder } from "./worker";

const IDEAS = ["What can you do?", "What time is it?", "Remind me in 1 minute to stretch"];

function Conversation({ name }: { name: string }) {
  const [isOpen, setOpen] = useState(false);
  const [wasOpen, setWasOpen] = useState(false);
  const [text, setText] = useState("");
  const [error, setError] = useState("");
  /** What has come of the answer that is being written, to this page, which has asked for it. */
  const [words, setWords] = useState("");
  const calls = useRef(0);
  const box = useRef<HTMLTextAreaElement>(null);
  const isOnline = useSyncExternalStore(watchNetwork, () => navigator.onLine);
  const agent = useAgent<Assistant, AssistantState>({
    agent: "assistant",
    name,
    onOpen: () => {
      setOpen(true);
      setWasOpen(true);
    },
    onClose: () => setOpen(false),
  });
  const state = agent.state;
  const refused = agent.connectionError;
  const canAsk = isOpen && isOnline && state !== undefined && state.status !== "answering";

  /** Ask a question, or without one the last one again. */
  async function ask(question?: string) {
    const call = ++calls.current;
    setWords("");
    setError("");
    const onChunk = (chunk: unknown) => {
      if (call === calls.current) setWords((words) => words + chunk);
    };
    const options = { stream: { onChunk } };
    try {
      await (question === undefined ? agent.call("ask_again", [], options) : agent.call("ask", [question], options));
    } catch (failure) {
      if (call !== calls.current) return;
      setError(failure instanceof Error && failure.message !== "Connection closed" ? failure.message : "");
    } finally {
      // Else they would stand for an answer that another page has asked for.
      if (call === calls.current) setWords("");
    }
  }

  function submit(event?: FormEvent) {
    event?.preventDefault();
    if (!canAsk || !text.trim()) return;
    setText("");
    void ask(text);
    box.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // While an input method composes a character, Enter belongs to it.
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  }

  function cancel(reminder: Reminder) {
    agent.call("cancel_reminder", [reminder.id]).catch((failure: Error) => setError(failure.message));
    box.current?.focus();
  }

  const status = refused ? "refused" : !isOnline ? "offline" : isOpen && state ? "connected" : wasOpen ? "reconnecting" : "connecting";
  return (
    <>
      <header>
        <img src="icon.svg" alt="" width="32" height="32" />
        <h1>Assistant</h1>
        <p id="status" role="status" data-state={status}>{STATUS[status]}</p>
        <a className="button" href="?">New<span className="wide"> conversation</span></a>
      </header>
      {state && state.reminders.length > 0 && <Reminders reminders={state.reminders} cancel={cancel} isOpen={isOpen} />}
      <main>
        <Log state={state} words={words} isBusy={!state && !refused}>
          {refused ? (
            <div className="empty"><h2>You cannot come in</h2><p role="alert">{refused.reason || "The assistant has closed the connection."}</p></div>
          ) : state?.messages.length === 0 && (
            <div className="empty">
              <h2>How can I help?</h2>
              <p>This conversation is kept under its address, for whoever has that.</p>
              <ul>{IDEAS.map((idea) => <li key={idea}><button disabled={!canAsk} onClick={() => void ask(idea)}>{idea}</button></li>)}</ul>
            </div>
          )}
        </Log>
        {error && <p className="error" role="alert">{error}</p>}
        {state?.status === "unanswered" && !refused && (
          <p className="again">The last question has no answer. <button disabled={!canAsk} onClick={() => void ask()}>Ask again</button></p>
        )}
        <form onSubmit={submit}>
          <label htmlFor="text" className="unseen">Question</label>
          <textarea id="text" ref={box} rows={1} maxLength={2000} placeholder="Ask something" enterKeyHint="send" dir="auto" autoFocus
            disabled={refused !== null} value={text} onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown} />
          <button className="primary" disabled={!canAsk || !text.trim()}>
            <span className="unseen">Send</span>
            <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><path d="M12 19V5m-6 6 6-6 6 6" /></svg>
          </button>
        </form>
      </main>
    </>
  );
}

const STATUS = {
  connecting: "Connecting…",
  connected: "Connected",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  refused: "Refused",
};

function watchNetwork(changed: () => void) {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}

function Log({ state, words, isBusy, children }: { state?: AssistantState; words: string; isBusy: boolean; children: React.ReactNode }) {
  const log = useRef<HTMLDivElement>(null);
  /** Along with the newest, unless the reader has gone back to read. */
  const follows = useRef(true);
  const isAnswering = state?.status === "answering";
  useLayoutEffect(() => {
    if (follows.current) log.current?.scrollTo(0, log.current.scrollHeight);
  }, [state, words]);
  useEffect(() => {
    // A phone's keyboard and a growing text box take their place from the log.
    const observer = new ResizeObserver(() => follows.current && log.current?.scrollTo(0, log.current.scrollHeight));
    observer.observe(log.current!);
    return () => observer.disconnect();
  }, []);
  return (
    // A screen reader hears an answer when it is whole, and not word by word.
    <div id="log" ref={log} role="log" aria-label="Conversation" aria-busy={isBusy || isAnswering} tabIndex={0}
      onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
        follows.current = scrollHeight - scrollTop - clientHeight < 80;
      }}>
      {children}
      <ol>
        {state && state.messages[0]?.id > 1 && <li className="gone">Earlier messages are no longer kept</li>}
        {state?.messages.map((message) => <Said key={message.id} {...message} />)}
        {isAnswering && (
          <li className="assistant answering">
            <Who role="assistant" />
            {words ? <p className="text" dir="auto">{words}</p> : <p className="text dots"><span className="unseen">An answer is being written</span><i /><i /><i /></p>}
          </li>
        )}
      </ol>
    </div>
  );
}

function Said({ role, text, at }: Message) {
  const time = new Date(at);
  return (
    <li className={role}>
      <Who role={role} />
      <p className="text" dir="auto" title={time.toLocaleString()}>{text}</p>
      {role === "reminder" && <time dateTime={time.toISOString()}>{clock(time)}</time>}
    </li>
  );
}

function Who({ role }: { role: Message["role"] }) {
  return <b className={role === "reminder" ? "byline" : "unseen"}>{{ user: "You", assistant: "Assistant", reminder: "Reminder" }[role]}</b>;
}

function Reminders({ reminders, cancel, isOpen }: { reminders: Reminder[]; cancel: (reminder: Reminder) => void; isOpen: boolean }) {
  return (
    <aside aria-labelledby="reminders">
      <h2 id="reminders">Reminders</h2>
      <ul aria-labelledby="reminders">
        {[...reminders].sort((a, b) => a.at - b.at).map((one) => (
          <li key={one.id}>
            <span dir="auto">{one.text}</span>
            <time dateTime={new Date(one.at).toISOString()}>{clock(new Date(one.at))}</time>
            <button disabled={!isOpen} aria-label={`Cancel: ${one.text}`} title="Cancel" onClick={() => cancel(one)}>×</button>
          </li>
        ))}
      </ul>
    </aside>
  );
}

function clock(time: Date) {
  const today = time.toDateString() === new Date().toDateString();
  return time.toLocaleString([], { ...(today ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit" });
}

/** The conversation of the page's address; a new one, whose name nobody can guess, if that has none. */
function conversation() {
  const given = new URLSearchParams(location.search).get("chat");
  if (given) return encodeURIComponent(given);
  const made = crypto.randomUUID();
  history.replaceState(null, "", `?chat=${made}`);
  return made;
}

createRoot(document.getElementById("app")!).render(<Conversation name={conversation()} />);
