"""Where this library behaves otherwise than npm partyserver, on purpose; and nothing else.

A `Difference` belongs to a scene of scenarios.py. It names the lines that npm partyserver's record
has and this library's has not, and those that stand there instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MEMORY, HIBERNATING = "in memory", "hibernating"
SERVER, ROUTER = "server", "router"


@dataclass(frozen=True)
class Difference:
    why: str
    npm: list = field(default_factory=list)
    ours: list = field(default_factory=list)
    modes: tuple[str, ...] = (MEMORY, HIBERNATING)
    part: str = SERVER


def described(query, tags=("a",), state=None):
    uri = f"URL/ROUTER/plain/parties/PARTY/room?{query}"
    about = {"id": "a", "uri": uri, "tags": list(tags), "state": state, "server": "room"}
    return ["described", about]


def echoed(path="/", **headers):
    headers = {"x-partykit-namespace": "PARTY", **headers}
    body = {"name": "room", "method": "GET", "path": path, "body": "", "headers": headers}
    return [200, {"content-type": "application/json"}, body | {"ids": []}]


def text(status, body):
    return [status, {"content-type": "text/plain;charset=UTF-8"}, body]


NO_GHOSTS = Difference(
    "A connection whose on_connect has failed is gone. With npm partyserver it stays in the room "
    "for ever, although its client was given another socket.",
    npm=[["witness hears", ["ids", ["a", "witness"]]]],
    ours=[["witness hears", ["ids", ["witness"]]]],
)

FORGED = (
    "The protocol's headers are the router's own. npm partyserver trusts a client's, and its props."
)

UNKNOWN_PARTY = "Invalid request: unknown party"

DIFFERENCES = {
    "subprotocols_are_offered": [
        Difference(
            "The first subprotocol that is offered is chosen. Without an answer browsers drop the "
            "connection.",
            npm=[["a connects"]],
            ours=[["a connects", "first"]],
        )
    ],
    "repeated_tags": [
        Difference(
            "A tag that get_connection_tags repeats counts once.",
            npm=[["a hears", described("_pk=a&tag=x&tag=x", ["a", "x", "x"])]],
            ours=[["a hears", described("_pk=a&tag=x&tag=x", ["a", "x"])]],
        )
    ],
    "duplicate_ids": [
        Difference(
            "Several connections may share an id in both modes. In memory, npm partyserver loses "
            "the older ones: they get no broadcast.",
            npm=[
                ["a' hears", ["ids", ["a"]]],
                ["b hears", ["ids", ["b"]]],
                ["", "connect", "a", None, "room", ["a"]],
                ["", "close", "a", 1000, "", True, None, "room", []],
                ["", "connect", "b", None, "room", ["b"]],
            ],
            ours=[
                ["a' hears", ["ids", ["a", "a"]]],
                ["a hears", "to all"],
                ["b hears", ["ids", ["a", "b"]]],
                ["", "connect", "a", None, "room", ["a", "a"]],
                ["", "close", "a", 1000, "", True, None, "room", ["a"]],
                ["", "connect", "b", None, "room", ["a", "b"]],
            ],
            modes=(MEMORY,),
        )
    ],
    "the_connection_of_a_duplicate_id": [
        Difference(
            "As above.",
            npm=[["", "connect", "a", None, "room", ["a"]]],
            ours=[["", "connect", "a", None, "room", ["a", "a"]]],
            modes=(MEMORY,),
        ),
        Difference(
            "get_connection gives the newest connection with an id. npm partyserver raises when "
            "it hibernates, and gives the newest in memory.",
            ours=[["a' hears", described("_pk=a&tag=second", ["a", "second"])]],
            modes=(HIBERNATING,),
        ),
    ],
    "all_connections": [
        Difference(
            "get_connections gives the oldest connection first in both modes. npm partyserver "
            "gives the newest first when it hibernates.",
            npm=[["a hears", ["order", ["c", "b", "a"]]]] * 2,
            ours=[["a hears", ["order", ["a", "b", "c"]]]] * 2,
            modes=(HIBERNATING,),
        )
    ],
    "a_state_that_is_changed_in_place": [
        Difference(
            "A connection's state is a copy that only set_state changes. With npm partyserver a "
            "change in place shows until the room sleeps, and is lost then.",
            npm=[["a hears", described("_pk=a", state={"n": "changed"})]],
            ours=[["a hears", described("_pk=a", state={"n": 1})]],
        )
    ],
    "a_client_closes_without_a_code": [
        Difference(
            "A close frame without a code is answered with one without a code. npm partyserver "
            "does not answer, and browsers wait until they time out.",
            npm=[["a waits in vain"]],
            ours=[["a is closed", 1005, ""]],
        )
    ],
    "a_client_breaks_the_protocol": [
        Difference(
            "Each connection has its on_close. npm partyserver calls neither onClose nor onError "
            "when the runtime ends the connection of a client that broke the protocol.",
            ours=[["", "close", "a", 1006, "", False, None, "room", []]],
        )
    ],
    "a_hook_closes_its_connection": [
        Difference(
            "close() without a code sends 1000; npm partyserver sends none.",
            npm=[
                ["a is closed", 1005, ""],
                ["", "close", "a", 1005, "", True, None, "room", []],
            ],
            ours=[
                ["a is closed", 1000, ""],
                ["", "close", "a", 1000, "", True, None, "room", []],
            ],
        )
    ],
    "codes_and_reasons_that_a_hook_closes_with": [
        Difference(
            "close takes the codes that WebSocket.close takes in browsers, 1000 and 3000 to 4999; "
            "others are a ValueError. The runtime also lets through what no peer may receive.",
            npm=[
                ["1001 is closed", 1001, ""],
                ["1011 is closed", 1011, ""],
                ["2999 is closed", 1006, ""],
                ["in for-1001", "close", "done"],
                ["in for-1001", "close", "1001", 1001, "", True, None, "for-1001", []],
                ["in for-1011", "close", "done"],
                ["in for-1011", "close", "1011", 1011, "", True, None, "for-1011", []],
                ["in for-2999", "close", "done"],
                [
                    *("in for-2999", "close", "2999", 1002, "invalid status code", True, None),
                    *("for-2999", []),
                ],
            ],
            ours=[
                ["in for-1001", "close", "raised"],
                ["in for-1011", "close", "raised"],
                ["in for-2999", "close", "raised"],
            ],
        )
    ],
    "messages_after_the_servers_close": [
        Difference(
            "on_message is not called for a connection that the server has closed.",
            npm=[["", "message", "a", '["echo", "too late"]', "room"]],
        ),
        Difference(
            "So nothing goes wrong there, and on_close is called. In memory, npm partyserver's "
            "connection breaks when a plain onMessage raises, here because it cannot send.",
            npm=[["", "error", "a", "Can't call WebSocket send() after close().", "room"]],
            ours=[["", "close", "a", 4000, "", True, None, "room", []]],
            modes=(MEMORY,),
        ),
    ],
    "sending_to_a_closed_connection": [
        Difference(
            "A connection in on_close cannot be sent to: ConnectionClosedError. npm partyserver "
            "drops the message without a word.",
            npm=[["", "send in close", "done"]],
            ours=[["", "send in close", "raised"]],
        )
    ],
    "what_clients_are_told_of_failures": [
        Difference(
            "Clients get an error id, which the log has too, and no details.",
            npm=[
                ["GET /raise", *text(500, "Error: request fails STACK")],
                ["a hears", {"error": "Error: connect fails STACK"}],
            ],
            ours=[
                ["GET /raise", *text(500, "Internal error ERROR ID")],
                ["a hears", {"error": "Internal error", "id": "ERROR ID"}],
            ],
        )
    ],
    "on_exception_is_called": [
        Difference(
            "As in on_message_fails.",
            npm=[
                ["a is closed", 1006, ""],
                ["", "error", "a", "message fails", "exceptions"],
            ],
            modes=(MEMORY,),
        ),
        Difference(
            "on_exception is called for each hook that raises. npm partyserver calls it for sql "
            "alone.",
            ours=[["", "exception"], ["", "exception"]],
        ),
    ],
    "on_connect_fails": [NO_GHOSTS],
    "on_connect_fails_later": [NO_GHOSTS],
    "on_message_fails": [
        Difference(
            "A hook that raises fails its own event only. In memory, a plain onMessage that "
            "raises breaks npm partyserver's connection.",
            npm=[
                ["a is closed", 1006, ""],
                *[["a cannot send"]] * 3,
                ["", "error", "a", "message fails", "room"],
            ],
            ours=[
                ["a hears", "still here"],
                ["a hears", "and still"],
                ["", "message", "a", '["echo", "still here"]', "room"],
                ["", "message", "a", '["raise_later"]', "room"],
                ["", "message", "a", '["echo", "and still"]', "room"],
            ],
            modes=(MEMORY,),
        )
    ],
    "unknown_parties": [
        Difference(
            "The answer says what is invalid.",
            npm=[
                ["GET unknown", *text(400, "Invalid request")],
                ["GET main", *text(400, "Invalid request")],
                ["upgrade", 400, "Invalid request"],
            ],
            ours=[
                ["GET unknown", *text(400, UNKNOWN_PARTY)],
                ["GET main", *text(400, UNKNOWN_PARTY)],
                ["upgrade", 400, UNKNOWN_PARTY],
            ],
            part=ROUTER,
        )
    ],
    "parties_that_every_object_has": [
        Difference(
            "These are unknown parties like any other. npm partyserver finds the members that "
            "every JavaScript object has, and fails.",
            npm=[
                [f"GET {party}", 500, {}, "A FAILURE"]
                for party in ("__proto__", "constructor", "toString")
            ],
            ours=[
                [f"GET {party}", *text(400, UNKNOWN_PARTY)]
                for party in ("__proto__", "constructor", "toString")
            ],
            part=ROUTER,
        )
    ],
    "a_party_in_another_case": [
        Difference(
            "A party is found in any case.",
            npm=[["GET upper case", *text(400, "Invalid request")]],
            ours=[["GET upper case", *echoed("")]],
            part=ROUTER,
        )
    ],
    "headers_of_the_protocol_from_a_client": [
        Difference(
            FORGED,
            npm=[
                [
                    "GET /",
                    *echoed(**{"x-partykit-room": "other", "x-partykit-jurisdiction": "eu"}),
                ]
            ],
            ours=[["GET /", *echoed()]],
            part=ROUTER,
        )
    ],
    "props_from_a_client": [
        Difference(
            FORGED,
            npm=[
                ["GET /", *echoed(**{"x-partykit-props": {"forged": True}})],
                ["", "start", "room", {"forged": True}],
            ],
            ours=[["GET /", *echoed()], ["", "start", "room", None]],
            part=ROUTER,
        )
    ],
}
