import pytest


@pytest.mark.parametrize("variant", ["library", "logged"])
def test_a_worker_with_the_library_starts_from_a_snapshot_of_its_memory(bench, variant):
    start = bench(f"coldstart.from_snapshot({variant!r})")
    assert start["answer"] == "ok"
    # A tenth in truth: the interpreter and the imports are restored, and not run again.
    assert start["cpu"] < start["cpu without"] / 2
