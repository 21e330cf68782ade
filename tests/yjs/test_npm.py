"""The store beside npm's yjs: what it encodes leads each client to the document that Yjs makes.

The seeds are fixed, so each run has the same logs. Others, and more of them:

    YJS_SEED=1000 YJS_LOGS=500 make test ARGS=tests/yjs/test_npm.py

The seed stands in the name of a test that fails.
"""

import os
import random
import re

import pytest
from partyserver.yjs.coding import MalformedError
from partyserver.yjs.coverage import Coverage
from partyserver.yjs.store import Store, merge
from partyserver.yjs.updates import decode

from . import npm as npm_yjs

SEED = int(os.environ.get("YJS_SEED", "0"))
LOGS = int(os.environ.get("YJS_LOGS", "12"))
seeds = pytest.mark.parametrize("seed", range(SEED, SEED + LOGS))


@pytest.fixture(scope="module")
def npm():
    with npm_yjs.running() as npm:
        yield npm


def store(*all_updates: bytes) -> Store:
    result = Store()
    for update in all_updates:
        result.add(update)
    return result


def without_emoji(content: str) -> str:
    """With a sign for each half of an emoji, as clients of Yjs differ where one was cut.

    Some have it whole, some have its halves, and some have U+FFFD in the place of each.
    """
    content = re.sub("[\U00010000-\U0010ffff]", "??", content)
    return re.sub(r"\\ud[89a-f][0-9a-f]{2}|\ufffd", "?", content)


@seeds
def test_all_that_it_tells_leads_to_the_document_of_yjs(npm, seed):
    chance = random.Random(seed)
    has_emoji = seed % 3 == 0
    log, moments = npm.log(
        seed, steps=chance.choice([20, 60, 120]), emoji=has_emoji, typing=seed % 5 == 0
    )
    wanted = npm.merged(log)
    cases: dict[str, list[bytes]] = {}

    shuffled = [*log, *chance.choices(log, k=5 * bool(log))]
    chance.shuffle(shuffled)
    mine = Store()
    new = [update for update in shuffled if mine.add(update)]
    # Twice, as Yjs may wait for nothing when it gets them one by one; the second time it looks.
    cases["only what was new is sent on"] = [*new, *new]
    assert not mine.add(wanted["update"])
    assert mine.vector() == wanted["vector"]
    cases["all"] = [mine.encode()]
    assert merge(cases["all"]) == mine.encode()

    middle = chance.randrange(len(log) + 1)
    half = store(*log[:middle])
    early, vector = half.encode(), half.vector()
    cases["half, then what is missing"] = [early, mine.encode(vector)]
    half.compact(collect=chance.random() < 0.5)
    assert half.vector() == vector
    for update in log[middle:]:
        half.add(update)
    cases["half, compacted, then the rest"] = [half.encode()]

    for collect in (None, False, True):
        if collect is not None:
            mine.compact(collect=collect)
        name = {None: "as it came", False: "joined", True: "collected"}[collect]
        assert mine.vector() == wanted["vector"]
        cases[f"{name}"] = [mine.encode()]
        cases[f"{name}, and the log"] = [mine.encode(), *shuffled, *shuffled]
        for number, (known, update) in enumerate(moments):
            cases[f"{name}, to somebody at moment {number}"] = [update, mine.encode(known)]
        for limit in (1, 300, 5000):
            cases[f"{name}, in pieces of {limit}"] = list(mine.pieces(limit))

    for gc in (True, False):
        found = dict(zip(cases, npm.contents(cases.values(), gc=gc), strict=True))
        shown = without_emoji if has_emoji else str
        assert {name for name in found if shown(found[name]) != shown(wanted["content"])} == set()

    pieces = list(mine.pieces(1))
    parts = [pieces[: chance.randrange(len(pieces) + 1)] for _ in range(5)]
    assert not [content for content in npm.contents(parts) if '"pending"' in content]


@seeds
def test_what_is_kept_of_it_tells_what_is_new(npm, seed):
    log, _ = npm.log(seed, steps=40)
    known = Coverage()
    mine = Store()
    for update in random.Random(seed).sample(log, len(log)):
        assert known.add(decode(update)) == mine.add(update)
        known = Coverage.decode(known.encode())
        assert known.vector() == mine.vector()


def test_a_compacted_document_is_not_much_larger_than_yjs_would_write_it(npm):
    ours = theirs = 0
    for seed in range(SEED, SEED + 10):
        log, _ = npm.log(seed, steps=300, typing=True)
        mine = store(*log)
        mine.compact()
        ours += len(mine.encode())
        theirs += npm.size(log)
    assert ours < 1.2 * theirs


# --- what is none -----------------------------------------------------------------------


def changed(chance: random.Random, update: bytes) -> bytes:
    data = bytearray(update)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        at = chance.randrange(len(data)) if data else 0
        match chance.randrange(6) if data else 0:
            case 0:
                data[at:at] = chance.randbytes(chance.randrange(1, 3))
            case 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                data[at] = chance.randrange(256)
            case 3:
                data[at] = chance.choice([0, 1, 2, 127, 128, 255])
            case 4:
                del data[at : at + chance.randrange(1, 4)]
            case 5:
                other = chance.randrange(len(data))
                data[at:at] = data[other : other + chance.randrange(1, 12)]
    return bytes(data)


@seeds
def test_what_is_changed_at_random_is_refused_or_read_by_clients_as_by_us(npm, seed):
    chance = random.Random(seed)
    log, _ = npm.log(seed, steps=chance.choice([5, 20, 40]), emoji=seed % 3 == 0)
    whole = npm.merged(log)["update"]
    accepted, ours = [], []
    for _ in range(150):
        update = changed(chance, chance.choice([*log, whole, whole]))
        mine = Store()
        try:
            mine.add(update)
        except MalformedError:
            assert mine.encode() == b"\0\0"
        else:
            accepted.append(update)
            ours.append(mine.encode())
    assert accepted
    for update, theirs, told in zip(
        accepted, npm.applied(accepted), npm.applied(ours), strict=True
    ):
        assert "failure" not in theirs, update.hex()
        assert without_emoji(told["content"]) == without_emoji(theirs["content"]), update.hex()


@seeds
def test_no_part_of_an_update_is_one(npm, seed):
    log, _ = npm.log(seed, steps=10)
    whole = store(*log).encode()
    mine = store(*log)
    for end in range(len(whole)):
        with pytest.raises(MalformedError):
            mine.add(whole[:end])
    assert mine.encode() == whole
