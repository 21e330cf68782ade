"""Timers: each runs at least once, none before its time, whatever happens in between."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from partyserver.testing import AlarmError

HOUR = timedelta(hours=1)


def eventually(check, timeout=60):
    """Ask `check` until it answers with something true, and return that."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if answer := check():
            return answer
    raise TimeoutError(f"not within {timeout} s: {check}")


class Timers:
    """A room with timers, and what a test tells it."""

    def __init__(self, room):
        self.room = room

    def do(self, command, *arguments):
        response = self.room.fetch("/", method="POST", content=json.dumps([command, *arguments]))
        assert response.status_code == 200, response.text
        return response.json()

    def run_due(self, after=timedelta()):
        return self.room.run_due(at=datetime.now(UTC) + after)

    @property
    def ran(self):
        return self.do("ran")


@pytest.fixture
def timed(party):
    return lambda name="lobby": Timers(party.room("Timed", name))


@pytest.fixture
def room(timed):
    return timed()


def moment(timer):
    return datetime.fromisoformat(timer["time"])


# --- when they run ----------------------------------------------------------------------


def test_a_timer_runs_by_itself_and_not_before_its_time(party, binding, evict):
    room = party.room(binding("Timed"), "lobby")
    with room.connect() as socket:
        began = time.time()
        socket.send("0.3")
        assert socket.receive() == "set"
        evict(room)
        told = socket.receive_json()
        assert told["told"] == "0.3"
        assert told["at"] - began >= 0.298  # the room's clock has whole milliseconds
        assert told["sync"]  # synchronous HTTP works in a callback


def test_what_is_due_runs_in_the_order_of_time(room):
    room.do("in", 30, "later", "third")
    room.do("in", 20, "later", "first")
    room.do("in", 20, "note", "second")
    room.do("in", 40, "note", "not yet")
    assert room.run_due(timedelta(seconds=35)) == 3
    assert room.ran == ["first", "second", "third"]
    assert [timer["payload"] for timer in room.do("list")] == ["not yet"]
    assert room.run_due() == 0


def test_what_recurs_has_its_next_time_after_it_has_run(room):
    every = room.do("every", 60, "note", "every")
    cron = room.do("schedule", "0 * * * *", "note", "cron")
    at = moment(every) + 10 * HOUR + timedelta(seconds=7)
    assert room.room.run_due(at=at) == 2
    assert sorted(room.ran) == ["cron", "every"]
    times = {timer["id"]: moment(timer) for timer in room.do("list")}
    # The interval keeps its beat.
    assert times[every["id"]] == moment(every) + 10 * HOUR + timedelta(seconds=60)
    next_hour = at.replace(minute=0, second=0, microsecond=0) + HOUR
    assert times[cron["id"]] == next_hour


def test_a_callback_that_makes_a_timer_leaves_it_to_the_next_run(room):
    room.do("in", 10, "again", 2)
    for number, expected in enumerate(["2 left", "1 left", "0 left"], 1):
        assert room.run_due(HOUR) == 1
        assert room.ran[-1] == expected
        assert len(room.ran) == number
    assert room.run_due(HOUR) == 0


@pytest.mark.once("it takes long, and the other tests have timers enough")
def test_ten_thousand_timers(room):
    assert room.do("many", 10_000) == 10_000
    # By the platform's alarm, in more than one run of it.
    some = "select id from _partyserver_timers limit 1500"
    room.do("sql", f"update _partyserver_timers set due = 0 where id in ({some})")
    room.do("every", 3600, "plain")
    room.do("every", 3600, "plain")  # finds that the alarm is late
    count = "select count(distinct what) as n from ran"
    assert eventually(lambda: room.do("sql", count) == [{"n": 1500}])
    (every,) = room.do("filters", {"type": "interval"})
    room.do("cancel", every["id"])
    assert room.run_due(2 * HOUR) == 8500
    assert room.do("sql", "select count(*) as n from ran") == [{"n": 10_000}]
    assert room.do("sql", count) == [{"n": 10_000}]
    assert room.do("list") == []
    assert room.do("raw", "getAlarm") is None


