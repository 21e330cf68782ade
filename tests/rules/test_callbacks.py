from functools import partialmethod, wraps

import pytest
from partyserver.rules.callbacks import find, name_of, takes_payload


def passing_on(function):
    """A decorator that takes whatever it wraps takes."""

    @wraps(function)
    def decorated(*args, **kwargs):
        return function(*args, **kwargs)

    return decorated


def deciding(function):
    """A decorator whose function takes other arguments than what it wraps."""

    @wraps(function)
    def decorated(self):
        return function(self, 1, 2)

    return decorated


def nameless(function):
    return lambda self: function(self)


class Room:
    def takes_it(self, payload): ...

    async def may_take_it(self, payload=None): ...

    def takes_nothing(self): ...

    def takes_all(self, *payloads): ...

    def takes_keywords(self, **options): ...

    @staticmethod
    def static(payload): ...

    @classmethod
    def of_class(cls): ...

    @passing_on
    @passing_on
    def decorated(self): ...

    @passing_on
    def decorated_and_takes_it(self, payload): ...

    @deciding
    def decided(self, one, two): ...

    @nameless
    def lost_its_name(self): ...

    def two(self, one, two): ...

    partial = partialmethod(two, 1)

    def keyword(self, *, needed): ...

    def generator(self):
        yield

    async def async_generator(self, payload):
        yield

    @passing_on
    def decorated_generator(self):
        yield

    class Nested: ...

    attribute = 1

    @property
    def asked(self):
        raise AssertionError("a property is not asked")

    another_name = takes_it

    def __init__(self):
        self.own = lambda payload: None


@pytest.fixture
def room():
    return Room()


@pytest.mark.parametrize(
    "name",
    [
        *("takes_it", "may_take_it", "takes_all", "static"),
        *("decorated_and_takes_it", "partial", "another_name"),
    ],
)
def test_these_take_the_payload(room, name):
    assert name_of(room, name) == name
    assert takes_payload(find(room, name))


@pytest.mark.parametrize(
    "name",
    ["takes_nothing", "takes_keywords", "of_class", "decorated", "decided", "lost_its_name"],
)
def test_these_take_nothing(room, name):
    assert name_of(room, name) == name
    assert not takes_payload(find(room, name))


@pytest.mark.parametrize("name", ["takes_it", "static", "of_class", "decorated"])
def test_a_method_stands_for_its_name(room, name):
    assert name_of(room, getattr(room, name)) == name
    assert name_of(room, room.another_name) == "takes_it"


@pytest.mark.parametrize("name", ["two", "keyword"])
def test_a_callback_that_needs_more_is_refused(room, name):
    with pytest.raises(TypeError, match=rf"Room\.{name}\(.* must take the payload, or nothing"):
        name_of(room, name)


@pytest.mark.parametrize("name", ["generator", "async_generator", "decorated_generator"])
def test_a_callback_that_would_not_run_is_refused(room, name):
    with pytest.raises(TypeError, match=rf"Room\.{name} has a yield in it"):
        name_of(room, name)


@pytest.mark.parametrize("name", ["nothing", "own", ""])
def test_a_method_that_is_not_there_is_refused(room, name):
    with pytest.raises(ValueError, match=f"Room has no method '{name}' for a timer to call"):
        name_of(room, name)
    assert find(room, name) is None


@pytest.mark.parametrize("name", ["asked", "attribute", "Nested"])
def test_what_is_no_method_is_refused(room, name):
    with pytest.raises(TypeError, match=rf"Room\.{name} is no method"):
        name_of(room, name)


@pytest.mark.parametrize(
    "callback",
    [lambda _: None, len, Room().takes_it, Room.takes_it, None, 1, Room.Nested],
    ids=["lambda", "builtin", "of another", "unbound", "None", "int", "class"],
)
def test_what_does_not_outlive_memory_is_refused(room, callback):
    with pytest.raises(TypeError, match=r"a callback is a method of Room, as self\.method or"):
        name_of(room, callback)


def test_the_rooms_own_attributes_do_not_outlive_memory_either(room):
    for callback in (room.own, room.lost_its_name):
        with pytest.raises(TypeError, match="a timer outlives the room's memory"):
            name_of(room, callback)


def test_what_tells_nothing_of_its_arguments_gets_the_payload():
    assert takes_payload(dict.fromkeys)
    assert takes_payload(type("Opaque", (), {"__signature__": "none", "__call__": len})())


@pytest.mark.parametrize("name", ["__init__", "__repr__", "alarm", "fetch", "setName"])
def test_what_the_runtime_calls_is_refused(name):
    class Room:
        def alarm(self): ...

        def fetch(self, request): ...

        def setName(self, name): ...

    with pytest.raises(ValueError, match=rf"Room\.{name} is called by the runtime"):
        name_of(Room(), name)
