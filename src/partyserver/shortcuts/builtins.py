"""JavaScript's own functions, which stand where code of ours cannot: a worker has only Python."""

from __future__ import annotations

from functools import cache

import js
from pyodide.ffi import JsProxy, create_proxy


class Tools:
    """JavaScript functions, looked up once."""

    def __init__(self) -> None:
        function = js.Function.prototype
        self.bind = function.call.bind(function.bind)
        proxy = create_proxy(Tools)
        self.call, self.call_promising = proxy.call, proxy.callPromising
        self.object = js.Object
        self.assign = js.Object.assign
        self.set_prototype = js.Reflect.setPrototypeOf
        self.members = js.Object.new()
        self.members.then = None  # `await` asks for it
        self.members.fetch = js.Object  # the runtime only looks whether there is one
        self.set, self.delete = js.Reflect.set, js.Reflect.deleteProperty
        self.with_resolvers = js.Promise.withResolvers
        self.key = js.Symbol.split
        self.dispatch = function.call.bind(js.String.prototype.split)
        self.call_function = function.call
        #: For what Pyodide's own methods of a proxy hide, such as an array's `pop`.
        self.member = js.Reflect.get
        self._reduce = self.member(js.Array.prototype, "reduce")

    def handler(self, receive: JsProxy) -> JsProxy:
        """What has an event handler's place, called with options and a message."""
        bound: JsProxy = self.bind(self.call_function, receive)  # `call` drops the options
        return bound

    def pipe(self, *functions: JsProxy) -> JsProxy:
        """A JavaScript function that hands its argument through these, each with its number.

        `steps.reduce(dispatch, x)` calls `dispatch(x, step, number)`, and so, see `Dispatch`,
        `step[Symbol.split](x, number)`, for each of the steps.
        """
        steps = js.Array.new()
        for function in functions:
            step = self.object.new()
            self.set(step, self.key, function)
            steps.push(step)
        return self.bind(self._reduce, steps, self.dispatch)  # type: ignore[no-any-return]


tools = cache(Tools)
