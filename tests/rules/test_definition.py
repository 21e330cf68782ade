"""What happens to a class of rooms when it is created."""

import asyncio
import inspect
from abc import ABCMeta
from dataclasses import dataclass
from typing import Any, cast

import pytest
from partyserver import reserved
from partyserver.definition import define, define_root
from partyserver.parts import NOT_MINE, Mark, Part, attach, mark_of, parts_of
from partyserver.reserved import LifeHolder, definition_of, give_life, life_of
from partyserver.rules.contract import calls_are_own
from partyserver.rules.options import DEFAULTS


class Life:
    """Stands in for the real one: a call may run now, after a wait, or never."""

    def __init__(self, *, started=False, error=None):
        self.is_open_to_calls = started
        self.error = error
        self.kept_by_parts = {}

    async def until_open_to_calls(self):
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.is_open_to_calls = True


class Root(LifeHolder, metaclass=ABCMeta):
    """Stands in for `Server`."""

    options: Any = DEFAULTS

    def __init_subclass__(cls):
        define(cls, Root)

    def __init__(self, life=None):
        give_life(self, life)

    def on_start(self, props=None):
        pass

    def on_message(self, connection, message):
        return "root"

    def set_name(self):
        return "root"

    def broadcast(self, message):
        return f"root: {message}"


define_root(Root)


def options_of(cls):
    defaults = dict(DEFAULTS)
    return {key: value for key, value in cls.options.items() if value != defaults[key]}


# --- options --------------------------------------------------------------------------


def test_a_subclass_lays_its_options_over_its_bases():
    class Base(Root):
        options = {"debug": True, "max_message_size": 1}

    class Chat(Base):
        options = {"max_message_size": 2}

    assert options_of(Chat) == {"debug": True, "max_message_size": 2}
    assert options_of(Base) == {"debug": True, "max_message_size": 1}
    assert options_of(Root) == {}


def test_a_class_without_options_has_its_bases():
    class Base(Root):
        options = {"debug": True}

    class Chat(Base):
        pass

    assert options_of(Chat) == {"debug": True}


def test_a_mixin_that_is_no_server_may_set_options():
    class Mixin:
        options = {"debug": True, "max_message_size": 1}

    class Chat(Mixin, Root):
        options = {"max_message_size": 2}

    assert options_of(Chat) == {"debug": True, "max_message_size": 2}


def test_of_two_bases_the_first_wins():
    class Base(Root):
        options = {"debug": True, "hibernate": True, "max_message_size": 1}

    class One(Base):
        options = {"debug": False}

    class Other(Base):
        options = {"debug": True, "max_message_size": 2}

    class Chat(One, Other):
        pass

    assert options_of(Chat) == {"hibernate": True, "max_message_size": 2}


# --- names ----------------------------------------------------------------------------


def test_the_one_reserved_name_is_refused_with_a_sentence():
    sentence = r"Chat\._partyserver is the one name that partyserver keeps for itself"

    def method(self):
        pass

    for member in (method, 1, None, property(method)):
        with pytest.raises(TypeError, match=sentence):
            type("Chat", (Root,), {reserved.NAME: member})
    with pytest.raises(TypeError, match=sentence):
        type("Chat", (Root,), {"__slots__": (reserved.NAME,)})
    mixin = type("Mixin", (), {reserved.NAME: 1})
    with pytest.raises(TypeError, match=sentence):
        type("Chat", (mixin, Root), {})


def test_the_reserved_name_cannot_be_assigned_or_deleted():
    class Chat(Root):
        pass

    life = Life()
    chat: Any = Chat(life)
    with pytest.raises(TypeError, match=r"Chat\._partyserver is the one name"):
        chat._partyserver = 1
    with pytest.raises(TypeError, match=r"Chat\._partyserver is the one name"):
        del chat._partyserver
    assert chat._partyserver is life
    assert cast(Any, life_of(chat)) is life


def test_a_users_attributes_may_have_any_other_name():
    chat: Any = Chat(Life())
    for name in {name for name in dir(Root) if not name.startswith("__")} - {reserved.NAME}:
        setattr(chat, name, "mine")
    chat._life = chat._name = "mine"
    assert isinstance(life_of(chat), Life)


