"""Numbers and values as lib0 writes them, and what is none."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partyserver.yjs import coding
from partyserver.yjs.coding import MAX_SAFE_INTEGER, MalformedError, Reader, integer

at_random = settings(derandomize=True, deadline=None, max_examples=200)
numbers = st.integers(0, MAX_SAFE_INTEGER) | st.sampled_from([0, 127, 128, 2**32, 2**53 - 1])


@at_random
@given(numbers)
def test_a_number_is_read_as_it_was_written_and_no_part_of_it_is(number):
    written = integer(number)
    reader = Reader(written + b"\x05")
    assert reader.integer() == number
    assert reader.integer() == 5
    assert reader.is_at_end
    for length in range(len(written)):
        with pytest.raises(MalformedError, match="early"):
            Reader(written[:length]).integer()


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2**53 - 1, "ffffffffffffff0f")],
)
def test_the_bytes_of_a_number(number, written):
    assert integer(number) == bytes.fromhex(written)


def test_a_number_with_more_bytes_than_it_needs_is_read_up_to_eight():
    assert Reader(bytes.fromhex("8580808080808000")).integer() == 5


@pytest.mark.parametrize(
    "written",
    ["8080808080808010", "ffffffffffffff7f", "ff" * 8, "ff" * 9 + "01", "808080808080808000"],
)
def test_a_number_over_the_largest_is_none(written):
    reader = Reader(bytes.fromhex(written))
    with pytest.raises(MalformedError, match="over"):
        reader.integer()
    assert reader.position == 0


def test_a_byte_is_one():
    reader = Reader(b"\xff")
    assert reader.byte() == 255
    with pytest.raises(MalformedError, match="early"):
        reader.byte()


def test_bytes_have_their_length_before_them():
    reader = Reader(b"\x03abcd")
    assert reader.bytes() == b"abc"
    assert not reader.is_at_end


@pytest.mark.parametrize("length", [2, 2**31, 2**53 - 1])
def test_a_length_that_lies_is_refused(length):
    for read in (Reader.bytes, Reader.text):
        with pytest.raises(MalformedError, match="early"):
            read(Reader(integer(length) + b"a"))


def test_a_text_is_utf_8():
    assert Reader("\x03a😀".encode()[:1] + b"abc").text() == b"abc"
    assert Reader(b"\x05" + "a😀".encode()).text().decode() == "a😀"
    for wrong in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf0\x9f\x98"):
        with pytest.raises(MalformedError, match="UTF-8"):
            Reader(integer(len(wrong)) + wrong).text()


# --- values -----------------------------------------------------------------------------


def text(value: str) -> bytes:
    data = value.encode()
    return integer(len(data)) + data


def sized(value: bytes) -> bytes:
    return integer(len(value)) + value


SIMPLE = [
    *(bytes([tag]) for tag in (127, 126, 121, 120)),
    b"\x7d\x07",
    b"\x7d\x47",  # -7
    b"\x7d\xbf\xff\xff\xff\x0f",  # 2**31 - 1
    b"\x7c" + struct.pack(">f", 0.5),
    b"\x7b" + struct.pack(">d", 0.1),
    b"\x7a" + struct.pack(">q", -(2**62)),
    b"\x77" + text("é😀"),
    b"\x74" + sized(b"\xff\x00"),
]
values = st.recursive(
    st.sampled_from(SIMPLE),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda all: b"\x75" + integer(len(all)) + b"".join(all))
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=3), inner, max_size=4).map(
            lambda d: b"\x76" + integer(len(d)) + b"".join(text(k) + v for k, v in d.items())
        )
    ),
    max_leaves=12,
)


@at_random
@given(values)
def test_a_value_ends_where_it_ends_and_no_part_of_it_is_one(value):
    reader = Reader(value + b"\x00")
    reader.skip_value()
    assert reader.position == len(value)
    for length in range(len(value)):
        with pytest.raises(MalformedError, match=r"early|UTF-8"):
            Reader(value[:length]).skip_value()


@pytest.mark.parametrize("tag", [0, 1, 115, 128, 255])
def test_a_tag_that_lib0_does_not_know_is_refused(tag):
    with pytest.raises(MalformedError, match=f"tag {tag}"):
        Reader(bytes([tag]) + bytes(20)).skip_value()


def test_an_integer_that_lib0_would_not_write_so_is_refused():
    with pytest.raises(MalformedError, match="31 bits"):
        Reader(b"\x7d" + b"\x80" * 30 + b"\x00").skip_value()


@pytest.mark.parametrize("level", [b"\x75\x01", b"\x76\x01\x00"], ids=["list", "object"])
def test_values_are_500_deep_and_no_more(level):
    Reader(level * 499 + b"\x7e").skip_value()
    with pytest.raises(MalformedError, match="500 deep"):
        Reader(level * 500 + b"\x7e").skip_value()
    with pytest.raises(MalformedError, match="500 deep"):
        Reader(level * 1_000_000).skip_value()


def test_a_count_that_lies_is_refused_at_once():
    with pytest.raises(MalformedError, match="read at once"):
        Reader(b"\x75" + integer(2**53 - 1) + b"\x7e" * 100).skip_value()


def test_all_that_is_read_has_its_cost(monkeypatch):
    monkeypatch.setattr(coding, "MAX_COST", 10)
    Reader(b"\x75\x0a" + b"\x7e" * 10).skip_value()
    with pytest.raises(MalformedError, match="read at once"):
        Reader(b"\x75\x02\x75\x04" + b"\x7e" * 4 + b"\x75\x05" + b"\x7e" * 5).skip_value()
    assert Reader(b"\x02").count(5) == 2
    with pytest.raises(MalformedError, match="read at once"):
        Reader(b"\x03").count(5)
