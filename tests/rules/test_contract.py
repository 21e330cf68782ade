import ast
import functools
from abc import ABCMeta
from pathlib import Path

import pytest
from partyserver.rules import contract
from partyserver.rules.contract import (
    CAMEL_CASE,
    HOOK_ARGUMENTS,
    RESERVED,
    check_members,
    hooks_without_mixin,
    is_near,
    may_take_fewer,
    props_parameter,
)


def made(name, members, *bases):
    return type(name, bases or (object,), members)


def function(arguments):
    return eval(f"lambda {arguments}: None")


# --- members --------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "hook"), RESERVED.items())
def test_the_runtimes_own_handlers_are_refused_for_the_hook(name, hook):
    with pytest.raises(TypeError, match=rf"^Chat\.{name} is the runtime's .*; define {hook} "):
        check_members(made("Chat", {name: function("self")}), Root)


@pytest.mark.parametrize(("name", "hook"), CAMEL_CASE.items())
def test_typescripts_spellings_are_refused_for_pythons(name, hook):
    with pytest.raises(TypeError, match=rf"^Chat\.{name} is never called; name it {hook}$"):
        check_members(made("Chat", {name: function("self")}), Root)


def test_a_handler_is_refused_whatever_it_is():
    with pytest.raises(TypeError, match="alarm"):
        check_members(made("Chat", {"alarm": None}), Root)


def test_every_hook_but_on_start_has_its_arguments_named():
    hooks = {*RESERVED.values(), *CAMEL_CASE.values()} - {"on_start"}
    assert hooks == HOOK_ARGUMENTS.keys()


@pytest.mark.parametrize(("hook", "given"), HOOK_ARGUMENTS.items())
def test_a_hook_takes_what_it_is_called_with(hook, given):
    names = ["self", "a", "b", "c", "d"][: len(given) + 1]
    for arguments in (
        ", ".join(names),
        ", ".join([*names, "more=None"]),
        ", ".join([*names, "*", "more=None"]),
        "self, *arguments",
        "*arguments, **keywords",
    ):
        check_members(made("Chat", {hook: function(arguments)}), Root)


@pytest.mark.parametrize(("hook", "given"), HOOK_ARGUMENTS.items())
def test_a_hook_that_takes_less_or_more_is_a_type_error_with_the_names(hook, given):
    count = len(given)
    names = ["self", "a", "b", "c", "d", "e"]
    for arguments in (
        ", ".join(names[:count]),
        ", ".join(names[: count + 2]),
        ", ".join([*names[: count + 1], "*", "more"]),
    ):
        with pytest.raises(TypeError, match="must take self and") as refused:
            check_members(made("Chat", {hook: function(arguments)}), Root)
        plural = "" if count == 1 else "s"
        assert str(refused.value) == (
            f"Chat.{hook}({arguments}) must take self and {count} argument{plural}: "
            f"def {hook}({', '.join(['self', *given])})"
        )


def test_the_names_are_those_of_the_hooks_themselves():
    source = Path(contract.__file__).parents[1] / "hooks.py"
    hooks = next(
        node for node in ast.parse(source.read_text()).body if isinstance(node, ast.ClassDef)
    )
    defined = {
        node.name: tuple(argument.arg for argument in node.args.args[1:])
        for node in hooks.body
        if isinstance(node, ast.FunctionDef)
    }
    assert defined == HOOK_ARGUMENTS | {"on_start": ("props",)}


def test_async_hooks_are_checked_too():
    async def on_message(self, message): ...

    with pytest.raises(TypeError, match="on_message"):
        check_members(made("Chat", {"on_message": on_message}), Root)


def test_the_arguments_that_count_are_the_decorators():
    def with_user(hook):
        @functools.wraps(hook)
        def call(self, connection, message):
            return hook(self, connection, message, "user")

        return call

    check_members(made("Chat", {"on_message": with_user(function("self, c, m, user"))}), Root)


@pytest.mark.parametrize(
    "hook",
    [functools.partialmethod(print), staticmethod(print), classmethod(print), property(), None],
    ids=lambda hook: type(hook).__name__,
)
def test_a_hook_that_is_no_plain_function_is_its_authors_affair(hook):
    check_members(made("Chat", {"on_message": hook}), Root)


async def asynchronous_generator(*arguments):
    yield


@pytest.mark.parametrize("hook", sorted({*CAMEL_CASE.values()} - {"get_connection_tags"}))
@pytest.mark.parametrize("member", [lambda *arguments: (yield), asynchronous_generator])
def test_a_hook_with_a_yield_in_it_would_never_run(hook, member):
    with pytest.raises(
        TypeError, match=rf"^Chat\.{hook} has a yield in it, and so would never run$"
    ):
        check_members(made("Chat", {hook: member}), Root)


def test_tags_and_other_methods_may_be_yielded():
    members = dict.fromkeys(["get_connection_tags", "words"], lambda *arguments: (yield))
    check_members(made("Chat", members), Root)


def test_other_members_are_free():
    check_members(made("Chat", {"alarms": 1, "on_party": function("self"), "onParty": None}), Root)


