"""Starting an app: when, how often, and what if it fails."""

from concurrent.futures import ThreadPoolExecutor


def test_an_app_starts_once(site):
    starts = {site("fastapi").fetch("/").json()["starts"] for _ in range(3)}
    assert starts == {1}


def test_rooms_do_not_wait_for_the_app(site):
    with site("failing").connect("/parties/chat/lobby") as socket:
        assert socket.receive_json() == ["user", None]


def test_an_app_that_fails_to_start_is_started_again(site, party):
    failing = site("failing")
    responses = [failing.fetch() for _ in range(3)]
    assert [response.status_code for response in responses] == [500, 200, 200]
    assert responses[-1].text == "started 2 times"
    assert "StartupFailed: the app cannot start: no database" in str(party.logs)


def test_requests_that_come_together_wait_for_one_start(site):
    slow = site("slow")
    with ThreadPoolExecutor(5) as pool:
        texts = {response.text for response in pool.map(lambda _: slow.fetch(), range(5))}
    assert texts == {"started 1 times, ready: True"}


def test_an_app_without_a_lifespan(site, party):
    assert site("none").fetch().text == "no lifespan"
    assert site("none").fetch().text == "no lifespan"


def test_an_app_is_imported_when_it_is_needed(site, party):
    party.restart()
    lazy, plain = site("lazy"), site("plain")
    with lazy.connect("/parties/chat/lobby") as socket:
        socket.receive()
    assert "lazy_app" not in plain.fetch("/modules").json()
    assert lazy.fetch().json() == "imported"
    assert "lazy_app" in plain.fetch("/modules").json()
