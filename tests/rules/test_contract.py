import asyncio
import functools
import inspect
from abc import ABCMeta

import pytest
from partyserver.contract import (
    CAMEL_CASE,
    HOOK_ARGUMENTS,
    RESERVED,
    calls_are_own,
    check_members,
    guard_public_methods,
    may_take_fewer,
    own_options,
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


def test_every_hook_but_on_start_has_its_arguments_counted():
    hooks = {*RESERVED.values(), *CAMEL_CASE.values()} - {"on_start"}
    assert hooks == HOOK_ARGUMENTS.keys()


@pytest.mark.parametrize(("hook", "count"), HOOK_ARGUMENTS.items())
def test_a_hook_takes_what_it_is_called_with(hook, count):
    names = ["self", "a", "b", "c", "d"][: count + 1]
    for arguments in (
        ", ".join(names),
        ", ".join([*names, "more=None"]),
        ", ".join([*names, "*", "more=None"]),
        "self, *arguments",
        "*arguments, **keywords",
    ):
        check_members(made("Chat", {hook: function(arguments)}), Root)


@pytest.mark.parametrize(("hook", "count"), HOOK_ARGUMENTS.items())
def test_a_hook_that_takes_less_or_more_is_a_type_error(hook, count):
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
            f"Chat.{hook}({arguments}) must take self and {count} argument{plural}"
        )


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
    ],
)
def test_on_start_gets_props_if_it_has_a_parameter_for_them(arguments, verdict):
    assert props_parameter(function(arguments)) == verdict


def test_on_start_gets_props_through_a_decorator_if_it_wants_them():
    def passing(on_start):
        return functools.wraps(on_start)(lambda *arguments: on_start(*arguments))

    assert props_parameter(passing(function("self, props"))) == "positional"
    assert props_parameter(passing(function("self"))) == "none"


def test_members_of_a_mixin_are_the_classs_own():
    mixin = made("Mixin", {"alarm": function("self")})
    with pytest.raises(TypeError, match=r"Chat\.alarm .* define on_alarm"):
        check_members(made("Chat", {}, mixin), Root)


def test_what_type_checkers_are_told_changes_nothing():
    hook = function("self, props=None")
    assert may_take_fewer(hook) is hook


# --- options --------------------------------------------------------------------------


class Root(metaclass=ABCMeta):
    """Stands in for `Server`, and does what it does with the contract's help."""

    options: dict[str, object] = {"default": True}
    layers: list[dict[str, object]]
    _own_options: object = {}

    def __init_subclass__(cls):
        cls._own_options = vars(cls).get("options", {})
        cls.layers = own_options(cls, Root)
        cls.options = {key: value for layer in cls.layers for key, value in layer.items()}
        guard_public_methods(cls, Root)

    _is_nameless = False

    def __init__(self, startup=None):
        self._startup = startup

    async def _until_open_to_calls(self):
        pending = self._startup.run(lambda: None)
        if pending is not None:
            await pending

    def on_message(self):
        return "root"

    def set_name(self):
        return "root"


def test_a_subclass_lays_its_options_over_its_bases():
    class Base(Root):
        options = {"a": 1, "b": 1}

    class Chat(Base):
        options = {"b": 2}

    assert Chat.options == {"a": 1, "b": 2}
    assert Base.options == {"a": 1, "b": 1}


def test_a_class_without_options_has_its_bases():
    class Base(Root):
        options = {"a": 1}

    class Chat(Base):
        pass

    assert Chat.options == {"a": 1}


def test_a_mixin_that_is_no_server_may_set_options():
    class Mixin:
        options: dict[str, object] = {"a": "mixin", "b": "mixin"}

    class Chat(Mixin, Root):
        options = {"b": "chat"}

    assert Chat.options == {"a": "mixin", "b": "chat"}


def test_of_two_bases_the_first_wins():
    class Base(Root):
        options = {"a": "base", "b": "base", "c": "base"}

    class One(Base):
        options = {"a": "one"}

    class Other(Base):
        options = {"a": "other", "b": "other"}

    class Chat(One, Other):
        pass

    assert Chat.options == {"a": "one", "b": "other", "c": "base"}


# --- methods over RPC -----------------------------------------------------------------


class Startup:
    """Stands in for the real one: a call may run now, after a wait, or never."""

    def __init__(self, *, started=False, error=None, waits=True):
        self.open_to_calls = started
        self.error = error
        self.waits = waits

    def run(self, event):
        if self.waits:
            return self._wait(event)
        self.open_to_calls = True
        return event()

    async def _wait(self, event):
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.open_to_calls = True
        return event()


class Chat(Root):
    constant = 1

    def add(self, a, b=0, /, *more, c=0):
        """Adds up."""
        return self._startup.open_to_calls, a + b + sum(more) + c

    async def add_later(self, a, b):
        await asyncio.sleep(0)
        return self._startup.open_to_calls, a + b

    def fail(self):
        raise ValueError("boom")

    def takes_self(self, **keywords):
        return keywords

    def _private(self):
        return "private"

    def on_message(self):
        return "chat"

    @staticmethod
    def static():
        return "static"

    @classmethod
    def of_class(cls):
        return cls

    @property
    def size(self):
        return 3


