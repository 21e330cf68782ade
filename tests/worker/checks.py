"""What can only be asked inside of the runtime: each check returns JSON for its test."""

import asyncio
import json
import logging
import sys
from contextvars import copy_context
from inspect import get_annotations
from io import StringIO
from types import SimpleNamespace, new_class
from typing import Any, Generic, TypeVar, cast

import js
from partyserver import (
    RoutingRetry,
    Server,
    ServerNameError,
    attribution,
    get_server_by_name,
    partyflare,
    partykit,
    route_partykit_request,
)
from partyserver.connections import Connections
from partyserver.history import History
from partyserver.presence import Presence
from partyserver.rules.attachment import Attachment
from partyserver.runtime import console, sockets
from partyserver.schedule import Schedule
from partyserver.shortcuts import switch
from pyodide.ffi import create_once_callable, create_proxy
from workers import Request, Response


async def run(name, worker):
    return await globals()[f"check_{name}"](worker)


def outcome(call, *arguments, **keywords):
    try:
        return repr(call(*arguments, **keywords))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def check_what_stands_for_a_response(worker):
    """An object of a library's own, with the platform's response in it."""

    class StandIn:
        js_object = js.Response.new("stands for one", status=207)

    request = Request("https://x/parties/answering/y")
    answer = await route_partykit_request(
        request, worker.env, on_before_request=lambda request, lobby: StandIn()
    )
    return [answer.status, await answer.text()]


# --- advice ---------------------------------------------------------------------------


async def check_missing_binding(worker):
    return missing_in(worker.env)


def missing_in(env):
    """What is said of a name that is not there, and what else of `env` can be asked."""
    try:
        text = repr(env.GREETINGS)
    except AttributeError as error:
        text = str(error)
    return [
        text,
        hasattr(env, "GREETINGS"),
        getattr(env, "GREETINGS", "default"),
        hasattr(env, "_private"),
        env.GREETING,
        hasattr(env, "Scripted"),
    ]


async def check_forgotten_await(worker):
    stub = worker.env.Answering.getByName("forgotten")
    stub.shout("nobody waits")  # the call of a stub
    return await stub.shout("waited for")


async def check_called_by_javascript(worker):
    shout = create_once_callable(worker.env.Answering.getByName("by JavaScript").shout)
    return [str(await js.Promise.resolve("hi").then(shout))]


# --- the switch -----------------------------------------------------------------------


async def check_switch(worker):
    """What values of the variable do; the isolate's own switch stands as it was."""
    module: Any = switch
    before, usual = (module.enabled, module._is_set), module.platform.worker_env
    enabled = {}
    try:
        for value in [None, "on", "off", "OFF", "false", "", False, 0, ["off"]]:
            module.enabled, module._is_set = True, False
            env = SimpleNamespace(PARTYSERVER_SHORTCUTS=value)
            module.platform.worker_env = lambda env=env: env
            first, again = switch.set_by_variables(), switch.set_by_variables()
            assert (first, again) == (True, False)
            enabled[repr(value)] = module.enabled
    finally:
        module.enabled, module._is_set = before
        module.platform.worker_env = usual
    return enabled


# --- logging --------------------------------------------------------------------------


async def check_logging(worker):
    """Writes records, as a worker that has configured nothing, and by handlers of its own."""
    root = logging.getLogger()
    root.handlers.clear()  # as at the start
    logging.getLogger("game").info("of a logger")
    for level in (10, 20, 25, 30, 40, 50):
        logging.log(level, "level %d", level)
    try:
        raise ZeroDivisionError("of the check")
    except ZeroDivisionError:
        logging.exception("failed here")
    elsewhere = StringIO()
    streams = {"stderr": sys.stderr, "stdout": sys.stdout, "elsewhere": elsewhere}
    for name, stream in streams.items():
        own, handler = logging.Logger("own"), logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter(f"{name}: %(levelname)s %(message)s"))
        own.addHandler(handler)
        own.info("own")
    logging.info("%d", "no number")

    def receive():
        """Stands for what receives messages."""

    return {
        "elsewhere": elsewhere.getvalue(),
        "loaded": sorted({"partyserver.logs", "partyserver.rules.logs"} & sys.modules.keys()),
        "is wrapped": attribution.of_messages(receive) is not receive,
    }


