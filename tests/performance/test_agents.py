"""The agents of the benchmark say what the Agents SDK's say, frame by frame."""

from pathlib import Path

import pytest

SDK = Path(__file__).parents[2] / "bench" / "agents-sdk"

STATE = '{"state": {"count": 1, "title": "a counter"}, "type": "cf_agent_state"}'
ID = "0b6f0c8e-6f5c-4a1e-9d0b-2f6f7a1c8e55"
ANSWER = f'{{"done": true, "id": "{ID}", "result": 1, "success": true, "type": "rpc"}}'

is_installed = pytest.mark.skipif(
    not (SDK / "node_modules" / ".installed").exists(), reason="`make bench` installs the SDK's"
)


@pytest.mark.parametrize("variant", ["agents", pytest.param("sdk_agents", marks=is_installed)])
def test_each_connection_is_told_what_it_should_be(bench, variant):
    done = bench(f"guard.frames_of_agents({variant!r})")
    assert "a call and its answer" in done
    assert "a chunk of a stream" in done
    assert len(done) >= 7


def test_what_any_connection_is_told_otherwise_is_found(bench):
    right = ([STATE, ANSWER], [STATE])  # in whatever order the keys are
    wrong = [
        ([STATE, ANSWER.replace("1", "2")], [STATE]),
        ([ANSWER, STATE], [STATE]),
        ([STATE, ANSWER], [STATE.replace("1", "2")]),
    ]
    accepted, *refused = bench(f"guard.refusals({[right, *wrong]!r})")
    assert accepted == ""
    assert ["another reply" in text for text in refused] == [True, True, True]


def test_the_packages_of_the_sdk_are_pinned_and_from_no_registry_in_particular():
    lock = (SDK / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
