import pytest

#: A task for every message costs ten times as much as npm partyserver, and the library less
#: than two: what lies between the two is found by this test, and smaller steps by `make bench`.
GROSS = 4


@pytest.mark.alone
def test_no_gross_slowdown_against_npm_partyserver_in_the_same_run(bench):
    for work, ratio in bench("guard.ratios()").items():
        noise = max(ratio["control"], 1 / ratio["control"])
        assert ratio["library"] < GROSS * noise, f"{work}: {ratio}"
