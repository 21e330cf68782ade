import json
import re
import tracemalloc
from dataclasses import dataclass
from math import inf, isinf, nan
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from partyserver.rules.messages import (
    MAX_JSON_DEPTH,
    ascii_json,
    bounded_json,
    check_depth,
    check_json,
    check_levels,
    compact_json,
    encoder,
    parse_json,
    parse_own_json,
    plain_json,
    stored_json,
    well_formed,
)

any_text = st.text(st.characters() | st.sampled_from("\ud800\ud83d\ude00\udfff"))


@pytest.mark.parametrize("text", ["", "hi", "\0", "Usuário", "€😀", "\ufffd", "\uffff\U0010ffff"])
def test_text_that_is_utf_8_is_sent_as_it_is(text):
    assert well_formed(text) is text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("\ud83d", "\ufffd"),
        ("a\ud83db", "a\ufffdb"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
        ("\ud83d\ud83d\ude00", "\ufffd😀"),
        ("\ud83d\ude00", "😀"),
        ("😀\udfff", "😀\ufffd"),
    ],
)
def test_half_a_surrogate_pair_is_sent_as_browsers_send_it(text, sent):
    assert well_formed(text) == sent


@given(any_text)
def test_any_text_becomes_utf_8_and_changes_nowhere_else(text):
    joined = re.sub(
        "([\ud800-\udbff])([\udc00-\udfff])",
        lambda pair: chr(0x10000 + (ord(pair[1]) - 0xD800) * 0x400 + ord(pair[2]) - 0xDC00),
        text,
    )
    assert well_formed(text) == re.sub("[\ud800-\udfff]", "\ufffd", joined)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"n": 1, "l": [1, None, True]}, '{"n":1,"l":[1,null,true]}'),
        ("Usuário €😀", '"Usuário €😀"'),
        ("€\ud83d", '"\\u20ac\\ud83d"'),
        ({"\udfff": "é"}, '{"\\udfff":"\\u00e9"}'),
    ],
)
def test_json_is_compact_and_escapes_only_where_it_must(value, text):
    assert compact_json(value) == text


@given(any_text.filter(lambda text: not re.search("[\ud800-\udbff][\udc00-\udfff]", text)))
def test_any_json_arrives_as_it_was_sent(text):
    for sent in (compact_json([text]), ascii_json([text])):
        assert json.loads(sent.encode()) == [text]


@given(any_text)
def test_json_in_ascii_is_compact_and_has_nothing_else(text):
    sent = ascii_json([1, text])
    assert sent.isascii()
    assert sent.startswith('[1,"')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('[]{}"\\a'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text('[]{}"\\a'), inner),
)


@given(json_values)
def test_what_json_loads_reads_is_read_the_same(value):
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


def nested(depth, opening="[", closing="]"):
    return opening * depth + closing * depth


@pytest.mark.parametrize("depth", [1, MAX_JSON_DEPTH])
def test_json_may_be_nested_up_to_a_limit(depth):
    assert repr(parse_json(nested(depth))) == nested(depth)


@pytest.mark.parametrize(
    "text",
    [
        nested(MAX_JSON_DEPTH + 1),
        nested(MAX_JSON_DEPTH + 1, '{"a":', "}"),
        nested(MAX_JSON_DEPTH, '[{"a":', "}]"),
        "[" * 100_000,
        "{" * 100_000,
        '{"a":' * 100_000,
        f"[{nested(MAX_JSON_DEPTH)}]".encode(),
    ],
    ids=["list", "dict", "both", "open lists", "open dicts", "open keys", "bytes"],
)
def test_json_nested_deeper_is_a_value_error(text):
    with pytest.raises(ValueError, match=f"nested more than {MAX_JSON_DEPTH} levels deep"):
        parse_json(text)


