"""HTTP, names, RPC and routing."""

from __future__ import annotations

import pytest
from partyserver.testing import UpgradeError

from .scripted import command, events, eventually, open_socket


# The platform's remark on a body that the room does not read.
@pytest.mark.log_may_hold("Can't read from request stream after response has been sent")
def test_a_request_reaches_its_room(party):
    room = party.room("Answering", "lobby")
    response = room.fetch("/some/page?x=1", method="POST", content=b"body")
    assert response.text == "POST /some/page in lobby (lobby)"


def test_default_hooks(party):
    response = party.room("Plain", "x").fetch("/")
    assert (response.status_code, response.text) == (404, "Not implemented")
    assert "Define on_request on Plain" in str(party.logs)
    with party.room("Plain", "x").connect() as a:
        a.send("ignored")
        a.close(4000)
        assert a.close_code == 4000


@pytest.mark.parametrize(
    "path", ["/", "/parties", "/parties/plain", "/party/plain/x", "/partiesx/plain/x"]
)
def test_what_is_no_party_url_is_none(party, path):
    assert party.fetch(path).status_code == 404


@pytest.mark.parametrize(
    "party_name", ["unknown", "main", "__proto__", "constructor", "toString", "Default", "%70lain"]
)
def test_an_unknown_party_is_a_400(party, party_name):
    assert party.fetch(f"/parties/{party_name}/x").status_code == 400


@pytest.mark.parametrize("party_name", ["answering", "Answering", "ANSWERING"])
def test_a_party_is_found_in_any_case(party, party_name):
    assert party.fetch(f"/parties/{party_name}/x/y").text == "GET /y in x (x)"


def test_the_party_main_gets_a_hint(party):
    party.fetch("/parties/main/x")
    assert party.logs.wait_for("PartyKit").level == "warn"


def test_an_unknown_party_gets_a_warning_that_names_those_that_there_are(party):
    party.fetch("/parties/plainn/x")
    told = party.logs.wait_for("no Durable Object binding is called 'plainn'")
    assert told.level == "warn"
    assert "there are: " in told.message
    assert "plain, " in told.message
    assert "Correct the client's URL, or add the class to durable_objects" in told.message


NAMES = ["a", "A", "a%2Fb", "%2e%2e%2f", "%00", "%E2%82%AC", "%c3%bc", "u%cc%88", "x" * 1000]
NAMES += ["a+b", "a b", "%zz", "%252F"]


def test_no_two_names_meet_in_one_room(party):
    seen = {}
    for name in NAMES:
        response = party.fetch(f"/parties/answering/{name}/where")
        assert response.status_code == 200, name
        seen[name] = response.text.split(" in ")[1]
    assert len(set(seen.values())) == len(NAMES)
    assert seen["%E2%82%AC"].startswith("%E2%82%AC ")


def test_props_reach_on_start(party):
    response = party.fetch("/routed/props/parties/answering/props/events")
    assert response.json()[0] == ["start", {"greeting": "grüß dich", "n": [1, None]}]


@pytest.mark.no_party_chaos  # counts the starts
def test_internal_headers_of_a_client_are_removed(party):
    forged = {"x-partykit-props": "e30=", "X-PartyKit-Room": "other", "x-partykit-anything": "1"}
    headers = party.room("Answering", "safe").fetch("/headers", headers=forged).json()
    internal = {name: value for name, value in headers.items() if name.startswith("x-partykit")}
    assert internal == {"x-partykit-namespace": "answering"}
    assert events(party.room("Answering", "safe"), "start") == [["start", None]]


def test_cors_headers_are_set_and_preflights_answered(party):
    path = "/routed/cors/parties/answering/cors/"
    assert party.fetch(path).headers["access-control-allow-origin"] == "*"
    preflight = party.fetch(path, method="OPTIONS")
    assert preflight.headers["access-control-allow-methods"] == "GET, POST, HEAD, OPTIONS"
    own = party.fetch("/routed/own_cors/parties/answering/cors/")
    assert own.headers["access-control-allow-origin"] == "https://example.com"
    none = party.fetch("/routed/nothing/parties/answering/cors/")
    assert "access-control-allow-origin" not in none.headers