# --- what they are ----------------------------------------------------------------------


def test_what_a_timer_is(room):
    now = datetime.now(UTC)
    delayed = room.do("in", 90.5, "note", {"a": [1, None, "é"]})
    assert delayed["type"] == "delayed"
    assert (delayed["callback"], delayed["delay"], delayed["attempts"]) == ("note", 90.5, 3)
    assert delayed["payload"] == {"a": [1, None, "é"]}
    assert abs(moment(delayed) - now - timedelta(seconds=90.5)) < timedelta(seconds=30)
    scheduled = room.do("schedule", {"moment": "in an hour"}, "note")
    assert scheduled["type"] == "scheduled"
    every = room.do("every", 86_400, "later")
    assert (every["type"], every["interval"]) == ("interval", 86_400)
    cron = room.do("schedule", " 0  0 1 1 * ", "plain")
    assert (cron["type"], cron["cron"]) == ("cron", "0 0 1 1 *")
    assert moment(cron) == datetime(now.year + 1, 1, 1, tzinfo=UTC)
    ids = [delayed["id"], scheduled["id"], every["id"]]
    everything = room.do("list")
    assert [timer["id"] for timer in everything[:3]] == ids
    assert room.do("get", ids[0]) == delayed
    assert room.do("get", "0") is None
    assert [one["id"] for one in room.do("filters", {})] == [one["id"] for one in everything]


def test_timers_are_listed_by_what_they_are(room):
    timers = [room.do("in", seconds, "note", seconds) for seconds in (10, 20, 30)]
    room.do("every", 60, "later")
    listed = room.do("filters", {"before": timers[2]["time"], "after": timers[0]["time"]})
    assert listed == [timers[1]]
    assert [one["callback"] for one in room.do("filters", {"type": "interval"})] == ["later"]
    assert room.do("filters", {"callback": "note"}) == timers
    assert room.do("filters", {"before": "2030-01-01"}).startswith("ValueError: before has no")
    assert room.do("filters", {"type": "weekly"}).startswith("ValueError: type is one of delayed")


def test_a_cancelled_timer_does_not_run(room):
    timer = room.do("in", 10, "note", "cancelled")
    assert room.do("cancel", timer["id"]) is True
    assert room.do("cancel", timer["id"]) is False
    assert room.do("get", timer["id"]) is None
    assert room.do("raw", "getAlarm") is None
    assert room.run_due(HOUR) == 0
    assert room.do("cancel", 7).startswith("TypeError: a timer's id is a str")


def test_what_cannot_be_a_timer_says_why(room):
    said = room.do("refused")
    types = {name: text.partition(":")[0] for name, text in said.items()}
    errors = {"TypeError": set(), "ValueError": set()}
    for name, type_ in types.items():
        errors[type_].add(name)
    assert errors == {
        "TypeError": {
            *("bool", "a date", "a property", "of two", "a generator", "a function", "a lambda"),
            *("another's method", "a set", "an int key", "no number"),
        },
        "ValueError": {
            *("negative", "NaN", "infinite", "huge", "after 2189", "naive", "no cron"),
            *("a cron that never comes", "a long cron", "no method", "an attribute", "itself"),
            *("not finite", "deep", "large", "never", "too long"),
        },
    }
    assert "tzinfo=UTC" in said["naive"]
    assert "0 0 30 2 *" in said["a cron that never comes"]
    assert room.do("list") == []
    assert len(room.do("accepted")) == 5
    assert room.do("schedule", {"moment": "in the past"}, "plain")["type"] == "scheduled"


# --- idempotence ------------------------------------------------------------------------


def test_on_start_makes_its_timers_once(party, timed):
    room = timed("schedules")
    first = room.do("list")
    assert [timer["payload"] for timer in first] == ["every", "once", "Monday"]
    for _ in range(2):
        room.room.evict()
        assert room.do("list") == first
    assert "one more timer" not in str(party.logs)