def test_the_reserved_name_of_a_class_cannot_be_assigned_later():
    class Meta(ABCMeta):
        def __setattr__(cls, name, value):
            reserved.check_assignment(cls, name, value)
            super().__setattr__(name, value)

    class Strict(Root, metaclass=Meta): ...

    with pytest.raises(TypeError, match=r"Strict\._partyserver is the one name"):
        Strict._partyserver = 1
    Strict._other = 1


def test_a_class_that_was_created_past_the_library_is_noticed():
    class Registry:
        def __init_subclass__(cls):
            pass

    assert reserved.is_undefined(type("Room", (Registry, Root), {}))
    assert not reserved.is_undefined(Root)
    assert not reserved.is_undefined(type("Room", (Root,), {}))


@dataclass(slots=True)
class Scores:
    total: int = 0


def test_a_base_with_a_layout_of_its_own_may_stand_beside_it():
    class Room(Scores, Root):
        def __init__(self):
            Root.__init__(self, Life())
            self.total = 1

    assert Room().total == 1


def test_options_that_are_none_are_none_of_the_classs_own():
    class Base(Root):
        options: Any = {"debug": True}

    class Room(Base):
        options: Any = None

    assert options_of(Room) == {"debug": True}


def test_a_class_can_be_made_again_from_its_members():
    """As `dataclass(slots=True)` does."""

    class Chat(Root):
        options = {"debug": True}

    again = type("Chat", (Root,), dict(vars(Chat)))
    assert options_of(again) == {"debug": True}
    assert definition_of(again) is not definition_of(Chat)


# --- methods over RPC -----------------------------------------------------------------


class Chat(Root):
    constant = 1

    def add(self, a, b=0, /, *more, c=0):
        """Adds up."""
        return life_of(self).is_open_to_calls, a + b + sum(more) + c

    async def add_later(self, a, b):
        await asyncio.sleep(0)
        return life_of(self).is_open_to_calls, a + b

    def fail(self):
        raise ValueError("boom")

    def takes_self(self, **keywords):
        return keywords

    def _private(self):
        return "private"

    def on_message(self, connection, message):
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
    chat = Chat(Life(started=True))
    assert chat.add(1, 2, 3, c=4) == (True, 10)
    assert asyncio.run(chat.add_later(1, 2)) == (True, 3)


def test_a_method_sees_a_started_server():
    assert asyncio.run(Chat(Life()).add(1, 2, 3, c=4)) == (True, 10)
    assert asyncio.run(Chat(Life()).add_later(1, 2)) == (True, 3)


def test_a_method_of_a_server_that_cannot_start_is_not_called():
    chat = Chat(Life(error=RuntimeError("no database")))
    with pytest.raises(RuntimeError, match="no database"):
        asyncio.run(chat.fail())


@pytest.mark.parametrize("started", [True, False])
def test_what_a_method_raises_reaches_its_caller(started):
    async def call():
        result = Chat(Life(started=started)).fail()
        return await result

    with pytest.raises(ValueError, match="boom"):
        asyncio.run(call())


def test_a_method_may_have_a_keyword_called_anything():
    chat = Chat(Life(started=True))
    assert chat.takes_self(method=1, args=2) == {"method": 1, "args": 2}
    chat = Chat(Life())
    assert asyncio.run(chat.takes_self(server=1, call=2)) == {"server": 1, "call": 2}


def test_a_method_looks_as_it_was_written():
    assert Chat.add.__name__ == "add"
    assert Chat.add.__doc__ == "Adds up."
    assert str(inspect.signature(Chat.add)) == "(self, a, b=0, /, *more, c=0)"


def test_hooks_private_methods_and_other_members_are_left_alone():
    chat = Chat()  # without a life that could be asked
    assert chat._private() == "private"
    assert chat.on_message(None, "") == "chat"
    assert chat.set_name() == "root"
    assert Chat.static() == chat.static() == "static"
    assert chat.of_class() is Chat
    assert (chat.size, chat.constant) == (3, 1)


def is_guarded(server, name):
    result = getattr(server(Life()), name)()
    if inspect.iscoroutine(result):
        result.close()
        return True
    return False


class Mixin:
    def hello(self):
        return "mixin"

    def bye(self):
        return "mixin"

    def on_message(self, connection, message):
        return "mixin"


def test_a_mixins_methods_see_a_started_server_too():
    class Mixed(Mixin, Root):
        pass

    assert is_guarded(Mixed, "hello")
    assert Mixed().on_message(None, "") == "mixin"
    assert "hello" in vars(Mixin)
    assert Mixin().hello() == "mixin"


