"""fixtures/fastapi, as a program meets it: logging in, and the boards' HTTP and WebSockets."""

import importlib
import sys
from pathlib import Path

import pytest
from partyserver.testing import UpgradeError

FIXTURE = Path(__file__).parent.parent.parent / "fixtures" / "fastapi"
PATH = "/parties/board/kitchen"


@pytest.fixture
def party_config():
    return FIXTURE / "wrangler.toml"


@pytest.fixture
def log_in(party):
    def log_in(name):
        login = {"name": name, "passphrase": "tea at four"}
        return party.fetch("/api/login", "POST", json=login).json()["token"]

    return log_in


@pytest.fixture
def ada(log_in):
    return {"authorization": f"Bearer {log_in('Ada')}"}


def test_a_login_needs_the_passphrase_and_a_name(party):
    wrong = party.fetch("/api/login", "POST", json={"name": "Ada", "passphrase": "x"})
    assert (wrong.status_code, wrong.json()) == (401, {"detail": "That is not the passphrase."})
    for name in ("", "   ", "x" * 33, None):
        login = {"name": name, "passphrase": "tea at four"}
        assert party.fetch("/api/login", "POST", json=login).status_code == 422


def test_a_token_says_who_one_is(party, ada):
    assert party.fetch("/api/me", headers=ada).json() == {"name": "Ada"}
    assert party.fetch("/api/me").status_code == 401


@pytest.mark.parametrize("token", ["", ".", "x.y", "eyJ1c2VyIjogIkFkYSJ9.", "ü.ü"])
def test_without_a_token_nobody_gets_to_a_board(party, token):
    with pytest.raises(UpgradeError) as caught:
        party.connect(PATH, query={"token": token})
    assert caught.value.response.status_code == 401
    response = party.fetch(f"{PATH}/items", params={"token": token})
    assert (response.status_code, response.text) == (401, "Log in first.")


def test_a_token_that_was_changed_is_none(party, ada):
    token = ada["authorization"].removeprefix("Bearer ")
    payload, signature = token.split(".")
    for forged in (payload[:-4] + "AAAA." + signature, payload + "." + signature[:-1] + "0x"):
        headers = {"authorization": f"Bearer {forged}"}
        assert party.fetch(f"{PATH}/items", headers=headers).status_code == 401


def test_a_token_expires(monkeypatch):
    monkeypatch.syspath_prepend(FIXTURE)
    monkeypatch.delitem(sys.modules, "tokens", raising=False)
    tokens = importlib.import_module("tokens")

    token = tokens.make_token("Ada", "secret", now=1000)
    assert tokens.user_of(token, "secret", now=1000 + tokens.LIFETIME - 1) == "Ada"
    assert tokens.user_of(token, "secret", now=1000 + tokens.LIFETIME) is None
    assert tokens.user_of(token, "another secret", now=1000) is None
    monkeypatch.delitem(sys.modules, "tokens")


def test_changes_over_http_are_news_on_the_sockets(party, ada, log_in):
    with party.connect(PATH, query={"token": log_in("Grace")}) as grace:
        assert grace.receive_json() == {"type": "board", "items": [], "people": ["Grace"]}
        assert grace.receive_json() == {"type": "people", "people": ["Grace"]}

        added = party.fetch(f"{PATH}/items", "POST", json={"text": " tea "}, headers=ada)
        item = {"id": 1, "text": "tea", "done": False, "by": "Ada"}
        assert (added.status_code, added.json()) == (201, item)
        assert grace.receive_json() == {"type": "item", "item": item}

        party.room("Board", "kitchen").hibernate()
        done = party.fetch(f"{PATH}/items/1", "PATCH", json={"done": True}, headers=ada)
        assert done.json() == item | {"done": True}
        assert grace.receive_json() == {"type": "item", "item": item | {"done": True}}

        assert party.fetch(f"{PATH}/people", headers=ada).json() == ["Grace"]
        assert party.fetch(f"{PATH}/items/1", "DELETE", headers=ada).json()["id"] == 1
        assert grace.receive_json() == {"type": "gone", "id": 1}
        assert party.fetch(f"{PATH}/items", headers=ada).json() == []


def test_what_is_wrong_is_told(party, ada):
    def status(method, path, **options):
        return party.fetch(PATH + path, method, headers=ada, **options).status_code

    assert status("POST", "/items", json={"text": "  "}) == 422
    assert status("POST", "/items", content=b"{") == 422
    assert status("PATCH", "/items/7", json={"done": True}) == 404
    assert status("DELETE", "/items/seven") == 422
    assert status("GET", "/nothing") == 404


def test_nobody_can_speak_for_another(party, ada):
    headers = ada | {"x-user": "Grace"}
    item = party.fetch(f"{PATH}/items", "POST", json={"text": "tea"}, headers=headers).json()
    assert item["by"] == "Ada"


def test_names_of_all_kinds(party, log_in):
    name = "Жанна, née “O'Hara” 🦊"
    with party.connect("/parties/board/%C3%A9", query={"token": log_in(name)}) as socket:
        assert socket.receive_json()["people"] == [name]