def test_timers_that_pile_up_are_told_of_once_for_each_callback(party, timed):
    timed("schedules-and-piles-up").do("list")
    log = str(party.logs)
    assert log.count("schedule(..., 'note') in on_start makes one more timer") == 1
    assert "'plain'" not in log  # False was asked for


def test_what_is_idempotent(room):
    ids = {room.do("in", 60, "note", {"a": 1, "b": 2}, True)["id"] for _ in range(2)}
    assert room.do("in", 90, "note", {"b": 2, "a": 1}, True)["id"] in ids
    assert room.do("in", 60, "note", {"a": 1, "b": 2})["id"] not in ids
    assert room.do("in", 60, "note", {"a": 1}, True)["id"] not in ids
    assert room.do("in", 60, "later", {"a": 1, "b": 2}, True)["id"] not in ids
    assert room.do("every", 60, "note") == room.do("every", 60.0, "note")
    assert room.do("every", 61, "note") != room.do("every", 60, "note")
    assert len(room.do("list")) == 6


def test_an_idempotent_timer_heals_an_alarm_that_is_lost(room):
    room.do("in", 60, "note", None, True)
    room.do("raw", "deleteAlarm")
    timer = room.do("in", 60, "note", None, True)
    assert room.do("raw", "getAlarm") == moment(timer).timestamp() * 1000


# --- failures ---------------------------------------------------------------------------


def test_a_callback_that_fails_is_tried_again_and_then_told(party, room):
    room.do("in", 0.1, "fail", 2)
    assert eventually(lambda: len(room.ran) == 3 and room.ran)
    assert room.ran == ["attempt 1", "attempt 2", "attempt 3"]
    assert "attempt 1 of 3" in str(party.logs)
    assert room.do("list") == []
    room.do("every", 10, "fail", 99)
    for number in (1, 2, 3):
        with pytest.raises(AlarmError, match="ValueError: attempt"):
            room.run_due(timedelta(seconds=10 + 5 * number))
    assert room.ran[3:] == ["attempt 1", "attempt 2", "attempt 3", "on_exception: attempt 3 fails"]
    (timer,) = room.do("list")
    assert moment(timer) > datetime.now(UTC) + timedelta(seconds=25)


def test_a_timer_that_waits_to_be_tried_again_holds_up_no_other(room):
    retry = {"max_attempts": 2, "base_delay_ms": 900_000, "max_delay_ms": 900_000}
    first = room.do("schedule", 5, "fail", 1, retry)
    room.do("in", 6, "note", "other")
    with pytest.raises(AlarmError):
        room.run_due(timedelta(seconds=10))
    assert room.ran == ["attempt 1", "other"]
    assert room.do("list") == [first]
    assert room.run_due(HOUR) == 1
    assert room.ran[2:] == ["attempt 2"]


@pytest.mark.parametrize("how", ["exit", "exit_later", "cancelled", "coroutine", "awaitable"])
def test_a_callback_may_do_what_a_hook_may(party, room, how):
    room.do("schedule", 5, "act", how, {"max_attempts": 1})
    room.do("in", 6, "plain")
    if how in ("coroutine", "awaitable"):
        assert room.run_due(HOUR) == 2
        assert room.ran == ["began", "done", "plain"]
    else:
        with pytest.raises(AlarmError, match=r"CancelledError|SystemExit"):
            room.run_due(HOUR)
        assert room.ran[0] == "began"
        assert room.ran[-1] == "plain"
        assert "error id" in str(party.logs)


@pytest.mark.no_party_chaos  # starts are counted
@pytest.mark.log_may_hold("start 2 fails")  # the platform is told, too
def test_a_room_that_does_not_start_loses_no_timer(party, timed):
    room = timed("fails-to-start")
    room.do("keep", "failures", 2)  # the first start has succeeded, and so one of them follows
    timer = room.do("in", 0.5, "note", "at last")
    room.room.evict()
    # The next alarm is set before the start, for the platform's retries end.
    party.logs.wait_for("start 2 fails, armed")
    assert eventually(lambda: "at last" in room.ran)
    (row,) = [row for row in room.do("rows") if row["what"] == "at last"]
    assert row["started"]
    assert row["at"] >= moment(timer).timestamp()