@pytest.mark.parametrize(
    "value",
    ["[" * 1000, ['"' + "{" * 1000], [[]] * 1000, [{}] * 1000, {"[" * 1000: "\\"}],
    ids=["in a string", "after a quote", "lists side by side", "dicts side by side", "in a key"],
)
def test_brackets_that_do_not_nest_do_not_count(value):
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        *["", "{", "]", '"', '"\\', "[" * 400, "]" * 1000, b"\xff", "1" * 10_000, "nul"],
        "[" + "{}," * MAX_JSON_DEPTH,
    ],
    ids=lambda text: repr(text[:5]),
)
def test_anything_else_that_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 -- which one is json's affair
        parse_json(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a":-Infinity}'])
def test_what_only_python_takes_for_json_is_a_value_error(text):
    with pytest.raises(ValueError, match="is not JSON"):
        parse_json(text)


@pytest.mark.parametrize(
    "number",
    [
        *["1e999", "-1e999", "1E+309", "0.1e400", "1" * 215 + "e99", "1" * 310 + ".0", "9e0000308"],
        *["2" + "0" * 308, "-2" + "0" * 308, "1" * 310, "1" * 5000],
    ],
)
@pytest.mark.parametrize("check", [parse_json, check_json])
def test_a_number_that_is_no_number_any_more_is_a_value_error(check, number):
    assert isinf(float(number))
    with pytest.raises(ValueError, match="larger than numbers get"):
        check(f'{{"x": [{number}]}}')


@pytest.mark.parametrize(
    "text", ["", "[1", '["1e999"]', f'"{"1" * 400}"', "[1e300] x", "1e300", nested(MAX_JSON_DEPTH)]
)
def test_what_is_no_json_or_harmless_passes_for_other_decoders(text):
    check_json(text)


def test_for_other_decoders_the_depth_is_limited_too():
    with pytest.raises(ValueError, match="levels deep"):
        check_json(nested(MAX_JSON_DEPTH + 1))


@pytest.mark.parametrize(
    "number",
    [
        *["1e308", "1e-999", "1.5e+30", "0e999", "1" * 300, "0." + "1" * 300, "1e0000000001"],
        *["1" * 309, "-1" + "0" * 308],
    ],
)
def test_any_other_number_is_read_as_json_does(number):
    assert parse_json(number) == json.loads(number)


WRITERS = pytest.mark.parametrize("write", [compact_json, ascii_json])


@WRITERS
@pytest.mark.parametrize(
    ("value", "where"),
    [
        (inf, "inf is not JSON compliant: it is at $"),
        ([1, nan], r"nan is not JSON compliant: it is at $[1]"),
        ({"a": [{"b": -inf}]}, "-inf is not JSON compliant: it is at $.a[0].b"),
        ({"a": {nan: 1}}, "nan is not JSON compliant: it is at a key of $.a"),
        ({"a": (1, (inf,))}, "inf is not JSON compliant: it is at $.a[1][0]"),
        ([{"a": [1]}, nan], r"nan is not JSON compliant: it is at $[1]"),
    ],
)
def test_a_number_that_json_has_not_is_a_value_error_that_names_its_path(write, value, where):
    with pytest.raises(ValueError, match="JSON compliant") as refused:
        write(value)
    assert str(refused.value) == where


@WRITERS
def test_a_number_that_is_too_long_for_python_stays_its_own_error(write):
    with pytest.raises(ValueError, match="4300 digits"):
        write([10**5000])


@WRITERS
@pytest.mark.parametrize("through", ["a list", "a dict"])
def test_a_value_that_holds_itself_is_a_value_error(write, through):
    value = []
    value.append(value if through == "a list" else {"a": value})
    with pytest.raises(ValueError, match="Circular"):
        write(value)


STRINGS = [
    "",
    "x",
    "[[[[",
    "]]]]",
    '"',
    "\\",
    '\\"',
    '{"',
    "é€😀",
    "\n",
    "\\\\",
    '"]}\\',
    "a" * 999,
]


def generated(random, depth):
    kind = random.random()
    if depth == 0 or kind < 0.3:
        return random.choice([*STRINGS, 1, 1.5, None, True])
    if kind < 0.65:
        return [generated(random, depth - 1) for _ in range(random.randint(0, 4))]
    return {
        f"{random.choice(STRINGS)}{n}": generated(random, depth - 1)
        for n in range(random.randint(0, 4))
    }


def wrapped(random, value, levels):
    for _ in range(levels):
        if random.random() < 0.5:
            value = {random.choice(STRINGS): value}
        else:
            value = [random.choice(STRINGS)] * random.choice([0, 0, 0, 20]) + [value]
    return value


def depth_of(value):
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, dict | list):
            deepest = max(deepest, depth)
            items = one.values() if isinstance(one, dict) else one
            waiting += [(item, depth + 1) for item in items]
    return deepest


@pytest.mark.parametrize("seed", range(60))
def test_the_depth_of_any_json_is_measured(seed):
    random = Random(seed)
    value = wrapped(random, generated(random, 5), random.choice([3, 480, 490, 499, 500, 501, 700]))
    if random.random() < 0.5:
        value = [*(generated(random, 4) for _ in range(random.randint(0, 60))), value]
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    too_deep = depth_of(value) > MAX_JSON_DEPTH
    for before, after in [("", ""), ("  ", "\n"), ("[1]" * 2000, "[" * 600), ("", '"[[[')]:
        if too_deep:
            with pytest.raises(ValueError, match="levels deep"):
                check_depth(before + text + after, len(before))
        else:
            check_depth(before + text + after, len(before))


@pytest.mark.parametrize("before", ["", "  [1] "])
def test_the_depth_of_one_value_only_is_measured(before):
    text = before + "[]" + nested(MAX_JSON_DEPTH + 1)
    check_depth(text, len(before))
    with pytest.raises(ValueError, match="levels deep"):
        check_depth(text, len(before) + 2)


