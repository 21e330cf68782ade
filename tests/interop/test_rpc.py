"""Rooms of both languages that call each other: getServerByName, props, values, fetch, errors."""

from __future__ import annotations

import pytest

SAMPLE = [
    "dict",
    {
        "dict": ["dict", {"a": ["number", 1], "ü": ["string", "ö"]}],
        "list": [
            "list",
            ["number", 1],
            ["string", "two"],
            ["number", 3.5],
            ["boolean", True],
            ["None"],
            ["list"],
        ],
        "none": ["None"],
        "bytes": ["bytes", "00ff80"],
        "datetime": ["datetime", 1767323045678],
        "nested": [
            "list",
            [
                "dict",
                {"bytes": ["bytes", "01"], "at": ["datetime", 0], "nothing": ["None"]},
            ],
        ],
    },
]

ROUTERS = ["npm", "ours"]
DIRECTIONS = [("js", "PyCaller"), ("py", "JsCaller"), ("py", "PyCaller")]


@pytest.fixture(params=DIRECTIONS, ids=lambda pair: f"{pair[0]} asks {pair[1]}")
def ask(request, party):
    """Have a room of the one language ask one of the other language, and return its answer."""
    language, binding = request.param

    def ask(what, **query):
        return party.fetch(
            f"/npm/plain/parties/{language}-caller/asking/ask",
            params={"binding": binding, "what": what, **query},
        ).json()

    return ask


def test_values_arrive_as_what_they_are(ask):
    assert ask("describe") == SAMPLE


def test_values_come_back_as_what_they_are(ask):
    assert ask("echo") == SAMPLE


def test_values_that_the_other_side_has_made(ask):
    assert ask("sample") == SAMPLE


def test_several_arguments_and_nothing(ask):
    assert ask("several") == ["a", ["b"], {"c": 1}]
    assert ask("nothing") == ["None"]


def test_a_method_sees_an_initialised_server_and_its_props(ask):
    props = '{"greeting": "grüße", "list": [1, null]}'
    started = ask("started", room="named", props=props)
    assert started == {"name": "named", "props": {"greeting": "grüße", "list": [1, None]}}
    assert ask("started", room="without") == {"name": "without", "props": None}


def test_a_stub_fetches(ask):
    assert ask("fetch") == ["other", "POST", "https://room/path?query", "grüße"]


@pytest.mark.log_may_hold("no way")
def test_what_a_method_raises_reaches_the_caller(ask):
    assert "no way" in ask("fail")["message"]


@pytest.mark.parametrize("router", ROUTERS)
@pytest.mark.parametrize("language", ["js", "py"])
def test_both_routers_reach_the_rooms_of_both_workers(party, router, language):
    path = f"/{router}/plain/parties/{language}-caller/room/path?query"
    answer = party.fetch(path, "POST", content="grüße".encode())
    assert answer.json() == ["room", "POST", party.url + path, "grüße"]
