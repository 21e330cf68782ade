"""A plan is plain data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest
from partyserver.hosting.plan import Assets, DurableObject, Plan, Service, Variable

PLAN = Plan("twin", "2026-11-17", (), "worker.py", ())


def test_a_plan_cannot_be_changed_in_place():
    with pytest.raises(FrozenInstanceError):
        setattr(PLAN, "name", "other")  # noqa: B010 -- mypy knows it, too
    assert replace(PLAN, name="other").name == "other"


def test_it_knows_the_names_of_its_bindings():
    assert [*PLAN.bindings()] == []
    plan = replace(
        PLAN,
        vars=(Variable("A", 1),),
        secrets=("SECRET",),  # which may have a variable's name, and go before it
        durable_objects=(DurableObject("Chat", "key", True, ("B", "C")),),
        services=(Service("D"),),
        assets=Assets("/files"),
    )
    assert [*plan.bindings()] == ["B", "C", "A", "D"]
    assert [*replace(plan, assets=Assets("/files", "E")).bindings()][-1] == "E"
