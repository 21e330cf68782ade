"""The documents of the benchmark are the clients' own, on both servers."""

import pytest


@pytest.mark.parametrize("variant", ["documents", "npm_documents"])
def test_all_hear_what_was_typed_and_newcomers_have_all_of_it(bench, variant):
    done = bench(f"guard.documents_of({variant!r})")
    assert "a keystroke, room of 10" in done
    assert "a newcomer, 100 KB typed" in done
    assert "a room wakes by a keystroke, 10 KB" in done


def test_a_newcomer_with_another_document_is_found(bench):
    right, wrong = bench("guard.wrong_documents()")
    assert right == ""
    assert "another document" in wrong


def test_what_is_stored_after_many_keystrokes_is_less_than_twice_what_yjs_needs(bench):
    typed = bench("guard.typed(1500)")
    assert typed["keystrokes"] == 1500
    assert typed["stored"] < 2 * typed["encoded"] + 16_384
