"""The pages on running a worker: their configs are wrangler's, their sums are right."""

from __future__ import annotations

import itertools
import json
import logging
import re
import subprocess
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from partyserver.hosting.migrations import replay
from partyserver.rules.logs import as_text

from .messages import texts

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "pages"
DEPLOYMENT = (PAGES / "deployment.md").read_text()
OBSERVABILITY = (PAGES / "observability.md").read_text()
HOW = (PAGES / "how-it-works.md").read_text()

BLOCK = re.compile(
    r"^<!-- wrangler\.toml(?:: (\w+))? -->\n```toml\n(.*?)^```", re.MULTILINE | re.DOTALL
)
CLASSES = {name: tomllib.loads(text) for name, text in BLOCK.findall(DEPLOYMENT) if name}
#: Those that stand for themselves.
OTHERS = [
    tomllib.loads(t)
    for page in (DEPLOYMENT, OBSERVABILITY)
    for n, t in BLOCK.findall(page)
    if not n
]

WORKER = """
from workers import DurableObject, Response, WorkerEntrypoint

class Channel(DurableObject): ...
class Chat(DurableObject): ...
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("ok")
"""


def test_the_migrations_of_the_page_leave_the_classes_that_it_says():
    left = {name: replay(config["migrations"]) for name, config in CLASSES.items()}
    assert all(not one.problems for one in left.values())
    classes = {name: {c: key for c, (key, _) in one.live.items()} for name, one in left.items()}
    assert classes == {
        "new": {"Chat": "Chat", "Lobby": "Lobby"},
        "renamed": {"Channel": "Chat", "Lobby": "Lobby"},  # it has the rooms of Chat
        "deleted": {"Channel": "Chat"},
    }
    assert all(sqlite for one in left.values() for _, sqlite in one.live.values())


def test_what_was_deployed_stays_in_the_list():
    lists = [CLASSES[name]["migrations"] for name in ("new", "renamed", "deleted")]
    for before, after in itertools.pairwise(lists):
        assert after[: len(before)] == before
        assert len(after) == len(before) + 1


def test_each_binding_has_a_class():
    for name, config in CLASSES.items():
        bound = {one["class_name"] for one in config["durable_objects"]["bindings"]}
        assert bound == {*replay(config["migrations"]).live}, name


def test_wrangler_takes_the_configs(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "worker.py").write_text(WORKER)
    config = {
        "name": "my-app",
        "main": "src/worker.py",
        "compatibility_date": "2026-11-17",
        "compatibility_flags": ["python_workers"],
        **CLASSES["deleted"],
    }
    for one in OTHERS:
        config |= one
    assert {"env", "limits", "observability", "routes", "secrets", "vars"} <= config.keys()
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    # Of both, the environment and what it is taken from.
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "wrangler", "deploy", "--dry-run", "-e", "staging"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert "Unexpected fields" not in told, told
    assert "env.Chat (" in told, told


# --- costs -----------------------------------------------------------------------------


def price(row):
    """How much a month includes, and dollars for each million more."""
    found = re.search(
        rf"^\| {re.escape(row)} \| ([\d,]+) \| \$([\d.]+) \|$", DEPLOYMENT, re.MULTILINE
    )
    assert found, row
    return int(found[1].replace(",", "")), float(found[2])


def cost(row, amount):
    included, of_a_million = price(row)
    return max(0.0, amount - included) / 1_000_000 * of_a_million


PEOPLE, ROOMS, DAYS, DAY = 100, 50, 30, 86_400
GB = 0.128
MESSAGES = PEOPLE * 60 * 8 * DAYS
CONNECTIONS = PEOPLE * 10 * DAYS
REQUESTS = MESSAGES // 20 + CONNECTIONS
DURATION = "duration of rooms, in GB-s"
PLAN = float(re.search(r"^\| the plan itself: \$([\d.]+) \|", DEPLOYMENT, re.MULTILINE)[1])


