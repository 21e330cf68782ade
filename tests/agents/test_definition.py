"""What happens to a class of agents when it is created."""

from __future__ import annotations

import pytest

WRONG = {
    "initial_state_is_no_json": "Wrong.initial_state cannot be a state: a state is a value that",
    "validates_later": "Wrong.validate_state_change decides before anything else happens",
    "in_camel_case": "Wrong.onStateChanged is never looked at; name it on_state_changed",
    "by_a_name_of_old": "Wrong.on_state_update is never looked at; name it on_state_changed",
    "hook_that_is_not_there": "Wrong.onEmail is never called: this library has no hook for it, as",
    "hook_of_workflows": "Wrong.onWorkflowProgress is never called: this library has no hook for",
    "initial_state_in_camel_case": "Wrong.initialState is never looked at; name it initial_state",
    "takes_too_little": "def on_state_changed(self, state, source)",
    "misspelt": "did you mean on_state_changed?",
    "does_not_hibernate": "Wrong.options['hibernate'] is always True in such a class",
    "unknown_client_state": "must be 'replace', 'merge' or 'refuse', not 'ignore'",
    "option_of_no_agent": "is an option of partyserver.agents.Agent, which is no base",
    "callable_of_no_agent": "Wrong.add has @agents.callable, which would never call it without",
    "hook_is_callable": "Wrong.on_message is a hook, and no method for clients",
    "fetch_is_callable": "Wrong.fetch: clients cannot call a method of this name; give it another",
    "init_is_callable": "Wrong.__init__: clients cannot call a method of this name",
    "then_is_callable": "Wrong.then: clients cannot call a method of this name",
    "state_on_the_class": "Wrong.state is the agent's own: what it is at first is named initial_",
    "static_is_callable": "Wrong.add has @agents.callable, and so takes self: it is no static",
    "of_a_class_is_callable": "and so takes self: it is no classmethod",
    "callable_handles_events": "Wrong.say has @agents.callable, and cannot have @on, too",
    "event_handler_is_callable": "Wrong.say has @on, and cannot have @agents.callable, too",
    "callable_yields": "Wrong.count has a yield in it",
    "callable_takes_a_keyword": "Wrong.add cannot be called by clients: clients give no argument",
    "stream_without_a_stream": "Wrong.count cannot be called by clients: it takes too few",
    "stream_is_an_int": "Wrong.count streams, and its first parameter n is an int: let it be the ",
    "stream_of_a_plain_one": "Wrong.count takes a stream: say so by @agents.callable(streaming=Tr",
    "callable_is_static": "@agents.callable goes on a method",
    "streaming_is_no_bool": "streaming is True or False, not 1",
    "description_is_no_text": "description is a str, not int",
}


@pytest.mark.no_party_chaos  # there is no room
def test_a_class_that_would_not_do_what_its_author_expects_is_a_type_error(party):
    for name, message in WRONG.items():
        told = party.fetch(f"/define/{name}").json()
        assert message in (told or ""), (name, told)
