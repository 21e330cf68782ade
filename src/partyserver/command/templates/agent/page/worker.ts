/* Made by `partyserver types src/worker.py`. Make it again when the worker's callables change. */

/** The state of `Assistant`. */
export type AssistantState = State;

/** What clients of `Assistant` may call, for `useAgent<Assistant, AssistantState>(...)`. */
export interface Assistant {
  readonly state: AssistantState;
  /**
   * Streams to `onChunk` of `call("ask", [...], { stream })`.
   *
   * @param text - maxLength 2000
   */
  ask(text: string): Promise<unknown>;
  /** Streams to `onChunk` of `call("ask_again", [...], { stream })`. */
  ask_again(): Promise<unknown>;
  /** @param id - integer */
  cancel_reminder(id: number): Promise<void>;
}

export interface State {
  /** @asType integer */
  last_id: number;
  messages: Message[];
  reminders: Reminder[];
  status: "answering" | "ready" | "unanswered";
  /** @asType integer */
  turn: number;
}

export interface Message {
  /** @asType integer */
  at: number;
  /** @asType integer */
  id: number;
  role: "assistant" | "reminder" | "user";
  text: string;
}

export interface Reminder {
  /** @asType integer */
  at: number;
  /** @asType integer */
  id: number;
  text: string;
}