def test_the_worked_example_is_computed_from_the_prices_of_the_page():
    asleep, awake = MESSAGES * 1 * GB, ROOMS * DAYS * DAY * GB
    rest = (
        cost("requests to the worker", CONNECTIONS)
        + cost("requests to rooms", REQUESTS)
        + cost("rows written", MESSAGES * 2)
    )
    for row in (
        f"= {MESSAGES:,} | | |",
        f"= {CONNECTIONS:,}, each a request to the worker and to a room | $0.00 | $0.00 |",
        f"= {REQUESTS:,} | ${cost('requests to rooms', REQUESTS):.2f} |",
        f"= {MESSAGES * 2:,} | ${cost('rows written', MESSAGES * 2):.2f} |",
        f"= {asleep:,.0f} GB-s | ${cost(DURATION, asleep):.2f} | |",
        f"= {awake:,.0f} GB-s | | ${cost(DURATION, awake):.2f} |",
        f"**${PLAN + rest + cost(DURATION, asleep):.2f}** | "
        f"**${PLAN + rest + cost(DURATION, awake):.2f}** |",
    ):
        assert row in DEPLOYMENT, row


def test_what_is_said_beside_the_example_is_computed_too():
    one_room = DAYS * DAY * GB
    assert f" 0.128 = {one_room:,.0f} GB-s are included" in DEPLOYMENT
    assert one_room <= price(DURATION)[0]
    beats = PEOPLE * 3600 * 8 * DAYS
    more = cost("requests to rooms", REQUESTS + beats // 20) - cost("requests to rooms", REQUESTS)
    assert f"is {beats:,} messages, {beats // 20:,} requests:\n  ${more:.2f} more" in DEPLOYMENT


def test_a_price_has_its_date_and_a_limit_its_source():
    assert "read on 27 November 2026" in DEPLOYMENT
    table = DEPLOYMENT.partition("| | free | paid | source |")[2].partition("\n\n")[0]
    rows = table.strip().splitlines()[1:]
    assert len(rows) > 10
    assert rows[0].count("https://developers.cloudflare.com/") == 1
    for row in rows:
        source = row.rstrip("| ").rpartition("|")[2].strip()
        assert source == "the same" or source.startswith("["), row


# --- observability ---------------------------------------------------------------------


@pytest.mark.parametrize("page", [DEPLOYMENT, OBSERVABILITY], ids=["deployment", "observability"])
def test_what_to_look_for_in_the_log_is_what_the_library_says(page):
    table = page.partition("## What to alarm on" if page is OBSERVABILITY else "## The first week")[
        2
    ]
    ours = re.findall(
        r"`((?:Exception in|cannot be|has failed|taken|makes one|was to|no Durable)[^`]*)`", table
    )
    assert len(ours) > 2
    for words in ours:
        assert any(words in text for text in texts()), words


def test_the_example_of_a_failure_is_as_the_log_has_it():
    example = re.search(r"```text\n(\[Chat:lobby alice\].*?)```", OBSERVABILITY, re.DOTALL)[1]
    error = AttributeError("'Chat' object has no attribute 'motd'")
    error.__notes__ = ["in on_connect of Chat:lobby", "error id: 1b2c3d4e"]
    try:
        raise error
    except AttributeError:
        exc_info = (type(error), error, error.__traceback__)
    record = logging.LogRecord(
        "partyserver", logging.ERROR, "", 0, "Exception in Chat:lobby", (), exc_info
    )
    where = {"class": "Chat", "room": "lobby", "connection": "alice", "error_id": "1b2c3d4e"}
    frames = re.compile(r"    File .*\n(?:      .*\n)+")
    assert frames.sub("", example.rstrip() + "\n") == frames.sub("", as_text(record, where) + "\n")


# --- how it works ----------------------------------------------------------------------


def test_the_drawing_and_the_page_have_the_same_steps():
    drawing = ET.parse(PAGES / "how-it-works.svg").getroot()
    space = "{http://www.w3.org/2000/svg}"
    digits = [one.text for one in drawing.iter(f"{space}text") if one.get("class") == "digit"]
    assert sorted(map(int, digits)) == list(range(1, 11))
    for number in digits:
        assert re.search(rf"^\*\*{number}\. ", HOW, re.MULTILINE), number
        assert re.search(rf"\b{number}: ", HOW.partition("](how-it-works.svg)")[0]), "the alt text"


def test_the_drawing_reads_on_dark_and_for_those_who_do_not_see_it():
    text = (PAGES / "how-it-works.svg").read_text()
    assert "prefers-color-scheme: dark" in text
    assert "<title" in text
    assert int(re.search(r'width="(\d+)"', text)[1]) <= 400  # a phone shows it whole
