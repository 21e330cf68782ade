from partyserver.testing import Party


def run_cron(party: Party, day: int) -> None:
    path = f"/cdn-cgi/local/scheduled?cron=0+6+*+*+*&time={day * 86_400_000}"
    assert party.fetch(path).text == "ok"


def test_a_day_has_one_question(party: Party) -> None:
    with party.room("Daily", "world").connect() as page:
        page.receive_json()
        run_cron(party, 20000)
        question = {"type": "question", "day": "20000", "question": "Early or late?"}
        assert page.receive_json() == question
        run_cron(party, 20000)  # again
        run_cron(party, 20001)
        assert page.receive_json()["day"] == "20001"
