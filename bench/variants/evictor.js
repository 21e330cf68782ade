// Puts a room to sleep, as the platform does after ten seconds without an event: /Class/room.

// @ts-expect-error: no types know it
import unsafe from "workerd:unsafe";

export default {
  async fetch(request, env) {
    const [, kind, room] = new URL(request.url).pathname.split("/");
    await unsafe.evict(env[kind].getByName(room), { webSockets: "hibernate" });
    return new Response("asleep");
  },
};