def test_upgrades_from_other_origins_get_403(party):
    path = "/routed/origins/parties/scripted/origins"
    for origin, allowed in [
        ("https://example.com", True),
        (party.url, True),
        (None, True),
        ("https://evil.example", False),
        ("null", False),
        ("https://example.com.evil.example", False),
    ]:
        if allowed:
            with party.connect(path, query={"_pk": "a"}, origin=origin) as a:
                assert a.receive_json() == ["connected", "a"]
        else:
            with pytest.raises(UpgradeError) as refusal:
                party.connect(path, origin=origin)
            assert refusal.value.response.status_code == 403


def test_hooks_before_a_request_can_answer_replace_and_fail_it(party):
    path = "/routed/hooks/parties/answering/hooks"
    refused = party.fetch(path + "/refuse")
    assert (refused.status_code, refused.text) == (401, "refused answering Answering hooks")
    assert party.fetch(path + "/headers").json().get("x-added") is None
    replaced = party.fetch(path + "/headers?replace").json()
    assert replaced["x-added"] == "by the hook"
    for wrong in ("/wrong", "/raise"):
        response = party.fetch(path + wrong)
        assert response.status_code == 500
        assert "secret" not in response.text
    assert "a secret of the hook" in str(party.logs)


def test_hooks_before_a_connection_can_answer_and_replace_it(party, binding):
    name = binding("Scripted").replace("dS", "d-S").lower()
    path = f"/routed/hooks/parties/{name}/hooks"
    with pytest.raises(UpgradeError) as refusal:
        party.connect(path + "/refuse")
    assert refusal.value.response.status_code == 401
    with party.connect(path + "/replace", query={"_pk": "a"}) as a:
        assert a.receive_json() == ["connected", "a"]


def test_rpc_to_a_method_of_the_user(party):
    first = party.fetch("/rpc/Answering/rpc-room/describe/hello").json()
    assert first == {"name": "rpc-room", "value": "hello", "starts": 1}
    assert party.fetch("/rpc/Answering/rpc-room/shout/hello").json() == "HELLO"


def test_sql_takes_and_gives_python_values(party, binding):
    with open_socket(party.room(binding("Scripted"), "sql"), "a") as a:
        rows = command(a, "sql", "select ? as a, ? as b, ? as c, ? d, 1.5 e", None, True, "ü", 7)
        assert rows == ["rows", [{"a": None, "b": 1, "c": "ü", "d": 7, "e": 1.5}]]
        assert command(a, "sql", "select 1 where 0") == ["rows", []]
        assert command(a, "sql", "select ? as a", 2**60)[1] == "SQLError"
        assert command(a, "sql", "select ? as a", {"a": 1})[1] == "SQLError"
        assert command(a, "sql", "select ? as a")[1] == "SQLError"


def test_an_alarm_fires_and_knows_the_name(party, binding):
    room = party.room(binding("Scripted"), "alarming")
    with open_socket(room, "a") as a:
        assert command(a, "alarm", 50) == ["alarm set"]
    assert eventually(lambda: events(room, "alarm")) == [["alarm", "alarming"]]


def test_sql_takes_t_strings(party):
    with open_socket(party.room("Scripted", "templates"), "a") as a:
        hostile = "x'; drop table event; --"
        rows = command(a, "template", "select", hostile)
        assert rows == ["rows", [{"name": hostile, "length": len(hostile), "absent": None}]]
        assert command(a, "template", "select_formatted", "x")[:2] == ["raised", "ValueError"]
        assert command(a, "template", "select_with_parameters", "x")[:2] == ["raised", "TypeError"]


def test_members_that_would_not_be_called_are_refused_when_the_class_is_made(party):
    answers = party.fetch("/check/classes").json()
    assert answers.pop("fine") == "'Chat'"
    assert all(answer.startswith("TypeError: Chat") for answer in answers.values()), answers
    assert "define on_message instead" in answers["webSocketMessage"]
    assert "define on_alarm instead" in answers["alarm"]
    assert "name it on_message" in answers["onMessage"]
    assert "hibernate" in answers["unknown option"]


