"""fixtures/fastapi, as a program meets it: logging in, and the boards' HTTP and WebSockets."""

import json
import time
import tomllib
from pathlib import Path

import jwt
import pytest

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


REFUSED = {"error": "Log in first.", "code": "login"}


def is_refused(party, token):
    with party.connect(PATH, query={"token": token}) as socket:
        assert socket.receive_json() == {"type": "error", **REFUSED}
        socket.wait_closed()
        assert socket.close_code == 1008
    headers = {"authorization": f"Bearer {token}".strip().encode()}
    for path in (f"{PATH}/items", "/api/me"):
        response = party.fetch(path, headers=headers)
        assert response.status_code == 401
        assert response.json() in (REFUSED, {"detail": "Not authenticated"})
    return True


@pytest.mark.parametrize("token", ["", ".", "x.y.z", "eyJ1c2VyIjogIkFkYSJ9.", "ü.ü.ü"])
def test_without_a_token_nobody_gets_to_a_board(party, token):
    assert is_refused(party, token)


def test_a_token_that_was_changed_is_none(party, ada):
    token = ada["authorization"].removeprefix("Bearer ")
    header, payload, signature = token.split(".")
    assert is_refused(party, f"{header}.{payload[:-4]}AAAA.{signature}")
    assert is_refused(party, f"{header}.{payload}.{signature[::-1]}")


CONFIG = tomllib.loads((FIXTURE / "wrangler.toml").read_text())
SECRET = CONFIG["vars"]["TOKEN_SECRET"]
SOON = time.time() + 3600


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm"),
    [
        ({"sub": "Ada", "exp": time.time() - 1}, SECRET, "HS256"),
        ({"sub": "Ada"}, SECRET, "HS256"),
        ({"exp": SOON}, SECRET, "HS256"),
        ({"sub": "Ada", "exp": SOON}, "another secret that is long enough", "HS256"),
        ({"sub": "Ada", "exp": SOON}, SECRET * 2, "HS512"),
        ({"sub": "Ada", "exp": SOON}, None, "none"),
    ],
    ids=["too old", "for ever", "nobody's", "of another", "another algorithm", "unsigned"],
)
def test_a_token_that_is_not_as_ours_is_none(party, claims, secret, algorithm):
    assert is_refused(party, jwt.encode(claims, secret, algorithm))


def test_a_token_of_ours_is_like_this(party, ada):
    claims = jwt.decode(ada["authorization"].removeprefix("Bearer "), SECRET, ["HS256"])
    assert claims["sub"] == "Ada"
    assert 11.9 < (claims["exp"] - time.time()) / 3600 < 12.1


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
    assert party.fetch(f"{PATH}/items/7", "DELETE", headers=ada).json() == {
        "error": "There is no such item."
    }
    assert status("DELETE", "/items/seven") == 422
    assert status("GET", "/nothing") == 404


def test_nobody_can_speak_for_another(party, ada):
    forged = json.dumps({"partyserver-auth": json.dumps({"user": "Grace"})})
    headers = ada | {"x-user": "Grace", "mf-cf-blob": forged}
    item = party.fetch(f"{PATH}/items", "POST", json={"text": "tea"}, headers=headers).json()
    assert item["by"] == "Ada"


def test_names_of_all_kinds(party, log_in):
    name = "Жанна, née “O'Hara” 🦊"
    with party.connect("/parties/board/%C3%A9", query={"token": log_in(name)}) as socket:
        assert socket.receive_json()["people"] == [name]
