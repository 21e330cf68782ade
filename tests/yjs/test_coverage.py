"""What a document has, without its content."""

import pytest
from partyserver.yjs import coding
from partyserver.yjs.coding import MalformedError
from partyserver.yjs.coverage import Coverage
from partyserver.yjs.updates import decode

from .vectors import ALL, DELETE, EMOJI, HI, MARK, MERGED, SET, WITH_GAP


def coverage(*all_updates: bytes) -> Coverage:
    result = Coverage()
    for update in all_updates:
        assert result.add(decode(update))
    return result


def test_an_update_is_new_until_it_is_there():
    known = coverage(*ALL)
    assert not any(known.add(decode(update)) for update in [*ALL, MERGED, WITH_GAP, b"\0\0"])
    assert known.add(decode(EMOJI))


def test_what_is_there_is_told_without_taking_it():
    known = coverage(WITH_GAP, DELETE)
    assert all(map(known.has_all_of, map(decode, [HI, DELETE, SET, WITH_GAP, b"\0\0"])))
    for update in (MARK, MERGED, EMOJI, bytes.fromhex("01 01 06 00 00 01 00")):
        assert not known.has_all_of(decode(update))
    for wrong in ("00 01 05 01 02 01", "00 01 06 01 00 01"):
        assert not known.has_all_of(decode(bytes.fromhex(wrong)))
    assert known.encode() == coverage(WITH_GAP, DELETE).encode()


def test_a_deletion_is_new_though_its_struct_is_not_there():
    known = coverage(DELETE)
    assert not known.add(decode(DELETE))
    assert known.vector().hex() == "00"


def test_clients_without_anything_are_none():
    known = Coverage()
    assert not known.add(decode(bytes.fromhex("01 00 05 00 01 06 00")))
    assert known.encode() == b"\0\0"


@pytest.mark.parametrize(
    ("has", "vector"),
    [
        ([], "00"),
        ([HI], "010502"),
        ([HI, MARK], "010503"),
        (ALL, "010504"),
        ([WITH_GAP], "010502"),
        ([WITH_GAP, MARK], "010504"),
        ([MARK, SET], "00"),
        ([*ALL, EMOJI], "010506"),
    ],
)
def test_the_state_vector_ends_at_the_first_gap(has, vector):
    known = coverage(*has)
    assert known.vector().hex() == vector
    assert Coverage.decode(known.encode()).vector().hex() == vector


def test_somebody_knows_it_who_has_all_clocks():
    known = coverage(WITH_GAP)
    assert not known.is_known_by({})
    assert not known.is_known_by({5: 2})
    assert not known.is_known_by({5: 3, 6: 9})
    assert known.is_known_by({5: 4})
    assert known.is_known_by({5: 9, 6: 1})
    assert Coverage().is_known_by({})


def test_it_is_kept_and_read_again():
    known = coverage(WITH_GAP, DELETE)
    again = Coverage.decode(known.encode())
    assert {c: list(r) for c, r in again.clocks.items()} == {5: [(0, 2), (3, 4)]}
    assert {c: list(r) for c, r in again.deleted.items()} == {5: [(1, 2)]}
    assert again.add(decode(MARK))
    assert Coverage.decode(b"\0\0").encode() == b"\0\0"


def test_what_is_kept_is_not_bounded(monkeypatch):
    kept = coverage(WITH_GAP, DELETE).encode()
    monkeypatch.setattr(coding, "MAX_COST", 1)
    assert Coverage.decode(kept).encode() == kept


def test_what_is_none_is_not_read():
    kept = coverage(WITH_GAP, DELETE).encode()
    for end in range(len(kept)):
        with pytest.raises(MalformedError):
            Coverage.decode(kept[:end])
    with pytest.raises(MalformedError):
        Coverage.decode(kept + b"\0")


def test_what_is_reached_ends_at_the_first_gap():
    assert Coverage().reached() == coverage(MARK).reached() == {}
    assert coverage(WITH_GAP).reached() == {5: 2}


@pytest.mark.parametrize(
    ("has", "update", "lacking"),
    [
        ([], MERGED, MERGED),
        ([HI], MERGED, "01 02 05 02 84 05 01 01 21 28 01 01 6d 01 6b 01 7d 07 01 05 01 01 01"),
        ([HI, MARK, DELETE], MERGED, SET),
        ([HI, SET, DELETE], MERGED, MARK),
        ([MARK, DELETE], WITH_GAP, WITH_GAP),
        (ALL, MERGED, "00 00"),
        # Ranges: one that is there, one of which a part is, and one that is not.
        ([DELETE], "00 01 05 03 00 03 01 01 07 01", "00 01 05 02 00 03 07 01"),
        ([DELETE], "00 01 06 01 01 01", "00 01 06 01 01 01"),
        ([], "01 00 05 00 01 06 00", "00 00"),
    ],
)
def test_what_is_new_in_an_update(has, update, lacking):
    update, lacking = (
        bytes.fromhex(one) if isinstance(one, str) else one for one in (update, lacking)
    )
    known = coverage(*has)
    before = known.encode()
    news = known.lacking(decode(update))
    assert news.encode() == lacking
    assert known.has_all_of(decode(update)) is news.is_empty is (lacking == b"\0\0")
    assert known.encode() == before


def test_a_struct_of_which_a_part_is_new_is_new():
    typed = decode(bytes.fromhex("01 01 05 00 04 01 01 74 03 68 69 21 00"))
    assert coverage(HI).lacking(typed) == typed


def test_clients_are_counted_by_what_there_is_of_them():
    known = coverage(HI, DELETE)
    assert known.clients() == 2
    assert [known.clients(decode(update)) for update in (MERGED, EMOJI)] == [2, 2]
    assert known.clients(decode(bytes.fromhex("01 01 06 00 00 01 01 07 01 00 01"))) == 4


@pytest.mark.parametrize(
    ("has", "update", "lacks"),
    [
        ([HI], MARK, False),
        ([HI], SET, True),
        ([HI, MARK], SET, False),
        ([], MARK, True),
        ([], HI, False),
        ([HI, SET], EMOJI, False),
        ([HI], DELETE, False),
    ],
)
def test_what_goes_on_from_something_that_is_not_there(has, update, lacks):
    assert coverage(*has, update).lacks_what_is_before(decode(update)) is lacks
