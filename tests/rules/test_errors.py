import pickle

import pytest
from partyserver import errors
from partyserver.errors import (
    ClientError,
    ConnectionClosedError,
    PartyServerError,
    RequestRefusedError,
    ServerNameError,
    SQLError,
    StateTooLargeError,
    TransportError,
)

LEAVES = {
    ClientError,
    ConnectionClosedError,
    RequestRefusedError,
    SQLError,
    ServerNameError,
    StateTooLargeError,
    TransportError,
}


def test_every_error_is_a_party_server_error():
    defined = {one for one in vars(errors).values() if isinstance(one, type)}
    assert defined == LEAVES | {PartyServerError}
    assert all(issubclass(leaf, PartyServerError) for leaf in LEAVES)


def test_the_modules_tree_shows_every_error():
    assert all(error.__name__ in errors.__doc__ for error in LEAVES)


def test_a_closed_connection_is_named():
    error = ConnectionClosedError("a b")
    assert error.connection_id == "a b"
    assert str(error) == "connection 'a b' is closed and cannot be sent to"


def test_too_large_a_state_is_a_value_error_with_both_sizes():
    error = StateTooLargeError(20_000, 16_384)
    assert isinstance(error, ValueError)
    assert (error.size, error.limit) == (20_000, 16_384)
    assert "20000 bytes" in str(error)
    assert "16384 bytes" in str(error)
    assert "about" not in str(error)
    shared = StateTooLargeError(20_000, 16_384, {"state": 19_000, "presence": 900})
    assert shared.shares == {"state": 19_000, "presence": 900}
    assert "(about: state 19000, presence 900)" in str(shared)


def test_a_failed_query_is_in_its_error():
    error = SQLError("no such table: m", "select * from m")
    assert (error.message, error.query) == ("no such table: m", "select * from m")
    assert str(error) == "no such table: m\n  in query: select * from m"


@pytest.mark.parametrize("retryable", [True, False])
def test_a_transport_error_keeps_the_platforms_judgement(retryable):
    error = TransportError("Network connection lost.", retryable=retryable)
    assert error.retryable is retryable
    assert str(error) == "Network connection lost."


def test_a_transport_error_is_not_retryable_unless_said_so():
    assert TransportError("lost").retryable is False


def test_a_refusal_has_a_status_and_says_why():
    error = RequestRefusedError(414, "too long")
    assert error.status == 414
    assert str(error) == "too long"


@pytest.mark.parametrize("status", [400, 404, 599])
def test_a_refusal_may_have_any_status_of_an_error(status):
    assert RequestRefusedError(status, "no").status == status


@pytest.mark.parametrize("status", [0, 101, 200, 302, 399, 600, -400])
def test_a_refusal_has_no_other_status(status):
    with pytest.raises(ValueError, match=f"^a refusal has a status from 400 to 599, not {status}$"):
        RequestRefusedError(status, "no")


def test_a_name_error_is_an_ordinary_exception():
    assert str(pickle.loads(pickle.dumps(ServerNameError("no name")))) == "no name"


def test_a_client_error_has_a_status_and_a_code():
    error = ClientError("no", status=404, code="gone")
    assert (str(error), error.message, error.status, error.code) == ("no", "no", 404, "gone")
    assert (ClientError("no").status, ClientError("no").code) == (400, None)


@pytest.mark.parametrize("status", [399, 600, "400", True, 404.0])
def test_a_client_error_has_an_errors_status(status):
    with pytest.raises(ValueError, match="from 400 to 599"):
        ClientError("no", status=status)


@pytest.mark.parametrize("arguments", [{"message": 1}, {"message": "no", "code": {}}])
def test_what_a_client_is_told_is_text(arguments):
    with pytest.raises(TypeError, match="a ClientError's"):
        ClientError(**arguments)