def test_a_callback_that_hangs_holds_up_no_other_and_runs_again(party, room):
    room.do("every", 0.2, "hang")
    room.do("every", 0.2, "plain")
    assert eventually(lambda: room.ran.count("plain") > 3)
    assert room.ran.count("begins") == 1
    (hung,) = room.do("filters", {"callback": "hang"})
    room.run_due(timedelta(seconds=60))
    assert "is taken as hung, and runs again" in str(party.logs)
    assert [what for what in room.ran if what != "plain"] == ["begins", "begins", "ends"]
    assert moment(room.do("get", hung["id"])) > datetime.now(UTC) + timedelta(seconds=50)


def test_a_callback_that_takes_long_is_waited_for_and_runs_once(room):
    room.do("in", 0, "slow")
    room.do("in", 0.01, "plain")
    assert eventually(lambda: room.ran == ["slow begins", "plain"])
    room.do("in", 0.1, "note", "due meanwhile")
    assert eventually(lambda: room.ran[2:] == ["due meanwhile"])
    room.do("release", 0.2)
    assert room.run_due(timedelta(seconds=60)) == 0  # and waits for what is running
    assert room.ran[3:] == ["slow ends"]
    assert room.do("list") == []


def test_what_recurs_seldom_is_not_called_again_while_it_runs(party, room):
    timer = room.do("schedule", "0 0 1 1 *", "slow")
    room.do("sql", f"update _partyserver_timers set due = 0 where id = {timer['id']}")
    room.do("schedule", "0 0 1 1 *", "slow")  # heals the alarm
    assert eventually(lambda: room.ran == ["slow begins"])
    query = "select starts from _partyserver_timers where type = 'cron' and due > 1"
    for _ in range(2):
        room.do("began_before", 40)
        room.do("sql", "update _partyserver_timers set due = 1")
        room.do("alarm", "set", 4 * 10**12)  # has the alarm's handler look again
        (row,) = eventually(lambda: room.do("sql", query))
    assert row["starts"] == 0  # it is none that is cut off at once
    room.do("release", 0)
    assert eventually(lambda: "slow ends" in room.ran)
    assert room.ran.count("slow begins") == 1
    assert "taken as hung" not in str(party.logs)


@pytest.mark.no_party_chaos  # what breaks it is in memory
def test_an_outcome_that_cannot_be_stored_is_told_and_the_timer_stays(party, room):
    timer = room.do("in", 5, "note", "twice")
    room.do("in", 6, "plain")
    room.do("break_outcomes")
    with pytest.raises(AlarmError, match="nothing can be stored"):
        room.run_due(timedelta(seconds=10))
    assert room.ran == ["twice", "on_exception: nothing can be stored", "plain"]
    assert [one["id"] for one in room.do("list")] == [timer["id"]]
    assert room.do("raw", "getAlarm") / 1000 > time.time()
    assert room.run_due(timedelta(seconds=60)) == 1
    assert room.ran[3:] == ["twice"]
    room.do("in", 0, "slow")
    assert eventually(lambda: "slow begins" in room.ran)
    room.do("in", 1.5, "plain")  # after which nobody waits for it
    assert eventually(lambda: room.ran[-1] == "plain")
    room.do("break_outcomes")
    room.do("release", 0)
    assert eventually(lambda: str(party.logs).count("nothing can be stored") > 1)
    assert room.do("raw", "getAlarm") / 1000 > time.time()


