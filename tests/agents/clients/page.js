// The same in Chromium, with agents/react: `obey` is there for the tests, and there is one more way
// to an agent, a component that does nothing but use it.

import * as newer from "agents/react";
import * as older from "agents-0.21/react";
import { createElement, StrictMode, Suspense, useEffect } from "react";
import { createRoot } from "react-dom/client";

import { alarm, kinds, obey } from "./commands.js";

const versions = { "0.32.0": newer, "0.21.0": older };

Object.assign(window, { obey });
window.addEventListener("error", ({ message }) => alarm(message));
window.addEventListener("unhandledrejection", ({ reason }) => alarm(reason));
// React's warnings of what a component may not do.
console.error = (...words) => alarm(words.join(" "));

/** `rendering` counts what the page has asked to be rendered. */
function Agent({ client, useAgent, options, rendering }) {
  const agent = useAgent(options);
  useEffect(() => {
    client.agent = agent;
    client.rendered(rendering);
  });
  useEffect(() => {
    const keep = ({ data }) => client.frames.push(data);
    agent.addEventListener("message", keep);
    return () => agent.removeEventListener("message", keep);
  }, [client, agent]);
  const call = options.callOnMount;
  return createElement(
    "output",
    null,
    agent.state === undefined ? "" : JSON.stringify(agent.state),
    call && createElement(Caller, { client, agent, call }),
  );
}

/** Calls as soon as it is there: the effects of what is below come first, so nothing is connected. */
function Caller({ client, agent, call }) {
  useEffect(() => {
    agent.call(...call).then(
      (value) => client.events.tell("mount", value),
      (error) => client.events.tell("mount error", error.message),
    );
  }, [client, agent.call, call]);
  return null;
}

/**
 * `finalCode`: after a close with this the application wants no reconnection.
 * @param {any} options
 */
function withFunctions({ finalCode, ...options }) {
  const shouldReconnectOnClose = ({ code }) => code !== finalCode;
  return finalCode ? { ...options, shouldReconnectOnClose } : options;
}

kinds.useAgent = async (client, version, { strict = false, ...given }) => {
  const { useAgent, _testUtils } = versions[version];
  let options = withFunctions(given);
  const place = document.body.appendChild(document.createElement("div"));
  const root = createRoot(place);
  const inMode = (element) => (strict ? createElement(StrictMode, null, element) : element);
  let renderings = 0;
  let waiting = [];

  function render() {
    renderings += 1;
    const properties = { client, useAgent, options, rendering: renderings };
    root.render(inMode(createElement(Suspense, null, createElement(Agent, properties))));
    const { promise, resolve } = Promise.withResolvers();
    waiting.push([renderings, resolve]);
    return promise;
  }

  Object.assign(client, {
    /** What was asked for before this rendering, as by states that were set, has been rendered too. */
    rendered(rendering) {
      for (const [number, resolve] of waiting) if (number <= rendering) resolve();
      waiting = waiting.filter(([number]) => number > rendering);
    },
    settled: render,
    /** Other options, beside those that it has. */
    async change(changes) {
      options = { ...options, ...withFunctions(changes) };
      await render();
    },
    unmount() {
      root.render(null);
    },
    mount: render,
    /** What a component can say of its agent that a client cannot. */
    about() {
      return { path: client.agent.path, httpUrl: client.agent.getHttpUrl() };
    },
    /** What is rendered. */
    async text() {
      await render();
      return place.textContent;
    },
    /** When what is rendered has this text in it. */
    show(text) {
      const { promise, resolve } = Promise.withResolvers();
      const look = () => place.textContent.includes(text) && resolve(null);
      const observer = new MutationObserver(look);
      observer.observe(place, { childList: true, characterData: true, subtree: true });
      look();
      return promise.finally(() => observer.disconnect());
    },
    end() {
      root.unmount();
      place.remove();
      // It keeps the queries of components that are gone, too, for five minutes.
      _testUtils.clearCache();
    },
  });
  await render();
};
