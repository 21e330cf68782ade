"""What a function may be called with."""

import functools
from types import SimpleNamespace

from partyserver.rules import signatures
from partyserver.rules.signatures import signature_of


def hook(self, connection, message="", *, more=None): ...


@functools.wraps(hook)
def wrapper(*arguments): ...


def test_it_is_that_of_the_function_itself_or_of_what_it_wraps():
    assert list(signature_of(hook).parameters) == ["self", "connection", "message", "more"]
    assert list(signature_of(wrapper).parameters) == ["arguments"]
    assert list(signature_of(wrapper, follow_wrapped=True).parameters)[1] == "connection"


def test_where_python_reads_annotations_later_they_are_not_read(monkeypatch):
    given = {}
    monkeypatch.setattr(signatures, "_UNREAD", {"annotation_format": "as text"})
    inspect = SimpleNamespace(signature=lambda function, **options: given.update(options))
    monkeypatch.setattr(signatures, "inspect", inspect)
    signature_of(hook)
    assert given == {"follow_wrapped": False, "annotation_format": "as text"}
