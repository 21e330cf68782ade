"""Updates and state vectors: Yjs' own, and what is none."""

import pytest
from partyserver.yjs import coding, updates
from partyserver.yjs.coding import MalformedError, integer
from partyserver.yjs.updates import (
    EMPTY_UPDATE,
    EMPTY_VECTOR,
    decode,
    decode_vector,
    encode,
    encode_vector,
)

from .vectors import ALL, EMOJI, MERGED, WITH_GAP

EVERY = [*ALL, MERGED, WITH_GAP, EMOJI]


def written_again(update: bytes) -> bytes:
    decoded = decode(update)
    sections = {client: (0, run) for client, run in decoded.structs.items()}
    return encode(sections, decoded.deleted)


@pytest.mark.parametrize("update", [*EVERY, EMPTY_UPDATE], ids=bytes.hex)
def test_an_update_is_written_as_it_was_read_and_no_part_of_it_is_one(update):
    assert written_again(update) == decode(update).encode() == update
    for end in range(len(update)):
        with pytest.raises(MalformedError):
            decode(update[:end])
    with pytest.raises(MalformedError, match="after its end"):
        decode(update + b"\x00")


def test_what_an_update_holds():
    decoded = decode(MERGED)
    assert [(s.clock, s.end, s.content) for s in decoded.structs[5]] == [
        (0, 2, b"hi"),
        (2, 3, b"!"),
        (3, 4, b"\x7d\x07"),
    ]
    assert decoded.deleted == {5: [(1, 2)]}
    assert [(s.clock, s.end) for s in decode(WITH_GAP).structs[5]] == [(0, 2), (3, 4)]
    assert [(s.clock, s.end) for s in decode(EMOJI).structs[5]] == [(4, 6)]


def test_clients_descend_and_what_somebody_has_is_left_out():
    mine = decode(MERGED).structs[5]
    update = encode({5: (1, mine), 700: (0, mine[:1])}, {5: [(1, 2)], 700: [(0, 1), (4, 300)]})
    again = decode(update)
    assert list(again.structs) == [700, 5]
    first = again.structs[5][0]
    assert (first.clock, first.content) == (1, b"i")
    assert list(again.deleted) == [700, 5]
    assert again.deleted[700] == [(0, 1), (4, 300)]


def test_a_client_comes_once():
    section = bytes.fromhex("01 05 00 00 01")
    with pytest.raises(MalformedError, match="client 5 comes twice"):
        decode(b"\x02" + section + section + b"\x00")
    # Of deletions clients take both.
    twice = decode(bytes.fromhex("00 02 05 01 00 01 05 01 07 01"))
    assert twice.deleted == {5: [(0, 1), (7, 8)]}


@pytest.mark.parametrize("length", [0, 2**53 - 10])
def test_a_deleted_range_has_a_length_that_numbers_have(length):
    with pytest.raises(MalformedError, match="a range of"):
        decode(bytes.fromhex("00 01 05 01 0a") + integer(length))


@pytest.mark.parametrize("count", [2**31, 2**53 - 1], ids=["billions", "largest"])
@pytest.mark.parametrize("before", ["", "01", "00", "00 01 05"])
def test_a_count_that_lies_is_refused_at_once(before, count):
    with pytest.raises(MalformedError, match="read at once"):
        decode(bytes.fromhex(before) + integer(count) + bytes(100))


@pytest.mark.parametrize(
    ("one", "cost"),
    [
        ("00 01", coding.PIECE_COST),  # collected
        ("0a 01", coding.PIECE_COST),  # missing
    ],
)
def test_structs_are_bounded(monkeypatch, one, cost):
    most = 20
    monkeypatch.setattr(coding, "MAX_COST", most * cost + coding.CLIENT_COST)
    for count in (most, most + 1):
        data = b"\x01" + integer(count) + b"\x05\x00" + bytes.fromhex(one) * count + b"\x00"
        if count > most:
            with pytest.raises(MalformedError, match="read at once"):
                decode(data)
        else:
            decode(data)


def test_clients_and_deletions_are_bounded(monkeypatch):
    monkeypatch.setattr(coding, "MAX_COST", 10 * coding.CLIENT_COST)
    empty = [b"\x00" + integer(client) + b"\x00" for client in range(11)]
    decode(integer(10) + b"".join(empty[:10]) + b"\x00")
    decode(b"\x00" + integer(10) + b"".join(integer(client) + b"\x00" for client in range(10)))
    decode_vector(integer(10) + b"\x05\x00" * 10)
    for wrong in (
        integer(11) + b"".join(empty) + b"\x00",
        b"\x00" + integer(11) + b"".join(integer(client) + b"\x00" for client in range(11)),
        b"\x00\x01\x05" + integer(40) + b"\x00\x01" * 40,
    ):
        with pytest.raises(MalformedError, match="read at once"):
            decode(wrong)
    with pytest.raises(MalformedError, match="read at once"):
        decode_vector(integer(11) + b"\x05\x00" * 11)
    # What has been made here is read however long it is.
    assert decode_vector(integer(11) + b"\x05\x00" * 11, bounded=False) == {5: 0}


def test_a_state_vector_is_written_as_it_was_read():
    clocks = {5: 4, 700: 2**53 - 1}
    assert decode_vector(encode_vector(clocks)) == clocks
    assert encode_vector({5: 4}).hex() == "010504"
    assert encode_vector({}) == EMPTY_VECTOR
    assert decode_vector(EMPTY_VECTOR) == {}
    assert encode_vector(clocks) == encode_vector(dict(sorted(clocks.items())))


@pytest.mark.parametrize("wrong", ["", "01", "0105", "01050400", "0205", "ff"])
def test_what_is_no_state_vector_is_refused(wrong):
    with pytest.raises(MalformedError):
        decode_vector(bytes.fromhex(wrong))


def test_the_empty_update_has_nothing():
    assert decode(EMPTY_UPDATE) == updates.Update()
    assert updates.Update().is_empty
    assert not any(decode(update).is_empty for update in EVERY)
    assert encode({}, {}) == EMPTY_UPDATE
