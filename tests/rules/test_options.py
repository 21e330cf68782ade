from types import MappingProxyType
from typing import get_args, get_type_hints

import pytest
from partyserver.rules.options import (
    DEFAULTS,
    OPTIONS_OF_MIXINS,
    ClientState,
    DuplicateIds,
    RoutingOptions,
    ServerOptions,
    check_routing_options,
    merge_options,
)
from partyserver.rules.retry import Retry


def test_every_option_has_its_documented_default():
    assert DEFAULTS == {
        "hibernate": False,
        "debug": False,
        "duplicate_ids": "allow",
        "max_message_size": 33_554_432,
        "sync_io": False,
        "rate": None,
        "max_connections": None,
    }
    options = {*DEFAULTS, *OPTIONS_OF_MIXINS}
    assert options == get_type_hints(ServerOptions).keys()
    assert all(f"{option}:" in ServerOptions.__doc__ for option in options)


def test_no_layers_give_the_defaults():
    assert merge_options("Chat", []) == DEFAULTS


def test_a_class_keeps_its_bases_other_options():
    merged = merge_options("Chat", [{"hibernate": True, "debug": True}, {"debug": False}])
    assert merged == {**DEFAULTS, "hibernate": True}


def test_merging_changes_neither_the_defaults_nor_the_layers():
    layer = {"hibernate": True}
    merged = merge_options("Chat", [layer])
    merged["debug"] = True
    assert layer == {"hibernate": True}
    assert DEFAULTS["hibernate"] is DEFAULTS["debug"] is False


def test_any_mapping_can_hold_options():
    assert merge_options("Chat", [MappingProxyType({"hibernate": True})])["hibernate"] is True


@pytest.mark.parametrize("layer", [["hibernate"], "hibernate", True, 1, object()])
def test_options_that_are_no_mapping_are_a_type_error(layer):
    with pytest.raises(TypeError, match=r"^Chat\.options must be a dict, not "):
        merge_options("Chat", [layer])


@pytest.mark.parametrize("key", ["hibernat", "Hibernate", "", "__proto__", 1, None])
def test_an_unknown_option_is_a_type_error_that_lists_the_known_ones(key):
    with pytest.raises(TypeError, match=r"^Chat\.options has no option ") as refused:
        merge_options("Chat", [{key: True}])
    assert repr(key) in str(refused.value)
    assert str(refused.value).endswith(": " + ", ".join(DEFAULTS))


@pytest.mark.parametrize("key", ["hibernate", "debug", "sync_io"])
@pytest.mark.parametrize("value", [0, 1, None, "yes", []])
def test_a_switch_is_true_or_false_only(key, value):
    with pytest.raises(TypeError, match=rf"^Chat\.options\['{key}'\] must be True or False"):
        merge_options("Chat", [{key: value}])


@pytest.mark.parametrize("value", get_args(DuplicateIds))
def test_duplicate_ids_can_be(value):
    assert merge_options("Chat", [{"duplicate_ids": value}])["duplicate_ids"] == value


@pytest.mark.parametrize("value", ["Allow", "", True, None, ["allow"]])
def test_duplicate_ids_can_be_nothing_else(value):
    with pytest.raises(TypeError, match="must be 'allow', 'replace' or 'reject', not "):
        merge_options("Chat", [{"duplicate_ids": value}])


@pytest.mark.parametrize("value", [1, 1024, 32 * 1024 * 1024])
def test_max_message_size_can_be_up_to_the_platforms(value):
    assert merge_options("Chat", [{"max_message_size": value}])["max_message_size"] == value


@pytest.mark.parametrize("value", [0, -1, 32 * 1024 * 1024 + 1, 1024.0, True, "1024", None])
def test_max_message_size_can_be_nothing_else(value):
    with pytest.raises(TypeError, match="must be 1 to 33554432 bytes, not "):
        merge_options("Chat", [{"max_message_size": value}])


def test_a_wrong_value_is_found_in_any_layer():
    with pytest.raises(TypeError, match="'debug'"):
        merge_options("Chat", [{"debug": 1}, {"debug": True}])


# --- routing --------------------------------------------------------------------------

ROUTING = list(RoutingOptions.__annotations__)


@pytest.mark.parametrize("options", [{}, {"cors": True}, dict.fromkeys(ROUTING)])
def test_routing_takes_any_of_its_options(options):
    check_routing_options("entrypoint()", options)