def test_a_class_may_override_its_mixins_method():
    class Mixed(Mixin, Root):
        def hello(self):
            return "mixed, " + super().hello()

    assert is_guarded(Mixed, "hello")
    assert Mixed(Life(started=True)).hello() == "mixed, mixin"


def test_a_subclass_has_its_bases_override_of_a_mixins_method():
    class Mixed(Mixin, Root):
        def hello(self):
            return "mixed"

    class Sub(Mixed):
        pass

    assert Sub(Life(started=True)).hello() == "mixed"
    assert Sub(Life(started=True)).bye() == "mixin"
    assert is_guarded(Sub, "hello")
    assert is_guarded(Sub, "bye")


def test_a_mixin_behind_a_server_does_not_hide_its_methods():
    class Base(Root):
        def hello(self):
            return "base"

    class Mixed(Base, Mixin):
        pass

    assert Mixed(Life(started=True)).hello() == "base"
    assert Mixed(Life(started=True)).bye() == "mixin"
    assert is_guarded(Mixed, "bye")


def test_of_two_mixins_the_first_wins():
    class Other:
        def hello(self):
            return "other"

    class Mixed(Other, Mixin, Root):
        pass

    assert Mixed(Life(started=True)).hello() == "other"
    assert Mixed(Life(started=True)).bye() == "mixin"


@pytest.mark.parametrize("later", [False, True])
def test_an_overridden_fetch_runs_before_the_start_and_its_own_calls_are_not_held_back(later):
    class Own(Root):
        def fetch(self, request):
            seen = request, calls_are_own.get(), life_of(self).is_open_to_calls
            return self._later(seen) if later else seen

        async def _later(self, seen):
            await asyncio.sleep(0)
            return seen

    async def call():
        answer = await Own(Life()).fetch("request")
        return answer, calls_are_own.get()

    assert asyncio.run(call()) == (("request", True, False), False)


def test_the_roots_own_bases_are_left_alone():
    class Ground:
        def ping(self):
            return "ground"

    class Tree(Ground):
        on_start = Root.on_start
        options: Any = DEFAULTS

    class Leaf(Tree):
        pass

    define_root(Tree)
    define(Leaf, Tree)
    assert Leaf().ping() == "ground"


def test_a_users_method_with_a_name_of_the_servers_keeps_its_wait():
    class Own(Root):
        def broadcast(self, message):
            return f"own: {super().broadcast(message)}"

        def set_name(self):
            return "own"

    assert asyncio.run(Own(Life()).broadcast("hello")) == "own: root: hello"
    assert Own(Life(started=True)).broadcast("hello") == "own: root: hello"
    assert Own().set_name() == "own"  # it has to do with the start itself


# --- storage --------------------------------------------------------------------------


def test_migrations_are_checked_and_counted_when_the_class_is_created():
    class Base(Root):
        migrations: Any = ["create"]

    class Room(Base):
        migrations = ["alter"]

    plan = definition_of(Room).plan
    assert [(one.owner, one.number) for one in plan.migrations] == [("Base", 1), ("Room", 1)]
    assert definition_of(Root).plan.owners == definition_of(Chat).plan.owners == ()
    with pytest.raises(TypeError, match=r"Room\.migrations is a list of SQL statements, not str"):
        type("Room", (Root,), {"migrations": "create"})


def test_what_is_for_the_room_alone_is_hidden_unless_the_class_has_its_own():
    class Room(Root):
        def transaction(self):
            return "own"

    class Sub(Room): ...

    for cls in (Room, Sub):
        room = cls(Life(started=True))
        for name in ("sql_one", "sql_value", "sql_json"):
            with pytest.raises(AttributeError, match=f"{name} cannot be called from outside"):
                reserved.check_callable(room, name)
        reserved.check_callable(room, "transaction")
        reserved.check_callable(room, "sql")


# --- parts ----------------------------------------------------------------------------


def handler(name):
    return lambda *arguments: (name, arguments)


