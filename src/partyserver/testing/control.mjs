// The worker beside the user's that can do what only the runtime itself can: wipe, evict, ask rooms.

export const CONTROL_WORKER = "partyserver-testing-control";
export const CONTROL_MODULE = "partyserver-testing-control.mjs";
export const CONTROL_SCRIPT = `
  import unsafe from "workerd:unsafe";
  let identity;
  const actions = {
    flush() {},
    identify: () => (identity ??= crypto.randomUUID()),
    async wipe() {
      await unsafe.deleteAllDurableObjects();
      return actions.identify();
    },
    abort: () => unsafe.abortAllDurableObjects(),
    async evict({ binding, name, webSockets }, env) {
      const room = env[binding].get(env[binding].idFromName(name));
      try {
        await unsafe.evict(room, { webSockets });
      } catch (error) {
        if (!error.message.includes("not currently running")) throw error;
      }
    },
    ask({ binding, name, method, args }, env) {
      return env[binding].get(env[binding].idFromName(name))[method](...args);
    },
  };
  export default {
    async fetch(request, env) {
      const { action, mark, ...options } = await request.json();
      let result;
      try {
        result = await actions[action](options, env);
      } catch (error) {
        return Response.json(
          { message: error.message, reset: error.durableObjectReset === true },
          { status: 500 },
        );
      }
      // Whatever the runtime had to say before this line has been said.
      console.log(mark);
      console.error(mark);
      return new Response(result);
    },
  };
`;