async def check_root_level(worker):
    """The root logger's level after the import of the library, by what has come before that."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    found = {}
    for name, come in {
        "nothing": lambda: None,
        "a line": lambda: logging.warning("before the import"),
        "a line that is not shown": lambda: logging.info("before the import"),
        "basicConfig": lambda: logging.basicConfig(level=logging.WARNING),
        "a level": lambda: root.setLevel(logging.ERROR),
        "a handler": lambda: root.addHandler(logging.NullHandler()),
    }.items():
        root.handlers = []
        root.setLevel(logging.WARNING)  # as Python has it
        come()
        console.show_info()
        found[name] = logging.getLevelName(root.level)
    root.handlers = handlers
    root.setLevel(level)
    return found


# --- classes --------------------------------------------------------------------------


def define(**members):
    return outcome(lambda: type("Chat", (Server,), members).__name__)


async def check_classes(worker):
    handlers = ["alarm", "webSocketMessage", "webSocketClose", "webSocketError"]
    handlers += ["web_socket_message", "websocket_close"]
    return {
        **{name: define(**{name: lambda self: None}) for name in handlers},
        "onMessage": define(onMessage=lambda self, connection, message: None),
        "on_message": define(on_message=lambda self, message: None),
        "unknown option": define(options={"hibernation": True}),
        "bad option": define(options={"hibernate": "yes"}),
        "fine": define(on_message=lambda self, connection, message: None),
    }


async def check_environment(worker):
    """Classes that say what their `env` has, and whether they are as those that do not."""
    T = TypeVar("T")
    of_env: Any = Server
    of_t = cast(Any, Generic)[T]
    made: dict[str, Any] = {"plain": new_class("Plain", (Server,))}
    made["typed"] = new_class("Typed", (of_env["Env"],))
    made["with mixins"] = new_class("Mixed", (Schedule, Presence, History, of_env[int]))
    made["before mixins"] = new_class("Mixed", (of_env[int], History, Presence))
    made["generic"] = shared = cast(Any, new_class("Shared", (of_env[T], of_t)))
    made["of a generic one"] = new_class("OfShared", (shared[int],))
    made["generic first"] = shared = cast(Any, new_class("Shared", (of_t, of_env[T])))
    made["of a generic first one"] = new_class("OfShared", (shared[int],))
    made["partyflare"] = new_class("Flare", (cast(Any, partyflare.Party)[int],))
    made["partykit"] = new_class("Kit", (Schedule, cast(Any, partykit.Server)[int]))
    root = ["Server", "Hooks", "LifeHolder", "DurableObject", "EnvHolder", "object"]
    return {
        name: [base.__name__ for base in cls.__mro__ if base.__name__ not in (*root, "Generic")]
        for name, cls in made.items()
    }


async def check_type_hints(worker):
    # Not `typing.get_type_hints`: the SDK's own base has names that nobody has at run time.
    return "ctx" in get_annotations(Server, eval_str=True)


async def check_options(worker):
    class Base(Server):
        options = {"hibernate": True}

    class Child(Base):
        options = {"debug": True}

    class Mixin(Server):
        options = {"max_message_size": 10}

    class Both(Child, Mixin):
        pass

    return [dict(cls.options) for cls in (Server, Base, Child, Both)]


async def check_own_mistakes(worker):
    """Members that would hide what `Server` needs, or never run."""

    async def yielding(self, connection, message):
        yield

    return [define(on_message=yielding), define(_partyserver=None), define(_end=None)]


# --- names ----------------------------------------------------------------------------


async def check_naming_in_on_start(worker):
    """An object without a name is started by its alarm, say."""
    namespace = worker.env.Renaming
    stub = namespace.get(namespace.newUniqueId())
    await stub.set_alarm()
    while (name := await stub.room_name()) is None:
        await asyncio.sleep(0.01)
    return name


async def check_a_socket_that_wakes_a_room_before_its_name_is_known(worker):
    def no_name():
        raise ServerNameError("not yet")

    _, socket = sockets.socket_pair()
    sockets.write_attachment(socket, Attachment("a", ("a",), None, None))
    connections = Connections(no_name, print, copy_context())
    connections.sleep_in(sockets.Sockets(None))
    return connections.of_socket(socket).id


async def check_unnamed(worker):
    """An object that was addressed by a unique id."""
    namespace = worker.env.Answering
    room_id = namespace.newUniqueId()
    first = await namespace.get(room_id).fetch("https://room/parties/answering/x/where")
    stub = namespace.get(room_id)
    await stub.set_name("given", {"some": "props"})
    second = await namespace.get(room_id).fetch("https://room/parties/answering/x/where")
    try:
        await namespace.get(room_id).setName("another")
        third = "renamed"
    except Exception as error:
        third = str(error)
    return [first.status, await second.text(), third, str(room_id.toString())]


async def check_named(worker):
    stub = await get_server_by_name(worker.env.Answering, "mine", props={"a": [1, None, "ü"]})
    again = await get_server_by_name(worker.env.Answering, "mine", props="ignored by now")
    events = await again.events()
    raw = await get_server_by_name(worker.env._env.Answering, "mine")  # JavaScript's own binding
    assert (await raw.events()).length == len(events)
    response = await stub.fetch("https://room/parties/answering/mine/where")
    try:
        await stub.setName("other")
        renamed = "renamed"
    except Exception as error:
        renamed = str(error)
    return [events, await response.text(), renamed]


# --- routing --------------------------------------------------------------------------


class FakeNamespace:
    """A namespace whose objects fail as the platform's do: a few times, with these flags."""

    def __init__(self, failures, **flags):
        self.failures = failures
        self.flags = flags
        self.calls = 0

    def idFromName(self, name):
        raise NotImplementedError

    def getByName(self, name, options=None):
        return self

    def _fail(self):
        self.calls += 1
        if self.calls <= self.failures:
            error = js.Error.new("Network connection lost.")
            for flag, value in self.flags.items():
                setattr(error, flag, value)
            raise error

    async def fetch(self, request):
        body = await request.text()
        self._fail()
        return js.Response.new(f"reached with {body!r}")

    async def setName(self, name, props=None):
        self._fail()


