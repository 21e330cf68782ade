"""Structs are read, cut, joined and collected."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partyserver.yjs import coding, structs
from partyserver.yjs.coding import MAX_SAFE_INTEGER, MalformedError, Reader, integer
from partyserver.yjs.structs import (
    ANY,
    BINARY,
    DELETED,
    DOCUMENT,
    EMBED,
    FORMAT,
    GC,
    JSON,
    SKIP,
    TEXT,
    TYPE,
    Struct,
    collected,
    cut,
    goes_on,
    joined,
    read_run,
    references,
)

at_random = settings(derandomize=True, deadline=None, max_examples=200)
CLIENT = 300
ROOT = b"\x01\x01t"


def text(value: str) -> bytes:
    data = value.encode()
    return integer(len(data)) + data


def id_of(client: int, clock: int) -> bytes:
    return integer(client) + integer(clock)


def read(data: bytes, *, clock: int = 10, count: int = 1) -> list[Struct]:
    reader = Reader(data)
    run = read_run(reader, CLIENT, integer(CLIENT), clock, count)
    assert reader.is_at_end
    return run


def one(kind: int, content: bytes, *, clock: int = 10, head: bytes = ROOT) -> Struct:
    (struct,) = read(bytes([kind]) + head + content, clock=clock)
    return struct


#: Each kind of content, and its length.
CONTENTS = [
    (DELETED, integer(1000), 1000),
    (JSON, integer(3) + text("undefined") + text('{"a":[1]}') + text("null"), 3),
    (BINARY, b"\x03abc", 1),
    (TEXT, text("hello"), 5),
    (TEXT, text("é漢😀"), 4),
    (EMBED, text('{"image":"x.png"}'), 1),
    (FORMAT, text("bold") + text("true"), 1),
    (FORMAT, text("bold") + text("null"), 1),
    (FORMAT, text("link") + text('{"href":"é"}'), 1),
    *((TYPE, bytes([type]), 1) for type in (0, 1, 2, 4, 6)),
    *((TYPE, bytes([type]) + text("p"), 1) for type in (3, 5)),
    (ANY, integer(2) + b"\x7d\x07\x77" + text("é"), 2),
    (DOCUMENT, text("guid") + b"\x76\x00", 1),
]
heads = pytest.mark.parametrize(
    ("flags", "head", "needs"),
    [
        (0, ROOT, []),
        (0x20, ROOT + text("key"), []),
        (0, b"\x00" + id_of(7, 3), [(7, 3)]),
        (0, b"\x00" + id_of(CLIENT, 3), [(CLIENT, 3)]),
        (0x20, b"\x00" + id_of(7, 3) + text("key"), [(7, 3)]),
        (0x80, id_of(CLIENT, 9), [(CLIENT, 9)]),
        (0x40, id_of(7, 1000), [(7, 1000)]),
        (0xE0, id_of(7, 3) + id_of(CLIENT, 0), [(7, 3), (CLIENT, 0)]),
    ],
)


@pytest.mark.parametrize(("kind", "content", "length"), CONTENTS)
@heads
def test_an_item_is_written_as_it_was_read_and_no_part_of_it_is_one(
    kind, content, length, flags, head, needs
):
    written = bytes([flags | kind]) + head + content
    (struct,) = read(written)
    assert (struct.clock, struct.length, struct.end) == (10, length, 10 + length)
    assert struct.encode() == written
    assert references(struct) == needs
    for end in range(len(written)):
        with pytest.raises(MalformedError):
            read(written[:end])


def test_what_was_collected_has_a_length_alone():
    (struct,) = read(b"\x00\x05")
    assert (struct.kind, struct.length, struct.encode()) == (GC, 5, b"\x00\x05")
    assert references(struct) == []
    assert repr(struct) == "Struct(10, 5, kind=0, b'')"


def test_what_is_missing_is_passed_over():
    run = read(b"\x00\x05" + structs.skip(300) + b"\x00\x01", count=3)
    assert [(one.clock, one.end) for one in run] == [(10, 15), (315, 316)]
    assert {one.kind for one in run} == {GC}


@pytest.mark.parametrize("first", [0x80, 0x20, 0x40 | SKIP, 0x80 | SKIP])
def test_what_has_only_a_length_has_no_flags(first):
    with pytest.raises(MalformedError, match="begins with"):
        read(bytes([first, 1]))


@pytest.mark.parametrize("kind", range(11, 32))
def test_a_kind_that_yjs_does_not_know_is_refused(kind):
    with pytest.raises(MalformedError, match=f"kind {kind}"):
        read(bytes([kind]) + ROOT + b"\x01" * 9)


@pytest.mark.parametrize("data", [b"\x00\x00", b"\x0a\x00", b"\x04" + ROOT + b"\x00"])
def test_a_struct_has_a_length(data):
    with pytest.raises(MalformedError, match="has the length 0"):
        read(data)


@pytest.mark.parametrize("kind", [GC, SKIP, DELETED])
def test_clocks_end_where_numbers_do(kind):
    head = ROOT if kind == DELETED else b""
    data = bytes([kind]) + head + integer(MAX_SAFE_INTEGER - 10)
    read(data, clock=10)
    with pytest.raises(MalformedError, match="at clock 11"):
        read(data, clock=11)


@pytest.mark.parametrize("flag", [0x80, 0x40])
def test_a_struct_refers_to_none_of_its_own_client_that_comes_after_it(flag):
    for clock in (10, 11, 2**53 - 1):
        for data in (
            bytes([flag | TEXT]) + id_of(CLIENT, clock) + text("a"),
            bytes([flag | TEXT]) + b"\xac\x82\x00" + integer(clock) + text("a"),  # the same client
            b"\x04\x00" + id_of(CLIENT, clock) + text("a"),
        ):
            with pytest.raises(MalformedError, match="comes after"):
                read(data)
    # Whether there are these, only their client knows.
    read(bytes([flag | TEXT]) + id_of(CLIENT + 1, 2**53 - 1) + text("a"))


def test_a_parent_is_a_root_or_an_item():
    with pytest.raises(MalformedError, match="neither"):
        read(b"\x04\x02\x01t" + text("a"))


def test_texts_are_utf_8():
    for data in (
        b"\x04" + ROOT + b"\x02\xff\xff",
        b"\x04\x01\x01\xff" + text("a"),
        b"\x24" + ROOT + b"\x01\xff" + text("a"),
        b"\x06" + ROOT + b"\x01\xff" + text("1"),
        b"\x06" + ROOT + text("a") + b'\x03"\xff"',
        b"\x07" + ROOT + b"\x03\x01\xff",
    ):
        with pytest.raises(MalformedError, match="UTF-8"):
            read(data)


@pytest.mark.parametrize(
    "json",
    [
        "",
        "{",
        "undefined",
        "NaN",
        "-Infinity",
        "1e999",
        "[1,]",
        "'a'",
        "[" * 501 + "]" * 501,
        "1 2",
    ],
)
def test_embeds_and_formats_are_json(json):
    for data in (b"\x05" + ROOT + text(json), b"\x06" + ROOT + text("a") + text(json)):
        with pytest.raises(MalformedError, match="JSON"):
            read(data)
    if json != "undefined":
        with pytest.raises(MalformedError, match="JSON"):
            read(b"\x02" + ROOT + b"\x01" + text(json))


def test_json_that_would_need_more_memory_than_there_is_is_not_made(monkeypatch):
    monkeypatch.setattr(coding, "MAX_COST", 1000)
    read(b"\x05" + ROOT + text("[" + "1," * 900 + "1]"))
    for json in ("1," * 1000, "[]" * 1000, "{}" * 1000):
        with pytest.raises(MalformedError, match="read at once"):
            read(b"\x05" + ROOT + text(f"[{json}1]"))


def test_a_type_is_one_of_seven():
    with pytest.raises(MalformedError, match="no type 7"):
        read(b"\x07" + ROOT + b"\x07")


@pytest.mark.parametrize("options", [b"\x7f", b"\x7e"])
def test_a_document_has_options(options):
    with pytest.raises(MalformedError, match="options"):
        read(b"\x09" + ROOT + text("guid") + options)


@at_random
@given(st.text(st.characters(codec="utf-8")))
def test_a_text_is_as_long_as_for_javascript(value):
    assert structs.utf16_length(value.encode()) == len(value.encode("utf-16-le")) // 2


# --- cutting ----------------------------------------------------------------------------


@at_random
@given(st.text(st.sampled_from("ab é漢😀🏳"), min_size=2), st.data())
def test_a_text_is_cut_as_javascript_cuts_it(value, data):
    struct = one(TEXT, text(value))
    clocks = sorted(data.draw(st.sets(st.integers(11, struct.end - 1), max_size=4)))
    parts = cut(struct, CLIENT, clocks)
    units = value.encode("utf-16-le")
    assert len(parts) == len(clocks) + 1
    for part, (start, end) in zip(parts, pairwise([10, *clocks, struct.end]), strict=True):
        wanted = units[2 * (start - 10) : 2 * (end - 10)].decode("utf-16-le", "replace")
        assert (part.clock, part.end, part.content.decode()) == (start, end, wanted)
        assert structs.utf16_length(part.content) == part.length
        (again,) = read(part.encode(), clock=part.clock)
        assert again.encode() == part.encode()


def test_half_of_a_pair_of_surrogates_is_a_replacement():
    left, right = cut(one(TEXT, text("a😀b")), CLIENT, [12])
    assert (left.content.decode(), right.content.decode()) == ("a\ufffd", "\ufffdb")


@heads
def test_what_follows_a_cut_refers_to_what_is_before_it(flags, head, needs):
    (struct,) = read(bytes([flags | TEXT]) + head + text("hello"))
    first, second, third = cut(struct, CLIENT, [12, 13])
    assert first.head == struct.head
    right = id_of(*needs[-1]) if flags & 0x40 else b""
    for part in (second, third):
        assert part.head == bytes([flags | 0x80 | TEXT]) + id_of(CLIENT, part.clock - 1) + right


@pytest.mark.parametrize("kind", [ANY, JSON])
def test_lists_are_cut_between_their_values(kind):
    values = [b"\x7e", b"\x77" + text("a"), b"\x75\x01\x7d\x05"]
    if kind == JSON:
        values = [text("undefined"), text("[1,2]"), text('"a"')]
    struct = one(kind, b"\x03" + b"".join(values))
    assert [part.content for part in cut(struct, CLIENT, [11, 12])] == values
    assert [part.content for part in cut(struct, CLIENT, [12])] == [
        values[0] + values[1],
        values[2],
    ]


def test_what_is_empty_is_cut():
    assert [part.encode() for part in cut(read(b"\x00\x05")[0], CLIENT, [12])] == [
        b"\x00\x02",
        b"\x00\x03",
    ]
    left, right = cut(one(DELETED, b"\x05"), CLIENT, [12])
    assert left.encode() == b"\x01" + ROOT + b"\x02"
    assert right.encode() == b"\x81" + id_of(CLIENT, 11) + b"\x03"


# --- joining and collecting -------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "clock"),
    [
        (TEXT, text("hello"), 12),
        (ANY, b"\x02\x7e\x7f", 11),
        (JSON, b"\x02" + text("1") + text("2"), 11),
        (DELETED, b"\x09", 12),
    ],
)
@heads
def test_what_was_cut_is_joined_to_what_it_was(kind, content, clock, flags, head, needs):
    (struct,) = read(bytes([flags | kind]) + head + content)
    left, right = cut(struct, CLIENT, [clock])
    assert goes_on(left, right, CLIENT)
    assert not goes_on(left, right, CLIENT + 1)
    assert joined([left, right]).encode() == struct.encode()
    assert joined([left]) is left


def test_what_was_collected_is_always_joined():
    first, second = cut(read(b"\x00\x05")[0], CLIENT, [12])
    assert goes_on(first, second, CLIENT)
    assert joined([first, second]).encode() == b"\x00\x05"


def test_what_was_not_inserted_behind_is_not_joined():
    left = one(TEXT, text("ab"))
    origin = b"\x84" + id_of(CLIENT, 11)
    assert goes_on(left, read(origin + text("c"), clock=12)[0], CLIENT)
    for other in (
        b"\x04" + ROOT + text("c"),  # at another place
        b"\x84" + id_of(CLIENT, 10) + text("c"),
        b"\x84" + id_of(CLIENT + 1, 11) + text("c"),
        b"\xc4" + id_of(CLIENT, 11) + id_of(7, 0) + text("c"),
        b"\x44" + id_of(CLIENT, 11) + text("c"),
        b"\x88" + id_of(CLIENT, 11) + b"\x01\x7e",  # of another kind
        b"\x00\x01",
    ):
        assert not goes_on(left, read(other, clock=12)[0], CLIENT), other
    embed = one(EMBED, text("1"))
    assert not goes_on(embed, read(b"\x85" + id_of(CLIENT, 10) + text("1"), clock=11)[0], CLIENT)


@heads
def test_what_is_deleted_keeps_its_place_and_not_what_it_said(flags, head, needs):
    (struct,) = read(bytes([flags | TEXT]) + head + text("é漢😀"))
    empty = collected(struct)
    assert (empty.clock, empty.length, empty.kind) == (10, 4, DELETED)
    assert empty.encode() == bytes([flags | DELETED]) + head + b"\x04"