@pytest.mark.once("it ends the room's life itself")
@pytest.mark.log_may_hold("Uncaught in a callback")  # the platform's, of the abort
@pytest.mark.parametrize("end", ["abort", "restart"])
def test_a_callback_that_was_cut_off_runs_again(party, room, end):
    room.do("in", 0.5, "note", "another")
    room.do("in", 0, "abort" if end == "abort" else "hang", 1)
    begun = ["abort"] if end == "abort" else ["begins"]

    def has_begun():
        try:
            return begun[0] in room.ran
        except AssertionError:  # the request has met the abort
            return False

    if end == "abort":
        party.logs.wait_for("Uncaught in a callback", timeout=60)
    assert eventually(has_begun)
    if end == "restart":
        party.restart()
    # The platform's alarm comes by itself within 30 s, which this machine may have taken.
    alarm = room.do("raw", "getAlarm")
    assert alarm is None or alarm / 1000 - time.time() < 31
    room.run_due(timedelta(seconds=31))
    assert eventually(lambda: room.ran.count(begun[0]) == 2)
    assert room.ran.count("another") == 1
    assert eventually(lambda: room.do("list") == [])


def test_a_callback_that_never_ends_is_given_up_at_last(room):
    room.do("in", 10, "note", "of the others")
    cut = room.do("in", 5, "note", "always cut off")
    room.do("sql", f"update _partyserver_timers set starts = 6 where id = {cut['id']}")
    with pytest.raises(AlarmError, match="was started 6 times and never ended"):
        room.run_due(HOUR)
    assert room.ran[1:] == ["of the others"]
    assert room.ran[0].startswith("on_exception: the timer of note was started 6 times")
    assert room.do("list") == []


def test_a_callback_that_is_no_longer_there_is_taken_as_run(party, room):
    room.do("in", 10, "note")
    every = room.do("every", 10, "note")
    room.do("sql", "update _partyserver_timers set callback = 'renamed'")
    assert room.run_due(timedelta(seconds=15)) == 2
    assert "was to call 'renamed', which Timed no longer has" in str(party.logs)
    assert [timer["id"] for timer in room.do("list")] == [every["id"]]


def test_a_cron_whose_next_time_cannot_be_had_is_not_lost(room):
    """As where a deployment has left out its package."""
    cron = room.do("schedule", "0 * * * *", "plain")
    room.do("sql", "update _partyserver_timers set detail = 'no cron'")
    assert room.run_due(HOUR) == 1
    assert room.ran[0] == "plain"
    assert room.ran[1].startswith("on_exception: 'no cron' is no cron that ever comes")
    assert room.do("get", cron["id"])["cron"] == "no cron"


# --- timers that change timers ------------------------------------------------------------


def test_a_callback_may_cancel_and_replace_timers(room):
    other = room.do("in", 20, "note", "cancelled")
    itself = room.do("every", 10, "cancel", [other["id"]])
    room.do(
        "sql",
        f"update _partyserver_timers set payload = "
        f"'{json.dumps([other['id'], itself['id']])}' where id = {itself['id']}",
    )
    assert room.run_due(HOUR) == 1
    assert room.ran == ["[True, True]"]
    assert room.do("list") == []
    room.do("in", 0, "same_again")
    assert eventually(lambda: len(room.ran) == 4)
    assert room.run_due(HOUR) == 0
    room.do("in", 5, "delete_all")
    room.do("in", 6, "note", "deleted")
    room.do("every", 7, "note")
    assert room.run_due(HOUR) == 1
    assert room.do("list") == []


def test_a_callback_that_makes_timers_leaves_the_alarm_alone(room):
    """So that a room that does not start again after it is not woken without a pause."""
    room.do("in", 0, "writes_often")
    assert eventually(lambda: room.ran == ["True"])
    assert room.do("raw", "getAlarm") < time.time() * 1000 + 61_000
    assert room.do("alarm", "get") == 4 * 10**12


def test_delete_all_takes_the_timers_and_breaks_nothing(room):
    room.do("in", 60, "note")
    room.do("alarm", "set", 4 * 10**12)
    assert room.do("delete_all") is None
    assert room.do("list") == []
    assert room.do("alarm", "get") is None
    assert room.run_due(HOUR) == 0
    room.do("in", 1, "note", "new")
    assert room.run_due(HOUR) == 1
    assert room.ran == ["new"]


# --- the user's own alarm -----------------------------------------------------------------