async def check_retries(worker):
    results: dict[str, Any] = {}
    cases = {
        "twice": (2, {"retryable": True}, 3),
        "too often": (3, {"retryable": True}, 3),
        "overloaded": (1, {"retryable": True, "overloaded": True}, 3),
        "not retryable": (1, {}, 3),
        "switched off": (1, {"retryable": True}, None),
        "too large": (1, {"retryable": True}, 3),
    }
    for name, (failures, flags, attempts) in cases.items():
        fake = FakeNamespace(failures, **flags)
        told: list[Any] = []
        retry: Any = attempts and RoutingRetry(
            max_attempts=attempts,
            base_delay_ms=1,
            max_delay_ms=2,
            on_retry=lambda event, told=told: told.append(  # type: ignore[misc]  # told=told
                [event.attempt, event.name]
            ),
        )
        proxy = create_proxy(fake)
        env = js.Object.fromEntries([["Fake", proxy]])
        body = "x" * 200_000 if name == "too large" else "body"
        request = Request("https://x/parties/fake/room", method="POST", body=body)
        try:
            response = await route_partykit_request(request, env, routing_retry=retry)
            answer: Any = [
                response.status,
                await response.text(),
                response.headers.get("retry-after"),
            ]
        except Exception as error:
            answer = str(error)
        proxy.destroy()
        results[name] = [answer, fake.calls, told]
    fake = FakeNamespace(2, retryable=True)
    await get_server_by_name(
        fake,
        "x",
        routing_retry=RoutingRetry(base_delay_ms=1, on_retry=lambda event: cast(Any, 1 / 0)),
    )
    results["by name, with an on_retry that raises"] = fake.calls
    return results


class RegionalNamespace(FakeNamespace):
    """Remembers where its objects were asked to live; workerd itself has no jurisdictions."""

    def __init__(self):
        super().__init__(0)
        self.asked = {}

    def jurisdiction(self, name):
        self.asked["jurisdiction"] = name
        return self

    def getByName(self, name, options=None):
        self.asked["locationHint"] = options.locationHint
        return self

    async def fetch(self, request):
        self.asked["header"] = request.headers.get("x-partykit-jurisdiction")
        return js.Response.new("")


async def check_jurisdiction(worker):
    fake = RegionalNamespace()
    proxy = create_proxy(fake)
    env = js.Object.fromEntries([["Fake", proxy]])
    request = Request("https://x/parties/fake/room")
    await route_partykit_request(request, env, jurisdiction="eu", location_hint="weur")
    proxy.destroy()
    return fake.asked


async def check_party_fetch(worker):
    request = Request("https://x/rooms/answering/early/where")
    found = await Server.party_fetch(request, worker.env, prefix="rooms", location_hint="weur")
    missed = await Server.party_fetch(request, worker.env)
    return [await found.text(), missed is None]


async def check_hooks_get_a_lobby(worker):
    seen = []

    def before(request, lobby):
        seen.append([lobby.party, lobby.class_name, lobby.name, type(request).__name__])
        return Response(json.dumps(seen))

    request = Request("https://x/parties/ANSWERING/a%20b/page")
    response = await route_partykit_request(request, worker.env, on_before_request=before)
    return json.loads(await response.text())
