"""Scenes that are played to npm partyserver and to this library alike, and what they record.

A scene is a function that takes a `Stage`: it connects, sends, closes and fetches, and every answer
becomes a line of the stage's record, without what differs from run to run or from language to
language. At the end come the events that the rooms themselves have written down.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import Any

from partyserver.testing import SocketClosedError, UpgradeError

SCENES = {}
ROUTING_SCENES = []

#: Seconds that something is waited for which should come by itself.
PATIENCE = 30
#: The same for the end after a broken frame: the platform itself brings it after 10.
PATIENCE_WITH_CLOSE = 5

#: What is not the same twice, or not in both languages, and what stands for it in the record.
NEUTRAL: list[tuple[str, Any]] = [
    (r"\b(js|py)-(memory|sleepy)\b", "PARTY"),
    (r"\b(Js|Py)(Memory|Sleepy)\b", "Party"),
    (r"/(npm|ours)/", "/ROUTER/"),
    (r"http://127\.0\.0\.1:\d+", "URL"),
    (r"~(npm|ours)\b", ""),
    (r"(?<![\w-])(?=[\w-]*[A-Z0-9])[\w-]{21,22}(?![\w-])", "GENERATED ID"),
    (r'\(error id \w+\)|(?<="id": ")[0-9a-f]{8}(?=")', "ERROR ID"),
    (r"\\n    at .*?(?=\"[,}\]])", " STACK"),
    (r"(.)\1{99,}", lambda run: f"{run[1]} * {len(run[0])}"),
]
HEADERS = ("content-type", "location", "x-teapot")


def scene(function):
    SCENES[function.__name__] = function
    return function


def routing_scene(function):
    """A scene that is also played with one side's router before the other side's rooms."""
    ROUTING_SCENES.append(function.__name__)
    return scene(function)


class Stage:
    """One room class (`npm` or `ours`, in one of the two modes) behind one of the two routers."""

    def __init__(self, party, router, server, mode):
        self.party = party
        self.router = router
        self.language = {"npm": "Js", "ours": "Py"}[server]
        self._mode = mode
        self._syncs = 0
        self._rooms = {}
        self._clients = {}
        self._record = []
        #: Whether the texts of failures are noted; only one scene is about them.
        self.details = False

    # --- what scenes do ---------------------------------------------------------------

    def connect(self, id=None, room="room", how="plain", query=(), **options):
        """Connect and note the handshake; None if it is refused."""
        query = [("_pk", id), *query] if id is not None else list(query)
        name = id or "somebody"
        while name in self._clients:
            name += "'"
        try:
            socket = self.party.connect(self.path(room, how=how), query=query, **options)
        except UpgradeError as refusal:
            response = refusal.response
            self.note(f"{name} is refused", response.status_code, response.text)
            return None
        protocol = socket.response_headers.get("sec-websocket-protocol")
        self.note(f"{name} connects", *([protocol] if protocol else []))
        client = self._clients[name] = Client(self, name, socket, room)
        self.settle()
        return client

    def fetch(self, path="/", method="GET", room="room", how="plain", **options):
        """Send a request to a room and note the answer."""
        self._fetch(path, self.path(room, path, how), method, **options)
        self.settle()

    def set_alarm(self, room="room", delay_ms=20):
        """As `fetch`, without the clients hearing of it before they should."""
        self._fetch("/alarm", self.path(room, f"/alarm?in={delay_ms}"), "GET")

    def fetch_url(self, what, url, method="GET", how="plain"):
        """Send a request to any URL below the router."""
        self._fetch(what, f"/{self.router}/{how}{url}", method)

    def hibernate(self, room="room"):
        """Evict the room; in memory, where sockets do not outlive it, do nothing."""
        if self._mode == "hibernating":
            self.party.room(self.binding, self._own(room)).hibernate()

    def wait_for(self, event, room="room", count=1):
        """Wait until the room has written down an event; note it if that does not come."""
        if not self.wait_until(
            room, lambda events: [name for name, *_ in events].count(event) >= count
        ):
            self.note(f"no {event}")
        self.settle()

    def note(self, *line):
        text = json.dumps(line, ensure_ascii=False)
        for pattern, neutral in NEUTRAL:
            text = re.sub(pattern, neutral, text)
        self._record.append(json.loads(text))

    def finish(self):
        """The record, with the rooms' own events at its end."""
        for room in self._rooms:
            for event in self._events(room):
                self.note(f"in {room}" if len(self._rooms) > 1 else "", *event)
        return self._record

    # --- what they need for it --------------------------------------------------------

    @property
    def binding(self):
        return self.language + ("Sleepy" if self._mode == "hibernating" else "Memory")

    @property
    def party_name(self):
        """The binding as it stands in URLs."""
        return re.sub(r"(?<=.)([SM])", r"-\1", self.binding).lower()

    def path(self, room, path="", how="plain"):
        self._rooms[room] = None
        return f"/{self.router}/{how}/parties/{self.party_name}/{self._own(room)}{path}"

    def _own(self, room):
        """A room's full name: two stages with the same server are not to meet in it."""
        return f"{room}~{self.router}"

    def settle(self):
        """Let each client hear all that was sent to it so far."""
        self._syncs += 1
        for client in list(self._clients.values()):
            client.catch_up(self._syncs)

    def leave(self, name):
        self._clients.pop(name, None)

    def wait_until(self, room, check):
        deadline = time.monotonic() + PATIENCE
        while not check(self._events(room)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _events(self, room):
        return self.party.fetch(self.path(room, "/events")).json()

    def _fetch(self, what, url, method, **options):
        response = self.party.fetch(url, method, **options)
        headers = {
            name: text
            for name, text in response.headers.items()
            if name in HEADERS or name.startswith("access-control-")
        }
        body = shown(response.content)
        if response.status_code == 500 and not self.details:
            headers, body = {}, "A FAILURE"
        self.note(f"{method} {what}", response.status_code, headers, body)


class Client:
    """A client on the stage, whose every move and message is noted."""

    def __init__(self, stage, name, socket, room):
        self._stage = stage
        self._name = name
        self._id = name.rstrip("'")
        self._socket = socket
        self._room = room

    def say(self, *command):
        """Send a command."""
        self.send(json.dumps(command))

    def send(self, *messages):
        self.send_without_waiting(*messages)
        self._stage.settle()

    def send_without_waiting(self, *messages):
        self._stage.note(f"{self._name} sends", *map(shown, messages))
        try:
            for message in messages:
                self._socket.send(message)
        except SocketClosedError:
            self._stage.note(f"{self._name} cannot send")

    def hear(self):
        """Wait for a message that comes by itself."""
        try:
            self._note_heard(self._socket.receive(PATIENCE))
        except (TimeoutError, SocketClosedError):
            self._stage.note(f"{self._name} hears nothing")

    def close(self, code=1000, reason=""):
        """Close, and wait for the server's answer."""
        self._stage.note(f"{self._name} closes", code, reason)
        self._socket.close(code, reason)
        self._see_close()
        self._stage.settle()

    def send_raw(self, what, data):
        """Put bytes on the wire that end the connection."""
        self._stage.note(f"{self._name} {what}")
        self._socket.send_raw(data)
        try:
            self._socket.wait_closed(PATIENCE_WITH_CLOSE)
        except TimeoutError:
            self._stage.note(f"{self._name} waits in vain")
            self._stage.leave(self._name)
        else:
            self._see_close()
        self._stage.settle()

    def vanish(self):
        self._stage.note(f"{self._name} vanishes")
        self._stage.leave(self._name)
        self._socket.drop()

    def catch_up(self, number):
        try:
            self._socket.send_json(["sync", number])
            while (message := self._socket.receive(PATIENCE)) != f'["synced",{number}]':
                self._note_heard(message)
        except SocketClosedError:
            for message in self._socket:
                self._note_heard(message)
            self._see_close()
        except TimeoutError:
            self._stage.note(f"{self._name} hears no more")
            self._stage.leave(self._name)

    def _note_heard(self, message):
        heard = shown(message)
        if isinstance(heard, dict) and "error" in heard and not self._stage.details:
            heard = "A FAILURE"
        self._stage.note(f"{self._name} hears", heard)

    def _see_close(self):
        self._stage.leave(self._name)
        code, reason = self._socket.close_code, self._socket.close_reason
        self._stage.note(f"{self._name} is closed", code, reason)
        if "session setup" not in reason:  # else it was never open for the room
            ended = ("close", "error")
            self._stage.wait_until(
                self._room,
                lambda events: any(name in ended and rest[0] == self._id for name, *rest in events),
            )


def shown(message):
    """A message or a body as it stands in the record."""
    try:
        value = json.loads(message)
    except ValueError:
        if isinstance(message, str):
            return message
        try:
            return message.decode()
        except ValueError:
            return {"bytes": message.hex()}
    if isinstance(value, dict) and isinstance(value.get("headers"), dict):
        headers = {name: text for name, text in value["headers"].items() if text is not None}
        if props := headers.get("x-partykit-props"):
            # The same JSON may be written in several ways.
            headers["x-partykit-props"] = json.loads(
                props if props.startswith("{") else base64.b64decode(props)
            )
        return value | {"headers": headers}
    return value


# --- connecting -----------------------------------------------------------------------


@routing_scene
def a_connection_has_id_uri_tags_and_server(stage):
    a = stage.connect("a", query=[("tag", "red"), ("tag", "blue"), ("other", "1 ü")])
    a.say("describe")
    stage.hibernate()
    a.say("describe")


@scene
def an_id_is_made_where_none_is_given(stage):
    stage.connect().say("ids")
    stage.connect(query=[("_pk", "")])


@scene
def odd_ids_are_taken(stage):
    for id in ("a b", "ü€😀", "a/b?c", "x" * 200):
        stage.connect(id).say("describe", id)


@routing_scene
def subprotocols_are_offered(stage):
    stage.connect("a", subprotocols=["first", "second"])


@scene
def tags_are_deduplicated_and_checked(stage):
    stage.connect("same", query=[("tag", "same"), ("tag", "x")]).say("describe")
    stage.connect("nine", query=[("tag", f"t{n}") for n in range(9)]).say("ids", "t8")
    stage.connect("ten", query=[("tag", f"t{n}") for n in range(10)])
    stage.connect("empty", query=[("tag", "")])
    stage.connect("long", query=[("tag", "x" * 257)])
    stage.connect("witness").say("ids")


@scene
def repeated_tags(stage):
    stage.connect("a", query=[("tag", "x"), ("tag", "x")]).say("describe")


@scene
def duplicate_ids(stage):
    stage.connect("a", query=[("tag", "first")])
    second = stage.connect("a", query=[("tag", "second")])
    second.say("ids")
    second.say("broadcast", "to all")
    second.say("broadcast", "to none", ["a"])
    second.close()
    stage.connect("b").say("ids")


@scene
def the_connection_of_a_duplicate_id(stage):
    stage.connect("a", query=[("tag", "first")])
    second = stage.connect("a", query=[("tag", "second")])
    second.say("describe")


@scene
def a_hook_closes_the_connection_at_the_door(stage):
    stage.connect("a", query=[("close", "4001")])
    stage.connect("b").say("ids")


@scene
def an_async_on_connect_holds_the_upgrade(stage):
    stage.connect("a", query=[("later", "1")]).say("ids")


# --- messages -------------------------------------------------------------------------


@routing_scene
def text_and_binary_arrive_as_sent(stage):
    a = stage.connect("a")
    a.send("plain", "", "grüße 😀", "\0", "x" * 5000)
    a.send(b"", b"\x00\xff")
    stage.hibernate()
    a.send("again", b"\x80")
    a.say("bytes", "00ff")
    a.send_without_waiting('["later", "in a while"]')
    a.hear()


@scene
def broadcasts_leave_out_the_excluded(stage):
    a, b, _ = stage.connect("a"), stage.connect("b"), stage.connect("c")
    a.say("broadcast", "to all")
    a.say("broadcast", "to b", ["a", "c", "nobody"])
    stage.hibernate()
    b.say("broadcast_bytes", "00ff", ["b"])
    b.say("broadcast", "", [])
    stage.fetch("/broadcast", "POST", content="from a request")


@scene
def a_message_to_one_connection(stage):
    a, _ = stage.connect("a"), stage.connect("b")
    a.say("tell", "b", "psst")
    stage.hibernate()
    a.say("tell", "b", "psst again")
    a.say("describe", "nobody")


@scene
def connections_are_found_by_tag(stage):
    a = stage.connect("a", query=[("tag", "red")])
    stage.connect("b", query=[("tag", "red"), ("tag", "blue")])
    for tag in ("red", "blue", "green", "a"):
        a.say("ids", tag)
    stage.hibernate()
    a.say("ids", "red")


@scene
def all_connections(stage):
    a = stage.connect("a")
    stage.connect("b")
    stage.connect("c")
    a.say("order")
    stage.hibernate()
    a.say("order")


@scene
def state_is_kept(stage):
    a = stage.connect("a", query=[("state", '{"from": "on_connect"}')])
    a.say("describe")
    a.say("set_state", {"list": [1, 2.5, "ü", None, True]})
    stage.hibernate()
    a.say("describe")
    a.say("count")
    a.say("count")
    a.say("set_state", "text")
    a.say("set_state", None)
    a.say("count")
    a.close(1000)


@scene
def a_state_that_is_changed_in_place(stage):
    a = stage.connect("a")
    a.say("set_state", {"n": 1})
    a.say("change_in_place")
    a.say("describe")


@scene
def falsy_states(stage):
    a = stage.connect("a")
    for state in (0, False, "", [], {}):
        a.say("set_state", state)
        stage.hibernate()
        a.say("describe")


@scene
def the_name_is_known_in_all_hooks(stage):
    a = stage.connect("a", room="the-name")
    a.say("name")
    stage.hibernate("the-name")
    a.say("name")
    stage.fetch("/", room="the-name")
    stage.set_alarm(room="the-name")
    stage.wait_for("alarm", room="the-name")


# --- closing --------------------------------------------------------------------------


@routing_scene
def a_client_closes(stage):
    witness = stage.connect("witness")
    for code, reason in [(1000, ""), (1000, "bye"), (1001, ""), (3000, ""), (4999, "ü" * 61)]:
        stage.connect("a").close(code, reason)
    witness.say("ids")


@scene
def a_client_closes_after_a_sleep(stage):
    a = stage.connect("a", query=[("state", "7")])
    stage.hibernate()
    a.close(4321, "good night")


@scene
def a_client_closes_without_a_code(stage):
    stage.connect("a").send_raw("closes without a code", b"\x88\x80\0\0\0\0")
    stage.connect("b").say("ids")


@scene
def a_client_breaks_the_protocol(stage):
    a = stage.connect("a")
    a.send_raw("breaks the protocol", b"\xf0\x80\0\0\0\0")
    stage.connect("b").say("ids")


@scene
def a_client_vanishes(stage):
    witness, a = stage.connect("witness"), stage.connect("a")
    a.vanish()
    stage.wait_for("close")
    witness.say("ids")


@scene
def a_hook_closes_its_connection(stage):
    for arguments in ([], [1000], [3000, "three"], [4000, "four"]):
        stage.connect("a").say("close", *arguments)
    stage.connect("b").say("ids")


@scene
def codes_and_reasons_that_a_hook_closes_with(stage):
    for code in (999, 1001, 1005, 1006, 1011, 2999, 5000):
        stage.connect(f"{code}", room=f"for-{code}").say("try_close", code)
    stage.connect("reason", room="for-a-long-reason").say("try_close", 4000, "x" * 124)


@scene
def messages_after_the_servers_close(stage):
    a = stage.connect("a")
    a.send('["close", 4000]', '["echo", "too late"]')


@scene
def closing_twice(stage):
    stage.connect("a").say("close_twice")
    stage.connect("b").say("ids")


@scene
def a_hook_closes_another_connection(stage):
    a = stage.connect("a")
    stage.connect("b")
    a.say("close_other", "b", 4009, "out")
    a.say("ids")


@scene
def a_request_closes_the_connections(stage):
    stage.connect("a")
    stage.fetch("/close-all", "POST")
    stage.fetch("/")


@scene
def on_close_answers_with_its_own_code(stage):
    stage.connect("a").close(4000, "answer")


@scene
def on_close_broadcasts(stage):
    stage.connect("b")
    stage.connect("a").close(4000, "broadcast")


@scene
def sending_to_a_closed_connection(stage):
    stage.connect("a").close(4000, "send")
    stage.connect("b").say("send_after_close")
    stage.connect("c")
    stage.connect("d").say("broadcast_after_close")


# --- failures -------------------------------------------------------------------------


@routing_scene
def what_clients_are_told_of_failures(stage):
    stage.details = True
    stage.fetch("/raise")
    stage.connect("a", query=[("raise", "connect")])


@scene
def on_exception_is_called(stage):
    stage.connect("a", room="exceptions").say("raise")
    stage.fetch("/raise", room="exceptions")
    stage.fetch("/sql", room="exceptions")


@routing_scene
def the_tags_fail(stage):
    stage.connect("a", query=[("raise", "tags")])
    stage.connect("b").say("ids")


@scene
def on_connect_fails(stage):
    witness = stage.connect("witness")
    stage.connect("a", query=[("raise", "connect")])
    witness.say("ids")


@scene
def on_connect_fails_later(stage):
    witness = stage.connect("witness")
    stage.connect("a", query=[("raise", "later")])
    witness.say("ids")


@scene
def on_message_fails(stage):
    a = stage.connect("a")
    a.say("raise")
    a.say("echo", "still here")
    a.say("raise_later")
    a.say("echo", "and still")


@scene
def on_close_fails(stage):
    witness = stage.connect("witness")
    stage.connect("a").close(4000, "raise")
    stage.connect("b").close(4000, "raise later")
    witness.say("ids")


@routing_scene
def on_request_fails(stage):
    stage.fetch("/raise")
    stage.fetch("/raise-later")
    stage.fetch("/sql")
    stage.fetch("/")


@scene
def on_start_fails_twice(stage):
    stage.fetch("/", room="start-fails")
    stage.connect("a", room="start-fails")
    stage.fetch("/", room="start-fails")


@scene
def on_alarm_fails_once(stage):
    stage.set_alarm(room="alarm-fails")
    stage.wait_for("alarm", room="alarm-fails", count=2)


# --- alarms ---------------------------------------------------------------------------


@scene
def an_alarm_fires(stage):
    a = stage.connect("a")
    stage.set_alarm()
    a.hear()


@scene
def an_alarm_wakes_the_room(stage):
    stage.set_alarm(delay_ms=800)  # enough for it to fall asleep before
    stage.hibernate()
    stage.wait_for("alarm")


# --- HTTP and routing -----------------------------------------------------------------


@routing_scene
def http_methods_and_bodies(stage):
    for method in ("GET", "HEAD", "DELETE", "OPTIONS"):
        stage.fetch("/some/path?a=1&b=%20", method)
    for method in ("POST", "PUT", "PATCH"):
        stage.fetch("/", method, content="grüße".encode())
    stage.fetch("/", "POST", json={"a": [1]})
    stage.fetch("", "POST", content=b"")


@routing_scene
def http_answers(stage):
    for path in ("/teapot", "/empty", "/redirect", "/bytes"):
        stage.fetch(path)


@routing_scene
def the_defaults(stage):
    plain = f"/parties/{stage.language.lower()}-plain/room"
    for method in ("GET", "POST"):
        stage.fetch_url("a server without hooks", plain, method)
    socket = stage.party.connect(f"/{stage.router}/plain{plain}")
    socket.send("ignored")
    socket.close(4000, "bye")
    stage.note("closed", socket.close_code, socket.close_reason)


@routing_scene
def what_is_no_party_url(stage):
    stage.fetch_url("no party", "/parties")
    stage.fetch_url("no room", f"/parties/{stage.party_name}")
    stage.fetch_url("an empty room", f"/parties/{stage.party_name}/")
    stage.fetch_url("another prefix", f"/party/{stage.party_name}/room")


@routing_scene
def unknown_parties(stage):
    for party in ("unknown", "main"):
        stage.fetch_url(party, f"/parties/{party}/room")
    try:
        stage.party.connect(f"/{stage.router}/plain/parties/unknown/room")
    except UpgradeError as refusal:
        stage.note("upgrade", refusal.response.status_code, refusal.response.text)


@routing_scene
def parties_that_every_object_has(stage):
    for party in ("__proto__", "constructor", "toString"):
        stage.fetch_url(party, f"/parties/{party}/room")


@routing_scene
def a_party_in_another_case(stage):
    stage.fetch_url("upper case", f"/parties/{stage.party_name.upper()}/room")


@routing_scene
def bindings_in_kebab_case(stage):
    language = stage.language.lower()
    for spelling in (
        *("-upper-case", "_UPPER_CASE", "-upper_case"),
        *("-camel-case", "-camelcase", "camel-case"),
        *("-h-t-t-p-room", "-http-room"),
        *("-mixed--case2", "-mixed-case2"),
        *("-trailing", "-trailing-"),
    ):
        url = f"/{stage.router}/plain/parties/{language}{spelling}/room"
        stage.note(spelling, stage.party.fetch(url).status_code)


@routing_scene
def room_names(stage):
    for name in ("a%2Fb", "%2e%2e%2f", "%00", "%E2%82%AC", "%c3%bc", "%zz", "a+b", "x" * 1000):
        stage.fetch("/", room=name)


@routing_scene
def slashes_between(stage):
    stage.fetch_url("doubled", f"/parties//{stage.party_name}//room//path")
    stage.fetch("/at/the/end//")


@routing_scene
def a_prefix_of_several_segments(stage):
    stage.fetch("/", how="deep/er")
    stage.connect("a", how="deep/er").say("describe")


@routing_scene
def props_reach_on_start(stage):
    stage.fetch("/", how="props")
    stage.connect("a", room="by-socket", how="props")


@routing_scene
def cors(stage):
    stage.fetch("/", how="cors")
    stage.fetch("/teapot", how="own-cors")
    stage.fetch("/", "OPTIONS", how="cors")
    stage.fetch("/", "OPTIONS", how="own-cors")
    stage.fetch("/raise", how="cors")
    stage.connect("a", how="cors")


@routing_scene
def hooks_before(stage):
    stage.fetch("/?before=refuse", how="hooks")
    stage.fetch("/?before=refuse", how="hooks-cors")
    stage.fetch("/?before=replace", "POST", how="hooks", content="kept")
    stage.fetch("/?before=none", how="hooks")
    stage.connect("a", how="hooks", query=[("before", "refuse")])
    stage.connect("b", how="hooks", query=[("before", "replace")]).say("ids")


@routing_scene
def headers_of_the_protocol_from_a_client(stage):
    stage.fetch("/", headers={"x-partykit-room": "other", "x-partykit-jurisdiction": "eu"})


@routing_scene
def props_from_a_client(stage):
    stage.fetch("/", headers={"x-partykit-props": '{"forged": true}'})