class TestParts:
    def test_a_class_without_mixins_has_none(self):
        parts = definition_of(Chat).parts
        assert (parts.all, parts.message, parts.alarm, parts.hidden) == ((), (), (), frozenset())

    def test_they_are_sorted_by_rank_into_one_tuple_for_each_event(self):
        first = Part(name="part", rank=1, message=handler("first"), closed=handler("first"))
        second = Part(name="part", rank=2, message=handler("second"), connecting=handler("second"))
        third = Part(name="part", rank=3, accepted=handler("third"), alarm=handler("third"))

        @attach(second)
        class Second: ...

        @attach(first)
        class First: ...

        @attach(third)
        class Third: ...

        for bases in [(Second, First, Third, Root), (Root, Third, First, Second)]:
            parts = definition_of(type("Room", bases, {})).parts
            assert parts.all == (first, second, third)
            assert parts.message == (first.message, second.message)
            assert parts.closed == (first.closed,)
            assert parts.connecting == (second.connecting,)
            assert parts.accepted == (third.accepted,)
            assert parts.alarm == (third.alarm,)

    def test_a_part_that_comes_by_two_ways_is_there_once(self):
        part = Part(name="part", rank=1, message=handler("part"))

        @attach(part)
        class Mixin: ...

        class One(Mixin, Root): ...

        class Two(Mixin, Root): ...

        class Both(One, Two): ...

        assert definition_of(Both).parts.all == (part,)

    def test_it_hears_of_each_class_that_has_it(self):
        seen = []

        def note(cls: Any):
            seen.append((cls.__name__, cls.options["debug"]))

        @attach(Part(name="part", rank=1, define=note))
        class Mixin: ...

        class Room(Mixin, Root):
            options = {"debug": True}

        class Sub(Room): ...

        assert seen == [("Room", True), ("Sub", True)]

    def test_what_it_refuses_the_class_statement_refuses(self):
        def refuse(cls):
            raise TypeError(f"{cls.__name__} has no sends")

        mixin = attach(Part(name="part", rank=1, define=refuse))(type("Mixin", (), {}))
        with pytest.raises(TypeError, match="Room has no sends"):
            type("Room", (mixin, Root), {})

    def test_what_it_makes_of_a_class_is_kept_with_the_class(self):
        part = Part(name="part", rank=1, define=lambda cls: cls.__name__)
        mixin = attach(part)(type("Mixin", (), {}))
        room = type("Room", (mixin, Root), {})
        sub = type("Sub", (room,), {})
        assert (part.defined(room), part.defined(sub)) == ("Room", "Sub")

    def test_a_decorator_marks_methods_that_it_calls_as_hooks(self):
        part = Part(name="part", rank=1)
        mixin: Any = attach(part)(type("Mixin", (), {}))

        def say(self):
            return "said"

        mark = Mark(part, "@on", "Mixin", value=1)
        mark.put_on(say)
        assert mark_of(say) is mark
        assert [mark_of(member) for member in (Chat, 1, len, Chat.__init__)] == [None] * 4

        class Room(mixin, Root):
            heard = say

        class Sub(Room):
            def heard(self):
                return "overridden"

        # At once, as hooks are: others would wait for a start.
        assert (Room(Life()).heard(), Sub(Life()).heard()) == ("said", "overridden")
        for room in (Room(Life()), Sub(Life())):
            with pytest.raises(AttributeError, match=r"heard cannot be called from outside"):
                reserved.check_callable(room, "heard")
        with pytest.raises(TypeError, match=r"^Room\.heard has @on, .* Room\(Mixin, Server\)$"):
            type("Room", (Root,), {"heard": say})

    def test_a_method_that_a_decorator_has_marked_may_be_one_as_any_other(self):
        part = Part(name="part", rank=1)
        mixin: Any = attach(part)(type("Mixin", (), {}))

        def add(self):
            return "added"

        Mark(part, "@callable", "Mixin", is_public=True).put_on(add)
        room = type("Room", (mixin, Root), {"add": add})(Life())
        reserved.check_callable(room, "add")
        assert asyncio.run(room.add()) == "added"  # it waits for the start
        with pytest.raises(TypeError, match=r"^Room\.add has @callable, .* Room\(Mixin, Server\)$"):
            type("Room", (Root,), {"add": add})

    def test_it_may_bring_options_and_decide_others(self):
        part = Part(name="part", rank=1, options=("client_state",), always={"hibernate": True})
        mixin: Any = attach(part)(type("Mixin", (), {}))

        class Room(mixin, Root):
            options = {"client_state": "merge"}

        assert Room.options == {**DEFAULTS, "hibernate": True, "client_state": "merge"}
        other: Any = type("Other", (mixin, Root), {})
        assert "client_state" not in other.options
        with pytest.raises(TypeError, match="always True"):
            type("Room", (mixin, Root), {"options": {"hibernate": False}})
        with pytest.raises(TypeError, match="no base"):
            type("Room", (Root,), {"options": {"client_state": "merge"}})

    def test_it_keeps_what_it_constructs_with_the_object(self):
        part = Part(name="part", rank=1, construct=lambda server: [server])
        without = Part(name="part", rank=2)
        mixin = attach(part)(type("Mixin", (), {}))
        other = attach(without)(type("Other", (), {}))
        room = type("Room", (mixin, other, Root), {})(Life())
        life_of(room).kept_by_parts[part] = [room]
        assert part.of(room) == [room]

    def test_a_mixins_public_methods_are_not_for_callers_from_outside(self):
        @attach(Part(name="part", rank=1))
        class Mixin:
            def track(self):
                return "mixin"

            def untrack(self):
                return "mixin"

            def _private(self):
                return "mixin"

        class Room(Mixin, Root):
            def untrack(self):
                return "room, " + super().untrack()

        room = Room(Life(started=True))
        assert definition_of(Room).parts.hidden == {"track"}
        with pytest.raises(AttributeError, match=r"Room\.track cannot be called from outside"):
            reserved.check_callable(room, "track")
        reserved.check_callable(room, "untrack")
        reserved.check_callable(object(), "track")
        assert (room.track(), room.untrack()) == ("mixin", "room, mixin")
        # And so there is nothing to wait for: only the room's own code calls it.
        assert Room(Life()).track() == "mixin"

    def test_it_may_ask_for_what_a_part_of_a_lower_rank_keeps(self):
        """As an agent asks for its timers."""
        low = Part(name="part", rank=1, construct=lambda server: "low")
        high = Part(name="part", rank=2, construct=lambda server: ["high", low.of(server)])
        room = type("Room", (attach(low)(type("Low", (), {})), Root), {})(Life())
        life_of(room).kept_by_parts[low] = "low"
        assert high.construct(room) == ["high", "low"]

    def test_what_has_to_act_at_once_is_no_coroutine_function(self):
        async def later(*_):
            return NOT_MINE

        for event in ("accepted", "message"):
            with pytest.raises(TypeError, match=f"{event} of a part acts at once"):
                Part(name="part", rank=1, **cast(Any, {event: later}))

    def test_a_mixins_own_hooks_are_checked_and_are_no_methods_for_callers(self):
        mixin: Any = attach(Part(name="part", rank=1, hooks={"on_join": ("key", "meta")}))(
            type("Mixin", (), {})
        )

        class Room(mixin, Root):
            def on_join(self, key, meta):
                return "joined"

        assert Room(Life()).on_join("key", None) == "joined"  # at once: it is called by the library
        with pytest.raises(
            TypeError, match=r"on_join\(self\) must take self and 2 arguments: .*, key, meta\)"
        ):
            type("Room", (mixin, Root), {"on_join": lambda self: None})

        def yielding(self, key, meta):
            yield

        with pytest.raises(TypeError, match="on_join has a yield in it"):
            type("Room", (mixin, Root), {"on_join": yielding})

    def test_a_mixin_that_derives_from_another_has_both_parts(self):
        low, high = Part(name="part", rank=1), Part(name="part", rank=2)

        @attach(low)
        class Timers:
            def schedule(self):
                return "mixin"

        @attach(high)
        class Agent(Timers):
            def set_state(self):
                return "mixin"

        class Room(Agent, Root): ...

        assert definition_of(Room).parts.all == (low, high)
        assert definition_of(Room).parts.hidden == {"schedule", "set_state"}

    def test_public_methods_of_a_mixins_plain_bases_are_hidden_too(self):
        class Helpers:
            def helper(self):
                return "mixin"

        mixin = attach(Part(name="part", rank=1))(type("Mixin", (Helpers,), {}))
        assert definition_of(type("Room", (mixin, Root), {})).parts.hidden == {"helper"}

    def test_a_part_is_attached_before_there_is_a_server(self):
        with pytest.raises(TypeError, match="Chat is created already"):
            attach(Part(name="part", rank=1))(Chat)

    def test_a_class_of_no_server_has_parts_of_its_bases(self):
        part = Part(name="part", rank=1, message=lambda *_: NOT_MINE)
        mixin = attach(part)(type("Mixin", (), {}))
        assert parts_of(type("Base", (mixin,), {})).all == (part,)
