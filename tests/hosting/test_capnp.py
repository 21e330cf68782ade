"""Literals of Cap'n Proto's text, as workerd reads them back."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from partyserver.hosting import capnp
from partyserver.hosting.workerd import text_of

from .translating import compiled

TEXTS = [
    "",
    '"',
    "'",
    "\\",
    "\\x41",
    "\\u0041",
    "\\\\n",
    "\n",
    "\r\n",
    "\t",
    "\x00",
    "a\x00b",
    "".join(map(chr, range(0x20))),
    "\x7f",
    "\x80\x85\x9f",
    "é",
    "\u2028\u2029",
    "\ufeff",
    "\ufffe\uffff",
    "\U0010ffff",
    "👋🏽",
    "# no comment",
    '", esModule = "x',
    "`$(x)`",
    "x" * 100_000,
    "a1" * 3 + "\x01" + "f",  # what follows a byte in hexadecimal
]
DATAS = [
    b"",
    b"\x00",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xc3",
    b'"\xff',
    bytes(range(256)),
    b"\\x41",
    "é".encode(),
    bytes(range(256)) * 400,
]


def read_back(folder, texts, datas):
    """The same texts and data, through one config that workerd compiles."""
    bindings = [
        *({"name": "text", "text": one} for one in texts),
        *({"name": "data", "data": one} for one in datas),
    ]
    worker = {
        "modules": [{"name": "main.js", "esModule": ""}],
        "compatibilityDate": "2026-11-17",
        "bindings": bindings,
    }
    path = folder / "config.capnp"
    path.write_bytes(text_of({"services": [{"name": "main", "worker": worker}]}).encode())
    [service] = compiled(path)["services"]
    found = service["worker"]["bindings"]
    return [one["text"] for one in found if "text" in one], [
        one["data"] for one in found if "data" in one
    ]


def test_texts_and_data_come_back_as_they_are(tmp_path):
    assert read_back(tmp_path, TEXTS, DATAS) == (TEXTS, DATAS)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8")), max_size=50),
    datas=st.lists(st.binary(), max_size=50),
)
def test_so_do_others(tmp_path, texts, datas):
    assert read_back(tmp_path, texts, datas) == (texts, datas)


def test_structures():
    value = {"a": True, "b": [1, "x", {}], "left out": None, "c": [False], "d": ("y",)}
    assert capnp.literal(value).replace("\n", "") == (
        '(a = true,b = [1,"x",()],c = [false],d = ["y"])'
    )


def test_what_has_no_literal_is_told():
    with pytest.raises(TypeError, match=r"1.5 has no literal"):
        capnp.literal({"a": [1.5]})
    with pytest.raises(UnicodeEncodeError):
        capnp.text("\ud800")