def test_the_users_own_alarm_is_beside_the_timers(room):
    assert room.do("alarm", "get") is None
    at = int((datetime.now(UTC) + HOUR).timestamp() * 1000)
    room.do("in", 60, "note", "timer")
    room.do("alarm", "set", 4 * 10**12)
    room.do("alarm", "set", at)
    assert room.do("alarm", "get") == at
    assert len(room.do("list")) == 1
    assert room.run_due(timedelta(minutes=2)) == 1
    assert room.ran == ["timer"]
    assert room.run_due(2 * HOUR) == 1
    assert room.ran[1:] == ["on_alarm, None pending"]
    assert room.do("alarm", "get") is None
    room.do("alarm", "set", at)
    room.do("in", 60, "note")
    room.do("alarm", "delete")
    assert room.do("alarm", "get") is None
    assert room.run_due(2 * HOUR) == 1
    assert room.do("alarm", "set", "soon").startswith("TypeError: an alarm is set in milliseconds")
    assert room.do("alarm", "set", int(time.time() * 1000)) is None
    assert eventually(lambda: room.ran.count("on_alarm, None pending") == 2)


@pytest.mark.once("it restarts the runtime, and nothing of it depends on rooms")
@pytest.mark.log_may_hold("was never awaited")
def test_a_forgotten_await_on_the_alarm_names_its_line(party, room):
    source = Path(__file__).parent / "worker" / "timers.py"
    lines = enumerate(source.read_text().splitlines(), 1)
    [line] = [number for number, line in lines if line.endswith("  # forgotten")]
    party.restart()  # Python tells it once for each line
    room.do("forget_alarm")
    told = party.logs.wait_for("' was never awaited").message
    assert f"setAlarm() at /session/metadata/timers.py:{line}'" in told


def test_an_alarm_that_fails_is_tried_again_six_times(room):
    room.do("keep", "alarm fails", 99)
    room.do("alarm", "set", int((datetime.now(UTC) + HOUR).timestamp() * 1000))
    for number in range(7):
        with pytest.raises(AlarmError, match="on_alarm fails"):
            room.run_due(HOUR + timedelta(seconds=2 ** (number + 1)))
    assert room.run_due(2 * HOUR) == 0
    assert room.ran.count("on_alarm, None pending") == 7
    assert room.ran.count("on_exception: on_alarm fails") == 7


def test_an_alarm_that_is_set_in_a_failing_one_takes_the_place_of_the_retry(room):
    room.do("keep", "alarm fails", 1)
    room.do("keep", "alarm sets", 4 * 10**12)
    room.do("alarm", "set", int(time.time() * 1000) + 60_000)
    with pytest.raises(AlarmError):
        room.run_due(HOUR)
    assert room.do("alarm", "get") == 4 * 10**12
    assert room.run_due(HOUR) == 0


def test_an_alarm_that_is_set_in_one_that_takes_long_does_not_overtake_it(room):
    room.do("keep", "alarm overlaps", 1)
    room.do("alarm", "set", int(time.time() * 1000))
    assert eventually(lambda: room.ran == ["on_alarm, None pending", "slow begins"])
    room.do("in", 0.01, "plain")
    assert eventually(lambda: room.ran[2:] == ["plain"])
    room.do("release", 0)
    assert eventually(lambda: room.ran[3:] == ["slow ends", "on_alarm, None pending"])


def test_run_alarm_runs_what_is_due_first(room):
    room.do("in", 60, "note", "timer")
    room.do("alarm", "set", 4 * 10**12)
    room.do("in", 120, "fail", 99)
    room.room.run_alarm()
    assert room.ran == ["timer"]
    for _ in range(3):
        with pytest.raises(AlarmError, match="ValueError: attempt"):
            room.room.run_alarm()
    room.room.run_alarm()
    assert room.ran[-1] == "on_alarm, None pending"
    with pytest.raises(LookupError, match="no pending alarm"):
        room.room.run_alarm()


