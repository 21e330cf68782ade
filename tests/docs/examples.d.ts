// What the examples of the pages leave to their readers.

declare const socket: import("partysocket").PartySocket;
declare const host: string;
declare const token: string;
declare const album: any;
declare const voter: string;

// What came as JSON may be anything.
interface ObjectConstructor {
  entries(object: any): [string, any][];
}

// Elements of their pages, which they find themselves.
declare const input: any;
declare const field: any;
declare const text: any;
declare const form: any;
declare const count: any;
declare const clock: any;
declare const draft: any;

declare function show(...what: any[]): any;
declare function warn(text: string): void;
declare function showError(text: string, code: string): void;
declare function showMove(move: unknown): void;
declare function showLogin(): Promise<void>;
declare function showAnswers(answers: unknown): void;
declare function countDown(question: string, until: number): void;
declare function fetchToken(): Promise<string>;
declare function reload(): void;
declare function showThatSomethingIsMissing(): void;
declare function cursorOf(...who: any[]): HTMLElement;
declare function add(...what: any[]): any;
declare function valid(token: string | null, secret: string): boolean;
declare function allowed(request: Request, room: string): boolean;

// As `wrangler types` makes it.
interface Env extends Cloudflare.Env { [name: string]: any }

// Packages that the checkout does not have.

declare module "codemirror" {
  export const basicSetup: import("@codemirror/state").Extension;
  export { EditorView } from "@codemirror/view";
}

declare module "hono" {
  export interface Context { env: any; text(text: string): Response }
  export class Hono {
    use(path: string, middleware: unknown): void;
    get(path: string, answer: (c: Context) => Response): void;
  }
}

declare module "hono-party" {
  export function partyserverMiddleware(options: {
    onError?: (error: Error) => void;
    options?: {
      prefix?: string;
      onBeforeConnect?: (
        request: Request, lobby: unknown, c: import("hono").Context
      ) => Promise<Response | Request | void>;
    };
  }): unknown;
}

declare module "partyflare" {
  export class Party {
    static fetchRoomForRequest(request: any, env: any): Promise<Response> | undefined;
    room: string;
    broadcast(message: any, without?: string[]): void;
  }
}

declare module "partykit/server" {
  export interface Storage {
    get<T = any>(key: string): Promise<T | undefined>;
    put(key: string, value: unknown): Promise<void>;
    list(options?: { prefix?: string; limit?: number }): Promise<Map<string, any>>;
    setAlarm(time: number): Promise<void>;
  }
  export interface Stub {
    fetch(init?: RequestInit): Promise<Response>;
    socket(): Promise<WebSocket>;
  }
  export interface Parties { [name: string]: { get(id: string): Stub } }
  export interface Room {
    readonly id: string;
    readonly storage: Storage;
    readonly context: { parties: Parties };
    broadcast(message: any, without?: string[]): void;
  }
  export interface Connection extends WebSocket { id: string }
  export type Request = globalThis.Request;
  export interface Cron { name: string }
  export interface CronLobby { parties: Parties }
  export interface Server {}
}