def test_a_started_servers_method_is_called_at_once():
    chat = Chat(Startup(started=True))
    assert chat.add(1, 2, 3, c=4) == (True, 10)
    assert asyncio.run(chat.add_later(1, 2)) == (True, 3)


@pytest.mark.parametrize("waits", [True, False])
def test_a_method_sees_a_started_server(waits):
    assert asyncio.run(Chat(Startup(waits=waits)).add(1, 2, 3, c=4)) == (True, 10)
    assert asyncio.run(Chat(Startup(waits=waits)).add_later(1, 2)) == (True, 3)


def test_a_method_of_a_server_that_cannot_start_is_not_called():
    chat = Chat(Startup(error=RuntimeError("no database")))
    with pytest.raises(RuntimeError, match="no database"):
        asyncio.run(chat.fail())


@pytest.mark.parametrize("started", [True, False])
def test_what_a_method_raises_reaches_its_caller(started):
    async def call():
        result = Chat(Startup(started=started)).fail()
        return await result

    with pytest.raises(ValueError, match="boom"):
        asyncio.run(call())


def test_a_method_may_have_a_keyword_called_anything():
    chat = Chat(Startup(started=True))
    assert chat.takes_self(method=1, args=2) == {"method": 1, "args": 2}
    chat = Chat(Startup())
    assert asyncio.run(chat.takes_self(server=1, call=2)) == {"server": 1, "call": 2}


def test_a_method_looks_as_it_was_written():
    assert Chat.add.__name__ == "add"
    assert Chat.add.__doc__ == "Adds up."
    assert str(inspect.signature(Chat.add)) == "(self, a, b=0, /, *more, c=0)"


def test_hooks_private_methods_and_other_members_are_left_alone():
    chat = Chat()  # without a startup that could be asked
    assert chat._private() == "private"
    assert chat.on_message() == "chat"
    assert chat.set_name() == "root"
    assert Chat.static() == chat.static() == "static"
    assert chat.of_class() is Chat
    assert (chat.size, chat.constant) == (3, 1)


def is_guarded(server, name):
    return inspect.iscoroutine(coroutine := getattr(server(Startup()), name)()) and (
        coroutine.close() or True  # type: ignore[func-returns-value]
    )


class Mixin:
    def hello(self):
        return "mixin"

    def bye(self):
        return "mixin"

    def on_message(self):
        return "mixin"


def test_a_mixins_methods_see_a_started_server_too():
    class Mixed(Mixin, Root):
        pass

    assert is_guarded(Mixed, "hello")
    assert Mixed().on_message() == "mixin"
    assert "hello" in vars(Mixin)
    assert Mixin().hello() == "mixin"


def test_a_class_may_override_its_mixins_method():
    class Mixed(Mixin, Root):
        def hello(self):
            return "mixed, " + super().hello()

    assert is_guarded(Mixed, "hello")
    assert Mixed(Startup(started=True)).hello() == "mixed, mixin"


def test_a_subclass_has_its_bases_override_of_a_mixins_method():
    class Mixed(Mixin, Root):
        def hello(self):
            return "mixed"

    class Sub(Mixed):
        pass

    assert Sub(Startup(started=True)).hello() == "mixed"
    assert Sub(Startup(started=True)).bye() == "mixin"
    assert is_guarded(Sub, "hello")
    assert is_guarded(Sub, "bye")


def test_a_mixin_behind_a_server_does_not_hide_its_methods():
    class Base(Root):
        def hello(self):
            return "base"

    class Mixed(Base, Mixin):
        pass

    assert Mixed(Startup(started=True)).hello() == "base"
    assert Mixed(Startup(started=True)).bye() == "mixin"
    assert is_guarded(Mixed, "bye")


def test_of_two_mixins_the_first_wins():
    class Other:
        def hello(self):
            return "other"

    class Mixed(Other, Mixin, Root):
        pass

    assert Mixed(Startup(started=True)).hello() == "other"
    assert Mixed(Startup(started=True)).bye() == "mixin"


@pytest.mark.parametrize("later", [False, True])
def test_an_overridden_fetch_runs_before_the_start_and_its_own_calls_are_not_held_back(later):
    class Own(Root):
        def fetch(self, request):
            seen = request, calls_are_own.get(), self._startup.open_to_calls
            return self._later(seen) if later else seen

        async def _later(self, seen):
            await asyncio.sleep(0)
            return seen

    async def call():
        answer = await Own(Startup()).fetch("request")
        return answer, calls_are_own.get()

    assert asyncio.run(call()) == (("request", True, False), False)


def test_the_roots_own_bases_are_left_alone():
    class Ground:
        def ping(self):
            return "ground"

    class Tree(Ground):
        pass

    class Leaf(Tree):
        pass

    guard_public_methods(Leaf, Tree)
    assert Leaf().ping() == "ground"