def test_an_alarm_from_before_there_were_timers_is_kept(room):
    """As where a deployment has given its class the mixin."""
    room.do("raw", "setAlarm", 4 * 10**12)
    assert room.do("alarm", "get") == 4 * 10**12
    room.do("in", 60, "note")
    assert room.do("alarm", "get") == 4 * 10**12
    assert room.run_due(HOUR) == 1


def test_an_alarm_from_before_fires_on_alarm(timed):
    room = timed("another")
    room.do("raw", "setAlarm", int(time.time() * 1000) + 100)
    assert eventually(lambda: room.ran == ["on_alarm, None pending"])


def test_an_alarm_from_while_there_were_no_timers_is_kept(timed):
    """As where a rollback has taken the mixin from its class, and a deployment brings it back."""
    room, fires = timed("back"), timed("fires")
    for one in (room, fires):
        one.do("in", 3600, "note", "timer")
        one.room.evict()
    room.do("raw", "setAlarm", 4 * 10**12)
    fires.do("raw", "setAlarm", int(time.time() * 1000))
    room.room.evict()
    assert room.do("alarm", "get") == 4 * 10**12
    room.do("in", 60, "note")
    assert room.do("alarm", "get") == 4 * 10**12
    assert room.do("raw", "getAlarm") < time.time() * 1000 + 61_000
    assert eventually(lambda: fires.ran == ["on_alarm, None pending"])
    assert len(fires.do("list")) == 1
    assert fires.do("raw", "getAlarm") > time.time() * 1000 + 1_800_000


def test_a_timer_whose_alarm_was_lost_runs_when_the_room_wakes(timed):
    """As where it has fired for a version of the class without timers."""
    room = timed("lost")
    room.do("in", 3600, "note", "late")
    room.do("sql", "update _partyserver_timers set time = 1, due = 1")
    room.do("raw", "deleteAlarm")
    room.room.evict()
    assert eventually(lambda: room.ran == ["late"])
    assert room.do("list") == []


def test_getalarm_answers_as_it_is_when_it_is_called(room):
    assert room.do("asked_at_once") is None
    room.do("alarm", "delete")
    room.do("in", 60, "note")
    assert room.do("asked_at_once") is None


@pytest.mark.parametrize("fails", [False, True, "rollback"])
def test_the_alarm_of_a_transaction_is_one_beside_the_timers(room, fails):
    timer = room.do("in", 60, "note", "timer")
    assert room.do("transaction", fails) == [True, not fails]
    assert room.do("raw", "getAlarm") == moment(timer).timestamp() * 1000
    assert room.run_due(timedelta(minutes=2)) == 1
    assert room.run_due(HOUR) == (0 if fails else 1)


def test_a_party_in_partykits_style_has_timers_beside_its_alarm(party):
    room = party.room("TimedParty", "lobby")
    assert room.fetch("/").json() == [[], 1, False]
    assert room.fetch("/set").json() == [[], 1, True]
    room.hibernate()
    assert room.run_due(at=datetime.now(UTC) + timedelta(minutes=45)) == 1
    assert room.fetch("/").json() == [["alarm, None pending"], 1, False]
    assert room.run_due(at=datetime.now(UTC) + 2 * HOUR) == 1
    assert room.fetch("/set").json() == [["alarm, None pending", "timer"], 0, True]
    assert room.fetch("/delete").json()[1:] == [0, False]


# --- from outside -----------------------------------------------------------------------


@pytest.mark.log_may_hold("Uncaught PythonError")  # the caller gets the error
def test_timers_are_not_for_callers_from_outside(room):
    for method in ("list_schedules", "schedule", "cancel_schedule"):
        assert room.do("call", "another", method).startswith("refused: ")
    assert room.do("call", "another", "plain") is None


def test_a_room_without_timers_has_nothing_to_run(party):
    room = party.room("Plain", "lobby")
    with pytest.raises(LookupError, match=r"has no timers: class Plain\(Schedule, Server\)"):
        room.run_due()
    with pytest.raises(ValueError, match="at has no timezone"):
        room.run_due(at=datetime(2030, 1, 1))
    with pytest.raises(TypeError, match="at is a datetime, not str"):
        room.run_due(at="now")