def test_a_long_string_behind_many_brackets_costs_no_memory():
    text = "[" * 501 + '"' + "x" * 1_000_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="levels deep"):
        parse_json(text)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * len(text)


@pytest.mark.parametrize("value", [None, 1, "a", [], {}, [1, (2, {"a": None})], {"a": {"b": {}}}])
def test_what_is_kept_as_json_is_compact_json(value):
    assert bounded_json(value, "a value", 3) == compact_json(value)


def held_by(inner, levels):
    for level in range(levels):
        inner = ([inner], (inner,), {"a": inner})[level % 3]
    return inner


@pytest.mark.parametrize("levels", [501, 5_000, 100_000])
def test_what_is_kept_as_json_is_nested_up_to_a_limit(levels):
    """Measured before it is encoded: in the runtime, the encoder would end the process."""
    parse_json(bounded_json(held_by(1, 500), "a value"))
    with pytest.raises(ValueError, match="a value is nested at most 500 levels deep"):
        bounded_json(held_by(1, levels), "a value")


def test_what_is_kept_as_json_does_not_hold_itself():
    value = [[]]
    value[0] += [value, value]
    with pytest.raises(ValueError, match=r"a value is nested .*, and does not hold itself"):
        bounded_json(value, "a value")


def test_values_that_are_held_twice_on_each_level_are_looked_at_once():
    value = held_by([], 12)
    for _ in range(10):
        value = [value, value]
    assert bounded_json(value, "a value") == compact_json(value)


def test_values_that_are_held_twice_on_too_many_levels_are_refused_at_once():
    value = []
    for _ in range(1000):
        value = [value, {"a": value}, value]
    with pytest.raises(ValueError, match="a value is nested at most 500 levels deep"):
        bounded_json(value, "a value")


@pytest.mark.parametrize("make", [{}, {"make": None}], ids=["in C", "in Python"])
@pytest.mark.parametrize("ensure_ascii", [False, True])
@given(value=json_values | st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_json_is_what_python_encodes(make, ensure_ascii, value):
    encode = encoder(ensure_ascii=ensure_ascii, **make)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=ensure_ascii)
    assert encode(value) == text
    assert parse_own_json(text) == value
    assert plain_json(value) == ascii_json(value)
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode([float("nan"), value])
    with pytest.raises(TypeError, match="bytes is not JSON serializable"):
        encode([value, b""])


@pytest.mark.parametrize("encode", [compact_json, ascii_json])
def test_what_is_sent_as_json_has_the_same_limit(encode):
    parse_json(encode(held_by(1, 500)))
    for levels in (501, 100_000):
        with pytest.raises(ValueError, match="a value for JSON is nested at most 500 levels deep"):
            encode(held_by(1, levels))


class Struct:
    """As those of msgspec say what they hold."""

    __struct_fields__ = ("held", "unset")

    def __init__(self, held):
        self.held = held


@dataclass(slots=True)
class Slotted:
    held: object


@pytest.mark.parametrize("kind", [Struct, Slotted, lambda held: frozenset([held])])
def test_objects_that_hold_others_are_levels(kind):
    value = kind(1)
    for _ in range(99):
        value = kind(value)
    check_levels(value, "it", 100)
    with pytest.raises(ValueError, match="it is nested at most 100 levels deep"):
        check_levels([value], "it", 100)


def test_others_hold_nothing():
    check_levels([[object()]], "it", 2)


@pytest.mark.parametrize("value", [b"", {1}, {"a": object()}, {(1, 2): 3}])
def test_what_json_has_not_is_not_kept_as_json(value):
    with pytest.raises(TypeError, match="a value is a value that JSON has: "):
        bounded_json(value, "a value")


def stored(value, limit=100, **options):
    return stored_json(value, "a thing", limit=limit, instead=": have less of it", **options)


@pytest.mark.parametrize("value", [{"a": [1, {"b": "é"}]}, [], "x" * 98, "é" * 49, 0, None])
def test_what_is_stored_can_be_read_as_it_is(value):
    assert parse_json(stored(value)) == value


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ({"a": ({1: 2},)}, TypeError, "^a thing's dicts have str keys only, not 1$"),
        ({None: 2}, TypeError, "^a thing's dicts have str keys only, not None$"),
        (int("9" * 400), ValueError, "larger than numbers get"),
        ("é" * 50, ValueError, "^a thing has at most 100 bytes as JSON, not 102: have less of it$"),
        ({1}, TypeError, "^a thing is a value that JSON has"),
    ],
)
def test_what_would_be_another_or_is_too_large_is_not_stored(value, error, text):
    with pytest.raises(error, match=text):
        stored(value)


def test_of_what_was_json_keys_are_not_asked_for():
    assert stored({1: 2}, was_json=True) == '{"1":2}'
    with pytest.raises(ValueError, match="at most 3 bytes"):
        stored({1: 2}, limit=3, was_json=True)
