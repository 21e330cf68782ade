import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.errors import RequestRefusedError
from partyserver.rules.names import (
    check_connection_id,
    kebab_case,
    new_connection_id,
    new_error_id,
    snake_case,
)

from .npm_partyserver import call

KEBAB = {
    "MyServer": "my-server",
    "MY_SERVER": "my-server",
    "myServer": "my-server",
    "my_server": "my-server",
    "my-server": "my-server",
    "Chat": "chat",
    "chat": "chat",
    "CHAT": "chat",
    "X": "x",
    "x": "x",
    "A1": "a1",
    "Room2": "room2",
    "room2B": "room2-b",
    "HTTPServer": "h-t-t-p-server",
    "ServerHTTP": "server-h-t-t-p",
    "MY_Server": "m-y--server",
    "__x__": "--x-",
    "__X__": "--x--",
    "server_": "server",
    "SERVER_": "server-",
    "server__": "server-",
    "_server": "-server",
    "_Server": "--server",
    "_": "",
    "__": "-",
    "": "",
    "1": "1",
    "$X": "$x",
    "$Chat": "$-chat",
    "Straße": "straße",
    "STRASSE_É": "strasse-é",
    "Élan": "Élan",
}

words = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=4)


@pytest.mark.parametrize(("binding", "kebab"), KEBAB.items())
def test_a_binding_is_in_urls(binding, kebab):
    assert kebab_case(binding) == kebab


def test_kebab_case_agrees_with_npm_partyserver():
    names = [*KEBAB]
    for length in range(1, 6):
        names += ["".join(letters) for letters in product("aB1_-", repeat=length)]
    assert [kebab_case(name) for name in names] == call("camelCaseToKebabCase", names)


@given(words)
def test_all_spellings_of_a_binding_are_one_party(words):
    kebab = "-".join(words)
    pascal = "".join(word.capitalize() for word in words)
    camel = pascal[0].lower() + pascal[1:]
    snake = "_".join(words)
    # A one-letter name in capitals reads as UPPER_CASE, and so may several of them.
    spellings = {kebab, camel, snake, snake.upper()} | ({pascal} - {pascal.upper()})
    assert {kebab_case(spelling) for spelling in spellings} == {kebab}


@given(st.from_regex(r"[A-Za-z_$][A-Za-z0-9_$]*", fullmatch=True))
def test_a_party_has_no_capitals_and_no_underscores(binding):
    assert not re.search("[A-Z_]", kebab_case(binding))


def test_new_connection_ids_are_url_safe_and_have_128_bits():
    ids = {new_connection_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", one) for one in ids)


def test_a_new_connection_id_passes_the_check_of_a_clients():
    new_id = new_connection_id()
    assert check_connection_id(new_id) == new_id


def test_error_ids_are_eight_hexadecimal_digits():
    ids = {new_error_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{8}", one) for one in ids)


@pytest.mark.parametrize(
    "connection_id",
    ["a", "a b", "/", "..", "%00", "__proto__", "€", "a" * 256, "€" * 85, "😀" * 64, "\ufffd"],
)
def test_a_client_may_choose_its_id(connection_id):
    assert check_connection_id(connection_id) == connection_id


@pytest.mark.parametrize(
    ("connection_id", "size"),
    [("a" * 257, 257), ("a" * 100_000, 100_000), ("€" * 86, 258), ("😀" * 65, 260)],
)
def test_an_id_that_is_too_long_for_a_tag_is_refused(connection_id, size):
    with pytest.raises(RequestRefusedError, match=f"_pk is {size} bytes long") as refused:
        check_connection_id(connection_id)
    assert refused.value.status == 400


@pytest.mark.parametrize("control", [*map(chr, [*range(0x20), *range(0x7F, 0xA0)])])
def test_an_id_with_a_control_character_is_refused(control):
    with pytest.raises(RequestRefusedError, match="control character") as refused:
        check_connection_id(f"a{control}b")
    assert refused.value.status == 400


def test_a_refusal_does_not_echo_the_id():
    for connection_id in ("<script>" * 40, "<script>\n"):
        with pytest.raises(RequestRefusedError) as refused:
            check_connection_id(connection_id)
        assert "<script>" not in str(refused.value)


SNAKE = {
    "Say": "say",
    "PlayerMoved": "player_moved",
    "HTTPError": "http_error",
    "GetHTTPResponse": "get_http_response",
    "AB": "ab",
    "ABc": "a_bc",
    "A": "a",
    "Move2D": "move2_d",
    "Vector3": "vector3",
    "Vector3Moved": "vector3_moved",
    "already_snake": "already_snake",
    "Mixed_Case": "mixed_case",
    "_Private": "_private",
    "ÜberGroß": "über_groß",
    "": "",
}


@pytest.mark.parametrize(("name", "snake"), SNAKE.items())
def test_snake_case(name, snake):
    assert snake_case(name) == snake


@given(st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=127)))
def test_snake_case_only_adds_underscores(name):
    assert snake_case(name).replace("_", "") == name.lower()
    assert snake_case(snake_case(name)) == snake_case(name)
