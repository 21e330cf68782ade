from typing import Any

import pytest
from partyserver.errors import SQLError
from partyserver.rules.migrations import NO_PLAN, plan_of, surplus, to_run


class Root:
    migrations: object = ()


def room(name="Room", *bases, **members):
    return type(name, (*bases, Root), members)


def ran(plan):
    return {(one.owner, one.number): one.digest for one in plan.migrations}


def listed(plan):
    return [(one.owner, one.number, one.statement) for one in plan.migrations]


def test_a_class_without_a_list_has_no_plan():
    assert plan_of(Root, Root) is NO_PLAN
    assert plan_of(room(), Root) is NO_PLAN
    assert plan_of(type("Other", (), {}), Root) is NO_PLAN


def test_statements_are_numbered_in_their_order():
    plan = plan_of(room(migrations=["create", "alter"]), Root)
    assert plan.owners == ("Room",)
    assert listed(plan) == [("Room", 1, "create"), ("Room", 2, "alter")]


def test_an_empty_list_is_one_that_once_may_have_had_more():
    plan = plan_of(room(migrations=()), Root)
    assert (plan.owners, plan.migrations) == (("Room",), ())


def test_bases_come_first_and_each_counts_its_own():
    class Votes:
        migrations: Any = ["votes"]

    class Base(Root):
        migrations: Any = ["one", "two"]

    class Between(Base): ...

    class Room(Votes, Between):
        migrations = ("three",)

    plan = plan_of(Room, Root)
    assert plan.owners == ("Base", "Votes", "Room")
    assert listed(plan) == [
        ("Base", 1, "one"),
        ("Base", 2, "two"),
        ("Votes", 1, "votes"),
        ("Room", 1, "three"),
    ]
    assert listed(plan_of(Between, Root)) == listed(plan)[:2]


@pytest.mark.parametrize(
    ("migrations", "why"),
    [
        ("create", "Room.migrations is a list of SQL statements, not str"),
        (None, "Room.migrations is a list of SQL statements, not NoneType"),
        ({"create"}, "Room.migrations is a list of SQL statements, not set"),
        (lambda self: [], "Room.migrations is a list of SQL statements, not function"),
        (["create", b"alter"], "migration 2 of Room is a str, not bytes"),
        ([["create"]], "migration 1 of Room is a str, not list"),
        (["create", " \n"], "migration 2 of Room is empty"),
        (["-- later\n /* and\nlater */ ;;", "create"], "migration 1 of Room is empty"),
    ],
)
def test_what_is_no_list_of_statements_is_a_type_error(migrations, why):
    with pytest.raises(TypeError, match=f"^{why}"):
        plan_of(room(migrations=migrations), Root)


def test_two_classes_of_one_name_would_count_together():
    base = room(migrations=["one"])
    with pytest.raises(TypeError, match="Room: two of its classes that have migrations are called"):
        plan_of(room("Room", base, migrations=["two"]), Root)
    assert plan_of(room("Room", base), Root).owners == ("Room",)


def test_what_has_not_run_is_to_run():
    plan = plan_of(room(migrations=["one", "two", "three"]), Root)
    assert to_run(plan, {}) == list(plan.migrations)
    assert to_run(plan, ran(plan)) == []
    shorter = plan_of(room(migrations=["one", "two"]), Root)
    assert [one.number for one in to_run(plan, ran(shorter))] == [3]


def test_white_space_is_no_change():
    before = plan_of(room(migrations=["create table a (b)", "x"]), Root)
    after = plan_of(room(migrations=["\n  create table\n    a (b)\n", "x"]), Root)
    assert to_run(after, ran(before)) == []


@pytest.mark.parametrize("statement", ["create table a (c)", "create table a(b)", "\ud800"])
def test_another_statement_in_the_place_of_one_is_an_error_that_names_it(statement):
    before = plan_of(room(migrations=["one", "create table a (b)"]), Root)
    after = plan_of(room(migrations=["one", statement]), Root)
    with pytest.raises(SQLError, match=r"^migration 2 of Room has changed since it ran") as refused:
        to_run(after, ran(before))
    assert refused.value.query == statement


def test_more_that_have_run_than_are_listed_are_told():
    plan = plan_of(room(migrations=["one"]), Root)
    assert surplus(plan, ran(plan)) == []
    assert surplus(plan, {}) == []
    longer = plan_of(room(migrations=["one", "two", "three"]), Root)
    [told] = surplus(plan, ran(longer))
    assert told.startswith("3 migrations of Room have run, and it lists 1: ")
    [told] = surplus(plan_of(room(migrations=[]), Root), ran(longer))
    assert told.startswith("3 migrations of Room have run, and it lists 0: ")


def test_those_of_a_class_that_is_no_base_any_more_are_told():
    before = plan_of(room("Chat", migrations=["one"]), Root)
    after = plan_of(room("Room", migrations=["one"]), Root)
    [told] = surplus(after, ran(before))
    assert told.startswith("1 migrations of a class called Chat have run")
    assert to_run(after, ran(before)) == list(after.migrations)
