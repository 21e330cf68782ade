import json
import re
from dataclasses import dataclass

import pytest
from partyserver.errors import ClientError, RequestRefusedError
from partyserver.rules.failures import (
    PUBLIC_MESSAGE,
    answer,
    client_frame,
    client_json,
    error_id,
    frame,
    mark,
    summary,
    traceback_text,
)

SECRET = "password is 'hunter2' \ud800€"


@dataclass(frozen=True)
class FrozenError(Exception):
    detail: str = "x"


class SpeechlessError(Exception):
    def __str__(self):
        raise self


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_error_keeps_its_id():
    error = ValueError("x")
    first = error_id(error)
    assert re.fullmatch("[0-9a-f]{8}", first)
    assert error_id(error) == first


def test_two_errors_have_two_ids():
    assert error_id(ValueError("x")) != error_id(ValueError("x"))


@pytest.mark.parametrize("error", [ValueError("x"), FrozenError(), KeyboardInterrupt()])
def test_an_error_that_is_raised_again_is_marked_once(error):
    mark(error, "in on_message of Chat:lobby")
    mark(error, "in on_close of Chat:lobby")
    assert error.__notes__ == ["in on_message of Chat:lobby", f"error id: {error_id(error)}"]


def test_the_users_own_notes_stay():
    error = ValueError("x")
    error.add_note("while saving")
    mark(error, "in on_close")
    assert error.__notes__ == ["while saving", "in on_close", f"error id: {error_id(error)}"]


def test_the_logs_traceback_shows_where_and_which():
    error = raised(ValueError("boom"))
    mark(error, "in on_message of Chat:lobby")
    text = traceback_text(error)
    assert text.startswith("Traceback (most recent call last):")
    assert text.endswith(
        f"ValueError: boom\nin on_message of Chat:lobby\nerror id: {error_id(error)}"
    )
    assert "raise error" in text


def test_the_logs_traceback_shows_the_cause():
    error = ValueError("boom")
    error.__cause__ = raised(KeyError("deeper"))
    assert "KeyError: 'deeper'" in traceback_text(raised(error))


def test_the_summary_is_one_line_with_the_id():
    error = ValueError("boom")
    assert summary(error) == f"ValueError: boom (error id {error_id(error)})"


def test_the_summary_of_an_error_that_cannot_be_read_says_so():
    error = SpeechlessError()
    assert summary(error) == (
        f"SpeechlessError: (its text cannot be had) (error id {error_id(error)})"
    )


def test_a_client_gets_an_id_and_nothing_else():
    error = raised(ValueError(SECRET))
    assert answer(error, debug=False) == (500, f"{PUBLIC_MESSAGE} (error id {error_id(error)})")
    assert json.loads(frame(error, debug=False)) == {"error": PUBLIC_MESSAGE, "id": error_id(error)}


def test_a_client_of_a_server_in_debug_gets_the_traceback_with_the_id():
    error = raised(ValueError(SECRET))
    assert answer(error, debug=True) == (500, traceback_text(error))
    assert json.loads(frame(error, debug=True)) == {
        "error": PUBLIC_MESSAGE,
        "id": error_id(error),
        "details": traceback_text(error),
    }
    assert "hunter2" in traceback_text(error)
    assert error_id(error) in traceback_text(error)


@pytest.mark.parametrize("debug", [True, False])
def test_a_refusal_is_answered_as_it_says_and_not_as_a_failure(debug):
    error = raised(RequestRefusedError(409, "a connection with the id 'a' is open"))
    assert answer(error, debug=debug) == (409, "a connection with the id 'a' is open")


def test_a_frame_is_ascii_whatever_the_error_says():
    assert frame(raised(ValueError(SECRET)), debug=True).isascii()


# --- exceptions that take no notes ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frozen(Exception):
    reason: str = "x"


class Unreadable(Exception):
    def __getattribute__(self, name):
        if name == "__notes__":
            raise KeyError(name)
        return super().__getattribute__(name)

    def add_note(self, note):
        raise TypeError("no notes")


class Noteless(Exception):
    __notes__ = None


@pytest.mark.parametrize("kind", [Frozen, Unreadable, Noteless])
def test_any_exception_can_be_marked_and_keeps_its_id(kind):
    error = raised(kind())
    mark(error, "in a hook")
    mark(error, "in another")
    assert error_id(error) == error_id(error)
    assert f"error id: {error_id(error)}" in traceback_text(error)
    assert error_id(error) in summary(error)
    assert error_id(error) in answer(error, debug=False)[1]
    assert error_id(raised(kind())) != error_id(error)


def test_a_traceback_that_cannot_be_made_names_the_kind(monkeypatch):
    def fail(error):
        raise RecursionError

    monkeypatch.setattr("traceback.format_exception", fail)
    assert traceback_text(ValueError("x")) == "ValueError (its text cannot be had)"


def test_what_a_client_is_told_is_json():
    error = ClientError('no "ü"\ud800', code="refused")
    assert json.loads(client_json(error)) == {"error": error.message, "code": "refused"}
    assert json.loads(client_frame(error)) == {
        "type": "error",
        "error": error.message,
        "code": "refused",
    }
    assert client_json(ClientError("no")) == '{"error":"no"}'
