import json
from dataclasses import replace

import pytest
from partyserver.load.accounts import Mode
from partyserver.load.report import Limits, Progress, Report
from partyserver.load.samples import Summary

TIMES = Summary(1000, 1.25, 2.5, 1234.5, 4000)

GOOD = Report(
    url="ws://h/room",
    mode=Mode.BROADCAST,
    rooms=1,
    is_interrupted=False,
    connections=10,
    opened=10,
    failed=0,
    ended=0,
    reconnects=0,
    failures={},
    closes={},
    asked=100,
    sent=100,
    rate_asked=10,
    rate_reached=10,
    expected=1000,
    received=1000,
    lost=0,
    under_way=0,
    duplicated=0,
    disordered=0,
    unexpected=0,
    own=100,
    other=0,
    latency=TIMES,
    connecting=TIMES,
    lag=Summary(100, 0.1, 0.2, 0.3, 0.4),
    cpu=0.25,
)


def test_the_table_of_a_load_that_went_well():
    assert GOOD.text().splitlines() == [
        "ws://h/room, mode broadcast, 1 room",
        "connections     10 opened of 10",
        "connecting      p50 1.2  p90 2.5  p99 1,234.5  max 4,000.0 ms",
        "messages        100 sent of 100",
        "  a second      10.0 of 10.0",
        "  expected      1,000",
        "  received      1,000",
        "  lost          0",
        "  duplicated    0",
        "  out of order  0",
        "latency         p50 1.2  p90 2.5  p99 1,234.5  max 4,000.0 ms",
        "generator       CPU 25% of a core, late by p50 0.1  p90 0.2  p99 0.3  max 0.4 ms",
    ]
    assert GOOD.hints() == []
    assert GOOD.problems(Limits()) == []


def test_the_table_of_one_that_did_not():
    text = replace(
        GOOD,
        rooms=2,
        opened=8,
        failed=2,
        ended=1,
        reconnects=1200,
        failures={"HTTP 503": 7},
        closes={"1006": 1201},
        under_way=3,
        unexpected=4,
        other=5,
        latency=None,
    ).text()
    for line in (
        "ws://h/room, mode broadcast, 2 rooms",
        "connections     8 opened of 10, 2 failed, 1 ended before the end, 1,200 reconnects",
        "  failed        HTTP 503: 7",
        "  closed        1006: 1,201",
        "  under way     3",
        "  not expected  4",
        "  of others     5",
        "latency         -",
    ):
        assert line in text.splitlines()


def test_connections_alone_have_no_messages_in_their_table():
    lines = replace(GOOD, mode=Mode.CONNECT, latency=None, lag=None).text().splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["connections", "connecting", "generator"]


@pytest.mark.parametrize(
    ("wrong", "allowed", "told"),
    [
        ({"lost": 3}, {"lost": 2}, "3 messages are lost: 2 allowed"),
        ({"sent": 97}, {"lost": 2}, "3 messages could not be sent: 2 allowed"),
        ({"duplicated": 1}, {}, "1 messages came twice: 0 allowed"),
        ({"disordered": 1}, {}, "1 messages came out of order: 0 allowed"),
        ({"failed": 1200}, {"failed": 1100}, "1,200 connections failed: 1,100 allowed"),
        ({"ended": 2}, {"failed": 1}, "2 connections ended before the end: 1 allowed"),
        ({}, {"p99": 1000}, "the latency has a p99 of 1,234.5 ms: 1,000 allowed"),
    ],
)
def test_what_is_beyond_a_limit_is_told(wrong, allowed, told):
    report = replace(GOOD, **wrong)
    assert report.problems(Limits(**allowed)) == [told]
    assert report.problems(Limits(3, 3, 3, 1200, 1234.5)) == []


def test_without_latencies_none_is_too_high():
    assert replace(GOOD, latency=None).problems(Limits(p99=1)) == []


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ({"cpu": 0.9}, "used 90% of a core"),
        ({"lag": Summary(9, 1, 10, 20, 30)}, "10.0 ms late"),
        ({"mode": Mode.ECHO, "unexpected": 1}, "--mode broadcast, or --mode others"),
        ({"own": 0}, "say --mode others"),
        ({"mode": Mode.OTHERS, "unexpected": 1}, "say --mode broadcast"),
        ({"received": 0}, "None of the messages came back"),
        ({"is_interrupted": True}, "interrupted"),
    ],
)
def test_what_the_numbers_do_not_say_is_told(numbers, told):
    [hint] = replace(GOOD, **numbers).hints()
    assert told in hint


def test_a_generator_whose_lag_is_not_known_is_not_blamed():
    assert replace(GOOD, lag=None).hints() == []


def test_the_data_is_json():
    data = json.loads(json.dumps(replace(GOOD, cpu=1).data()))
    assert data["mode"] == "broadcast"
    assert data["latency"] == {"count": 1000, "p50": 1.25, "p90": 2.5, "p99": 1234.5, "max": 4000}
    assert len(data["hints"]) == 1


def test_the_line_of_a_second():
    progress = Progress(7, 1000, 1000, 0, 0, 10, 1234, 5, None)
    assert progress.line() == "   7 s  open 1,000/1,000  sent 10  received 1,234  under way 5"
    line = replace(progress, failures=2, reconnects=3, p99=4.5).line()
    assert "failures 2  reconnects 3  sent" in line
    assert line.endswith("p99 4.5 ms")
