from partyserver.load.samples import Summary, summary


def test_percentiles_are_values_that_were_measured():
    assert summary(n / 1000 for n in range(200, 0, -1)) == Summary(200, 100, 180, 198, 200)


def test_of_a_few_values():
    assert summary([0.002]) == Summary(1, 2, 2, 2, 2)
    assert summary([0.003, 0.001]) == Summary(2, 1, 3, 3, 3)


def test_of_nothing_there_is_nothing():
    assert summary([]) is None