# --- on_start -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "verdict"),
    [
        ("self, props=None", "positional"),
        ("self, props", "positional"),
        ("self, properties", "positional"),
        ("self, *arguments", "positional"),
        ("*arguments", "positional"),
        ("self", "none"),
        ("self, **keywords", "keyword"),
        ("self, *, props=None", "keyword"),
        ("self, props, more", "none"),
        ("self, *, more", "none"),
    ],
)
def test_on_start_gets_props_if_it_has_a_parameter_for_them(arguments, verdict):
    assert props_parameter(function(arguments)) == verdict


@pytest.mark.parametrize(
    "arguments", ["", "self, props, more", "self, *, more", "self, props, *, more"]
)
def test_an_on_start_that_could_not_be_called_is_a_type_error(arguments):
    with pytest.raises(
        TypeError, match=r"must take self, and props or nothing: def on_start\(self"
    ):
        check_members(made("Chat", {"on_start": function(arguments)}), Root)


@pytest.mark.parametrize(
    "arguments", ["self", "self, props", "self, *, props", "self, props, more=None", "*arguments"]
)
def test_an_on_start_that_can_be_called_is_left_alone(arguments):
    check_members(made("Chat", {"on_start": function(arguments)}), Root)


def test_what_a_mixins_decorator_has_marked_is_the_mixins_to_look_at():
    members = {"on_start": function("self, a, b, c"), "on_message": function("self")}
    check_members(made("Chat", members), Root, marked=members)


def test_on_start_gets_props_through_a_decorator_if_it_wants_them():
    def passing(on_start):
        return functools.wraps(on_start)(lambda *arguments: on_start(*arguments))

    assert props_parameter(passing(function("self, props"))) == "positional"
    assert props_parameter(passing(function("self"))) == "none"


class Root(metaclass=ABCMeta):  # noqa: B024 -- as `Server`'s own
    """Stands in for `Server`."""


def test_members_of_a_mixin_are_the_classs_own():
    mixin = made("Mixin", {"alarm": function("self")})
    with pytest.raises(TypeError, match=r"Chat\.alarm .* define on_alarm"):
        check_members(made("Chat", {}, mixin), Root)


def test_what_type_checkers_are_told_changes_nothing():
    hook = function("self, props=None")
    assert may_take_fewer(hook) is hook


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("on_mesage", "on_message"),
        ("on_conect", "on_connect"),
        ("on_conenct", "on_connect"),
        ("on_messages", "on_message"),
        ("onmessage", "on_message"),
        ("on_clone", "on_close"),
        ("om_start", "on_start"),
        ("get_connection_tag", "get_connection_tags"),
        ("on_rate_limitted", "on_rate_limited"),
    ],
)
def test_a_misspelt_hook_is_refused_for_the_hook(name, hook):
    with pytest.raises(TypeError, match=rf"^Chat\.{name} is never called .* mean {hook}\?"):
        check_members(made("Chat", {name: function("self")}), Root)


@pytest.mark.parametrize("name", ["_on_mesage", "on_msg", "message", "on_save", "o", "on_x"])
def test_other_names_are_the_users(name):
    check_members(made("Chat", {name: function("self")}), Root)


def test_an_attribute_that_is_no_method_may_have_such_a_name():
    check_members(made("Chat", {"on_mesage": 1}), Root)


def test_a_mixins_hook_may_be_misspelt_too():
    check_members(made("Chat", {"on_joined": function("self")}), Root)
    check_members(made("Chat", {"on_joim": function("self")}), Root)
    with pytest.raises(TypeError, match="mean on_join"):
        check_members(made("Chat", {"on_joim": function("self")}), Root, {"on_join": ("key",)})


def test_another_spelling_of_what_a_mixin_looks_at_is_refused_for_its_own():
    spellings = {"onLoad": "on_load"}
    notes = made("Notes", {"onLoad": None})
    check_members(notes, Root)
    with pytest.raises(TypeError, match=r"^Notes\.onLoad is never looked at; name it on_load$"):
        check_members(notes, Root, spellings=spellings)


def test_a_mixins_hook_without_the_mixin_is_warned_of():
    chat = made("Chat", {"on_join": function("self, key, meta"), "on_leave": 1})
    [warning] = hooks_without_mixin(chat, Root, {})
    assert warning.startswith("Chat.on_join is a hook of partyserver.presence.Presence")
    assert warning.endswith("write class Chat(Presence, Server)")
    assert list(hooks_without_mixin(chat, Root, {"on_join", "on_leave"})) == []


@pytest.mark.parametrize(
    ("name", "other", "near"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", True),
        ("xabc", "abc", True),
        ("abc", "acb", True),
        ("abc", "abd", True),
        ("abc", "bca", False),
        ("abc", "abcde", False),
        ("abcd", "acdb", False),
        ("", "a", True),
        ("abcdef", "abdcfe", False),
    ],
)
def test_one_edit_is_near(name, other, near):
    assert is_near(name, other) is near
    assert is_near(other, name) is near
