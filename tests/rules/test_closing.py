import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.closing import (
    OPEN,
    answer_to_close,
    check_close,
    fitting_reason,
    is_teardown_noise,
)

CONNECTING, CLOSING, CLOSED = 0, 2, 3


@pytest.mark.parametrize("code", [1000, 3000, 3001, 4000, 4409, 4999])
def test_a_code_that_may_be_sent(code):
    check_close(code, "")


@pytest.mark.parametrize(
    "code",
    [
        *[-1, 0, 1, 999, 1001, 1004, 1005, 1006, 1009, 1011, 1015, 1999, 2999, 5000, 65_536],
        *["x", "1000", None, True, 1000.0, 3000.5, float("nan"), b"", []],
    ],
)
def test_a_code_that_may_not_be_sent_is_a_value_error_that_names_it(code):
    with pytest.raises(ValueError, match=r"^a close code is 1000 or 3000 to 4999, not ") as refused:
        check_close(code, "")
    assert str(refused.value).endswith(repr(code))


@pytest.mark.parametrize("reason", ["", "bye", "\0", "a" * 123, "é" * 61, "€" * 41, "😀" * 30])
def test_a_reason_that_may_be_sent(reason):
    check_close(1000, reason)


@pytest.mark.parametrize(
    ("reason", "size"), [("a" * 124, 124), ("é" * 62, 124), ("€" * 42, 126), ("😀" * 31, 124)]
)
def test_a_reason_over_123_bytes_is_a_value_error(reason, size):
    with pytest.raises(ValueError, match=f"at most 123 UTF-8 bytes, not {size}$"):
        check_close(1000, reason)


@pytest.mark.parametrize("reason", ["\ud83d", "bye \ude00", "\udc80" * 200])
def test_a_reason_that_is_cut_inside_a_character_is_a_value_error(reason):
    with pytest.raises(ValueError, match="cut inside a character") as refused:
        check_close(1000, reason)
    assert not isinstance(refused.value, UnicodeError)


@pytest.mark.parametrize("reason", [None, b"bye", 1])
def test_a_reason_that_is_no_str_is_a_value_error(reason):
    with pytest.raises(ValueError, match=r"^a close reason is a str, not "):
        check_close(1000, reason)


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1009, 1011, 1016, 2999, 3000, 4999])
def test_a_close_is_answered_with_its_own_code_and_reason(code):
    assert answer_to_close(code, "bye") == (code, "bye")


def test_a_close_without_a_code_is_answered_without_one():
    assert answer_to_close(1005, "") == ()


@pytest.mark.parametrize("code", [1006, 1015])
def test_a_connection_that_broke_is_not_answered(code):
    assert answer_to_close(code, "") is None


@pytest.mark.parametrize("code", [0, 1, 999, 1004, 5000, 65_535])
def test_a_code_that_the_platform_refuses_is_answered_without_one(code):
    assert answer_to_close(code, "bye") == ()


def test_a_reason_of_broken_utf_8_is_left_out_of_the_answer_when_it_grew_too_long():
    reason = (b"\xff" * 123).decode(errors="replace")
    assert answer_to_close(1000, reason) == (1000, "")


@given(
    st.integers(0, 65_535) | st.integers(990, 1020),
    st.binary(max_size=123).map(lambda frame: frame.decode(errors="replace")),
)
def test_whatever_a_peer_closes_with_the_answer_may_be_sent(code, reason):
    answer = answer_to_close(code, reason)
    if answer:
        code, reason = answer
        assert 1000 <= code <= 4999
        assert code not in (1004, 1005, 1006, 1015)
        assert len(reason.encode()) <= 123


@pytest.mark.parametrize("state", [CONNECTING, OPEN])
@pytest.mark.parametrize("retryable", [True, False])
def test_no_error_on_a_connection_that_is_open_is_noise(state, retryable):
    assert not is_teardown_noise(state, "Network connection lost.", retryable=retryable)


@pytest.mark.parametrize("state", [CLOSING, CLOSED])
@pytest.mark.parametrize(
    ("message", "retryable", "noise"),
    [
        ("Network connection lost.", False, True),
        ("Error: NETWORK CONNECTION LOST", False, True),
        ("WebSocket peer disconnected", False, True),
        ("anything at all", True, True),
        ("", True, True),
        ("Network connection lost.", True, True),
        ("TypeError: x is not a function", False, False),
        ("", False, False),
    ],
)
def test_a_closing_connections_loss_is_noise(state, message, retryable, noise):
    assert is_teardown_noise(state, message, retryable=retryable) is noise


@pytest.mark.parametrize("code", [1006, 1015])
def test_a_frame_that_carries_a_code_that_may_not_be_sent_is_answered_without_one(code):
    assert answer_to_close(code, "", was_clean=True) == ()
    assert answer_to_close(code, "", was_clean=False) is None


@pytest.mark.parametrize("text", ["", "no", "a" * 200, "ü" * 100, "a" + "€" * 100, "\ud800" * 200])
def test_a_reason_is_cut_to_what_fits(text):
    reason = fitting_reason(text)
    check_close(1000, reason)
    assert text.startswith(reason) or "\ud800" in text
    assert len(reason.encode()) > 119 or len(text) < 120