@pytest.mark.parametrize("option", ["Cors", "retry", "on_error", ""])
def test_what_is_no_option_of_routing_is_a_type_error_that_lists_them(option):
    with pytest.raises(TypeError, match=r"^entrypoint\(\) has no option ") as refused:
        check_routing_options("entrypoint()", {"cors": True, option: None})
    assert repr(option) in str(refused.value)
    assert str(refused.value).endswith(": " + ", ".join(ROUTING))


def test_a_misspelt_option_is_told_with_what_was_likely_meant():
    with pytest.raises(
        TypeError, match=r"'on_befor_connect' \(did you mean 'on_before_connect'\?\)"
    ):
        check_routing_options("entrypoint()", {"on_befor_connect": None})


@pytest.mark.parametrize("value", [None, 1, 32_768])
def test_max_connections_can_be(value):
    assert merge_options("Chat", [{"max_connections": value}])["max_connections"] == value


@pytest.mark.parametrize("value", [0, -1, 32_769, 1.0, True, "10"])
def test_max_connections_is_within_the_platforms_limit(value):
    with pytest.raises(TypeError, match=r"\['max_connections'\] must be None, or 1 to 32768"):
        merge_options("Chat", [{"max_connections": value}])


def test_a_rate_is_checked():
    rate = {"messages": 20}
    assert merge_options("Chat", [{"rate": rate}])["rate"] == rate
    with pytest.raises(TypeError, match=r"^Chat\.options\['rate'\] needs 'messages'"):
        merge_options("Chat", [{"rate": {}}])


# --- options of mixins --------------------------------------------------------------------

AGENT = ("client_state", "send_identity")


def test_an_option_of_a_mixin_has_no_default_here():
    assert merge_options("Chat", [], AGENT) == DEFAULTS
    with pytest.raises(TypeError, match=r"max_connections, client_state, send_identity$"):
        merge_options("Chat", [{"unknown": 1}], AGENT)
    merged = merge_options("Chat", [{"client_state": "merge"}], AGENT)
    assert merged == {**DEFAULTS, "client_state": "merge"}


def test_an_option_of_a_mixin_that_is_no_base_says_what_to_write():
    with pytest.raises(
        TypeError, match=r"partyserver\.agents\.Agent, .* write class Chat\(Agent\)"
    ):
        merge_options("Chat", [{"send_identity": False}])


@pytest.mark.parametrize("value", [None, True, "", "Merge", ["merge"]])
def test_client_state_is_one_of_three(value):
    for one in get_args(ClientState):
        assert merge_options("Chat", [{"client_state": one}], AGENT)["client_state"] == one
    with pytest.raises(TypeError, match="must be 'replace', 'merge' or 'refuse'"):
        merge_options("Chat", [{"client_state": value}], AGENT)


def test_some_options_are_always_so():
    always = {"hibernate": True}
    assert merge_options("Chat", [], (), always)["hibernate"] is True
    assert merge_options("Chat", [{"hibernate": True}], (), always)["hibernate"] is True
    with pytest.raises(TypeError, match=r"options\['hibernate'\] is always True"):
        merge_options("Chat", [{"hibernate": False}], (), always)


def test_a_retry_is_one_of_the_timers():
    retry = Retry(max_attempts=5)
    assert merge_options("Poll", [{"retry": retry}], ["retry"])["retry"] is retry
    with pytest.raises(TypeError, match=r"must be a partyserver\.schedule\.Retry, not 5"):
        merge_options("Poll", [{"retry": 5}], ["retry"])
    with pytest.raises(TypeError, match=r"of partyserver\.schedule\.Schedule, which is no base"):
        merge_options("Poll", [{"retry": retry}])


PAUSES = ("debounce_wait", "debounce_max_wait")


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("value", [0, 0.5, 60])
def test_a_documents_pauses_are_seconds(pause, value):
    assert {**merge_options("Notes", [{pause: value}], PAUSES)}[pause] == value


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("value", [2000, -1, True, "2", None, float("nan")])
def test_a_pause_in_milliseconds_or_of_another_kind_is_a_type_error(pause, value):
    with pytest.raises(TypeError, match="must be 0 to 60 seconds, not "):
        merge_options("Notes", [{pause: value}], PAUSES)
