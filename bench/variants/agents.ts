// The server of Cloudflare's Agents SDK, as its documentation says to use it.

import { Agent, callable, routeAgentRequest, type StreamingResponse } from "agents";

const WORDS = ["Hello", ", ", "how ", "are ", "you", "?"];

export class Plain extends Agent {
  @callable()
  add(one: number, other: number) {
    return one + other;
  }

  @callable()
  async later(one: number, other: number) {
    return one + other;
  }

  @callable({ streaming: true })
  async tell(stream: StreamingResponse, count: number) {
    for (let at = 0; at < count; at++) stream.send(WORDS[at % WORDS.length]);
    stream.end();
  }
}

export class Counter extends Agent<unknown, { title: string; count: number }> {
  initialState = { title: "a counter", count: 0 };

  @callable()
  add(by: number) {
    this.setState({ ...this.state, count: this.state.count + by });
    return this.state.count;
  }
}

export default {
  async fetch(request: Request, env: unknown) {
    return (await routeAgentRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
