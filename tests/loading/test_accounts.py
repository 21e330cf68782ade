import pytest
from partyserver.load.accounts import Accounts, Mode


@pytest.fixture
def opened():
    """Makes accounts of connections in these rooms, all of which are open."""

    def make(rooms, mode):
        accounts = Accounts(rooms, mode)
        for connection in range(len(rooms)):
            accounts.opened(connection)
        return accounts

    return make


def counts(accounts):
    """Expected, received, lost, duplicated, out of order, not expected."""
    return (
        accounts.expected,
        accounts.received,
        accounts.lost(),
        accounts.duplicated,
        accounts.disordered,
        accounts.unexpected,
    )


def test_an_echo_is_for_its_sender_alone(opened):
    accounts = opened([0, 0], Mode.ECHO)
    assert accounts.send(1, 0.0) == 0
    assert counts(accounts) == (1, 0, 1, 0, 0, 0)
    accounts.receive(0, 1, 0, 0.0)
    assert counts(accounts) == (1, 0, 1, 0, 0, 1)
    accounts.receive(1, 1, 0, 0.0)
    assert counts(accounts) == (1, 1, 0, 0, 0, 1)
    assert (accounts.sent, accounts.own, accounts.under_way) == (1, 1, 0)


def test_an_echo_is_expected_of_a_connection_that_has_just_ended():
    accounts = Accounts([0], Mode.ECHO)
    accounts.send(0, 0.0)
    assert accounts.lost() == 1


def test_a_broadcast_is_for_all_of_the_room_and_for_no_other(opened):
    accounts = opened([0, 1, 0, 1, 0], Mode.BROADCAST)
    accounts.send(0, 0.0)
    for receiver in range(4):
        accounts.receive(receiver, 0, 0, 0.0)
    assert counts(accounts) == (3, 2, 1, 0, 0, 2)
    assert accounts.own == 1


def test_one_to_the_others_is_not_for_its_sender(opened):
    accounts = opened([0, 0, 0], Mode.OTHERS)
    accounts.send(0, 0.0)
    for receiver in range(3):
        accounts.receive(receiver, 0, 0, 0.0)
    assert counts(accounts) == (2, 2, 0, 0, 0, 1)
    assert accounts.own == 0


def test_a_broadcast_is_expected_by_those_who_are_open_when_it_is_sent(opened):
    accounts = opened([0, 0, 0], Mode.BROADCAST)
    accounts.closed(1)
    accounts.send(0, 0.0)
    accounts.opened(1)
    accounts.closed(2)
    accounts.receive(0, 0, 0, 0.0)
    accounts.receive(1, 0, 0, 0.0)  # as by a replay
    assert counts(accounts) == (2, 1, 1, 0, 0, 1)


def test_what_comes_again_is_counted_apart_also_after_all_have_it(opened):
    accounts = opened([0], Mode.ECHO)
    accounts.send(0, 1.0)
    for now in (2.0, 3.0, 4.0):
        accounts.receive(0, 0, 0, now)
    assert counts(accounts) == (1, 1, 0, 2, 0, 0)
    assert list(accounts.latencies) == [1.0]


def test_what_comes_after_a_later_one_of_its_sender_is_out_of_order(opened):
    accounts = opened([0, 0], Mode.BROADCAST)
    for sender in (0, 0, 0, 1):
        accounts.send(sender, 0.0)
    accounts.receive(0, 0, 2, 0.0)
    accounts.receive(0, 1, 0, 0.0)  # senders have no order among each other
    accounts.receive(0, 0, 0, 0.0)
    accounts.receive(0, 0, 1, 0.0)
    accounts.receive(1, 0, 0, 0.0)  # nor have receivers
    assert (accounts.received, accounts.disordered) == (5, 2)


@pytest.mark.parametrize(("sender", "number"), [(0, 1), (1, 0), (7, 0)])
def test_what_nobody_has_sent_is_not_expected(opened, sender, number):
    accounts = opened([0, 0], Mode.ECHO)
    accounts.send(0, 0.0)
    accounts.receive(0, sender, number, 0.0)
    assert counts(accounts) == (1, 0, 1, 0, 0, 1)


def test_latency_counts_from_when_a_message_was_due_and_not_from_when_it_went_out(opened):
    """Coordinated omission: a server that stops for 3 s has three late messages, and not one."""
    accounts = opened([0], Mode.ECHO)
    for number, due in enumerate((1.0, 2.0, 3.0)):
        accounts.send(0, due)  # all at 4.0, when the connection takes them
        accounts.receive(0, 0, number, 4.0)
    assert list(accounts.latencies) == [3.0, 2.0, 1.0]


def test_what_was_lost_before_a_moment_can_be_asked_for(opened):
    accounts = opened([0, 0], Mode.BROADCAST)
    for due in (1.0, 2.0, 3.0):
        accounts.send(0, due)
    accounts.receive(1, 0, 0, 1.5)
    assert (accounts.lost(2.0), accounts.lost(2.5), accounts.lost()) == (1, 3, 5)
    assert accounts.under_way == 5