@pytest.mark.once("nothing of it depends on rooms, and it looks at the bases that there are")
def test_the_annotations_of_a_server_can_be_evaluated(party):
    assert party.fetch("/check/type_hints").json() is True


@pytest.mark.once("nothing of it depends on rooms, and it looks at the bases that there are")
def test_a_class_that_says_what_its_env_has_is_as_one_that_does_not(party):
    assert party.fetch("/check/environment").json() == {
        "plain": ["Plain"],
        "typed": ["Typed"],
        "with mixins": ["Mixed", "Schedule", "Presence", "History"],
        "before mixins": ["Mixed", "History", "Presence"],
        "generic": ["Shared"],
        "of a generic one": ["OfShared", "Shared"],
        "generic first": ["Shared"],
        "of a generic first one": ["OfShared", "Shared"],
        "partyflare": ["Flare", "Party"],
        "partykit": ["Kit", "Schedule", "_Bound"],
    }


def test_options_are_merged_along_the_bases(party):
    root, base, child, both = party.fetch("/check/options").json()
    assert root == {
        "hibernate": False,
        "debug": False,
        "duplicate_ids": "allow",
        "max_message_size": 32 * 1024 * 1024,
        "sync_io": False,
        "rate": None,
        "max_connections": None,
    }
    assert base == root | {"hibernate": True}
    assert child == root | {"hibernate": True, "debug": True}
    assert both == child | {"max_message_size": 10}


@pytest.mark.log_may_hold("this server is named")
def test_an_object_without_a_name_says_what_to_do_until_it_is_named(party):
    status, text, renamed, room_id = party.fetch("/check/unnamed").json()
    assert status == 500
    assert "set_name" in str(party.logs)
    assert text == "GET /where in given (unnamed)"
    assert "'given'" in renamed
    assert len(room_id) == 64


@pytest.mark.log_may_hold("this server is named")
def test_a_server_is_found_by_name_with_props(party):
    events, text, renamed = party.fetch("/check/named").json()
    assert events == [["start", {"a": [1, None, "ü"]}]]
    assert text == "GET /where in mine (mine)"
    assert "'mine'" in renamed


def test_only_what_the_platform_calls_retryable_is_tried_again(party):
    answers = party.fetch("/check/retries").json()
    reached = [200, "reached with 'body'", None]
    unavailable = [503, "Service unavailable", "1"]
    assert answers["twice"] == [reached, 3, [[1, "room"], [2, "room"]]]
    assert answers["too often"] == [unavailable, 3, [[1, "room"], [2, "room"]]]
    assert answers["overloaded"] == [unavailable, 1, []]
    assert answers["switched off"] == [unavailable, 1, []]
    assert answers["too large"] == [unavailable, 1, []]
    assert answers["not retryable"][0][0] == 500
    assert answers["not retryable"][1:] == [1, []]
    assert answers["by name, with an on_retry that raises"] == 3
    assert "on_retry raised" in str(party.logs)


def test_party_fetch_is_the_early_name_of_routing(party):
    assert party.fetch("/check/party_fetch").json() == ["GET /where in early (early)", True]


def test_a_hook_is_given_a_request_and_a_lobby(party):
    [lobby] = party.fetch("/check/hooks_get_a_lobby").json()
    assert lobby == ["answering", "Answering", "a%20b", "Request"]


def test_a_jurisdiction_and_a_location_hint_are_passed_on(party):
    asked = party.fetch("/check/jurisdiction").json()
    assert asked == {"jurisdiction": "eu", "locationHint": "weur", "header": "eu"}


def test_a_jurisdiction_on_a_runtime_without_them_is_an_error_without_details(party):
    response = party.fetch("/routed/jurisdiction/parties/answering/eu/headers")
    assert response.status_code == 500
    assert "not implemented" not in response.text
    assert "Jurisdiction restrictions are not implemented in workerd" in str(party.logs)


def test_a_hook_before_a_room_may_answer_with_what_stands_for_a_response(party):
    answer = party.fetch("/check/what_stands_for_a_response").json()
    assert answer == [207, "stands for one"]
