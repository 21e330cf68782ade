"""The rules of fixtures/notes: who has which link, and which snapshots stay."""

from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from .conftest import module

links = module("links")
snapshots = module("snapshots")

SECRET = "a secret of the tests, of some length"
NAME = "9xKq2LmVb4TzR7Wd"
DAY = 86400
NOW = 1_800_000_000


def test_a_key_is_of_one_right_one_note_and_one_secret() -> None:
    edit, read = (links.make_key(SECRET, NAME, right) for right in ("edit", "read"))
    assert len(edit) == len(read) == 24
    assert links.right_of(SECRET, NAME, edit) == "edit"
    assert links.right_of(SECRET, NAME, read) == "read"
    assert links.right_of(SECRET, NAME + "x", edit) is None
    assert links.right_of(SECRET + "x", NAME, edit) is None


@pytest.mark.parametrize("key", ["", "x" * 24, "é", "😀", "\0"])
def test_anything_else_is_no_key(key: str) -> None:
    assert links.right_of(SECRET, NAME, key) is None


def test_one_key_does_not_lead_to_the_other() -> None:
    edit, read = (links.make_key(SECRET, NAME, right) for right in ("edit", "read"))
    assert edit not in read
    assert links.right_of(SECRET, NAME, links.make_key(read, NAME, "edit")) is None
    assert links.make_key(SECRET, "read x", "edit") != links.make_key(SECRET, "x", "read")


def test_names_differ() -> None:
    names = {links.make_name() for _ in range(1000)}
    assert len(names) == 1000
    assert {len(name) for name in names} == {16}


@pytest.mark.parametrize("url", ["http://localhost:8787", "http://127.0.0.1", "http://[::1]:8787"])
def test_a_secret_may_be_missing_on_this_machine_alone(url: str) -> None:
    host = urlsplit(url).hostname
    assert links.secret_for(host, None) == links.DEVELOPMENT_SECRET
    assert links.secret_for(host, SECRET) == SECRET
    assert links.secret_for("notes.example", None) is None


@pytest.mark.parametrize("host", ["localhost", "notes.example"])
def test_a_secret_has_some_length(host: str) -> None:
    assert links.secret_for(host, "") is None
    assert links.secret_for(host, "x" * 31) is None
    assert links.secret_for(host, "x" * 32) == "x" * 32


def test_the_hint_fits_into_a_close() -> None:
    assert len(links.MISSING.encode()) <= 123


def left(times: range | list[int], now: int = NOW, size: int = 100) -> list[int]:
    kept = [(at, size) for at in times]
    gone = set(snapshots.outdated(kept, now))
    return [at for at in times if at not in gone]


def test_the_newest_stays_and_one_for_each_minute() -> None:
    minute = NOW - NOW % 60
    assert left([minute - 70, minute - 61, minute - 30, minute - 2, minute], minute) == [
        minute - 61,
        minute - 2,
        minute,
    ]


def test_the_older_the_fewer() -> None:
    times = left(range(NOW - 60 * DAY, NOW, 30))
    gaps = [(NOW - older, newer - older) for older, newer in pairwise(times)]
    assert all(gap <= 60 for age, gap in gaps if age < 3600)
    assert all(1800 < gap <= 3600 for age, gap in gaps if 2 * 3600 < age < DAY)
    assert all(DAY / 2 < gap <= DAY for age, gap in gaps if 2 * DAY < age < 30 * DAY)
    assert all(gap == 7 * DAY for age, gap in gaps if age > 38 * DAY)
    assert times[-1] == NOW - 30


def test_what_stayed_stays_when_nothing_has_come() -> None:
    times = left(range(NOW - DAY, NOW, 30))
    assert left(times) == times


def test_there_is_a_most_of_them_and_of_their_bytes() -> None:
    weeks = left(range(NOW - 9999 * DAY, NOW, DAY))
    assert len(weeks) == snapshots.MOST
    assert weeks[-1] == NOW - DAY
    large = left(range(NOW - 3600, NOW, 60), size=snapshots.LARGEST)
    assert len(large) == snapshots.MOST_BYTES // snapshots.LARGEST
    assert large[-1] == NOW - 60


def test_a_note_that_is_very_large_for_some_minutes_leaves_the_old_snapshots() -> None:
    old = [(at, 10_000) for at in left(range(NOW - 60 * DAY, NOW - 3600, 30))]
    minutes = [(at, snapshots.LARGEST) for at in range(NOW - 3600, NOW, 60)]
    gone = set(snapshots.outdated(old + minutes, NOW))
    assert not gone & {at for at, _ in old if at < NOW - 2 * 3600}
    stay = [one for one in old + minutes if one[0] not in gone]
    assert minutes[-1] in stay
    assert sum(size for _, size in stay) <= snapshots.MOST_BYTES
    assert not snapshots.outdated(stay, NOW)


def test_a_clock_that_went_back_breaks_nothing() -> None:
    assert left([NOW, NOW + 5000]) == [NOW, NOW + 5000]
