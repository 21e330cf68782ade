"""`Server[Env]` at run time, where the SDK's `__init_subclass__` stops what `Generic` needs."""

from __future__ import annotations

import pickle
from types import new_class
from typing import Any, Generic, TypeVar, cast

import pytest
from partyserver import environment, reserved
from partyserver.parts import Part, attach, parts_of

from .test_definition import Root

T = TypeVar("T")
U = TypeVar("U")
#: For type checkers it is another one, which tests/types/environment.py is about.
EnvHolder: Any = environment.EnvHolder
Env: Any = environment.Env


class SdkObject:
    """As `workers.DurableObject`: it does not call the next one."""

    def __init_subclass__(cls, **_kwargs: Any) -> None:
        pass


class Room(Root, SdkObject, EnvHolder[Env]):
    """As `Server` is made."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)


OfEnv: Any = Room


@attach(Part(name="mixin", rank=1))
class Mixin:
    pass


class Bindings:
    SECRET: str


def test_with_an_env_it_is_the_class_itself():
    assert OfEnv[Bindings] is Room
    assert OfEnv["Bindings"] is Room  # not there yet, or for type checkers only
    assert EnvHolder[Env] is EnvHolder
    assert pickle.loads(pickle.dumps(OfEnv[Bindings])) is Room


def test_a_subclass_has_the_bases_that_it_has_without_an_env():
    class Plain(Room):
        pass

    class Typed(OfEnv[Bindings]):
        pass

    assert Typed.__mro__[1:] == Plain.__mro__[1:]
    assert Generic not in Typed.__mro__
    assert "__orig_bases__" not in vars(Typed)
    assert cast(Any, Typed)[Bindings] is Typed


def test_mixins_stand_before_or_behind_it():
    class Before(Mixin, OfEnv[Bindings]):
        pass

    class Behind(OfEnv[Bindings], Mixin):
        pass

    for cls in (Before, Behind):
        assert [part.name for part in parts_of(cls).all] == ["mixin"]
        assert reserved.definition_of(cls).parts.all


def test_the_checks_of_a_class_see_the_same_class():
    with pytest.raises(TypeError, match=r"^Typed\.onMessage is never called; name it on_message$"):

        class Typed(OfEnv[Bindings]):
            def onMessage(self): ...


@pytest.mark.parametrize("generic_first", [True, False])
def test_a_base_of_ones_own_may_be_generic(generic_first):
    of_t: Any = Generic.__class_getitem__(T)
    bases = (of_t, OfEnv[T]) if generic_first else (OfEnv[T], of_t)
    Shared: Any = new_class("Shared", bases)

    class Typed(Shared[Bindings]):
        pass

    class Mixed(Mixin, Shared[Bindings]):
        pass

    for cls in (Typed, Mixed):
        assert issubclass(cls, Shared)
        assert isinstance(reserved.definition_of(cls).options, dict)
        assert cls(None)


def test_a_generic_mixin_of_ones_own_may_stand_beside_it():
    class Box(Generic[T]):
        pass

    class Boxed(Box[int], OfEnv[Bindings]):
        pass

    assert issubclass(Boxed, Box)
    assert OfEnv[Bindings] is Room


def test_a_generic_base_of_ones_own_may_have_parameters_beside_it():
    of_both: Any = Generic.__class_getitem__((T, U))
    Shared: Any = new_class("Shared", (OfEnv[T], of_both))

    class Typed(Shared[Bindings, int]):
        pass

    assert issubclass(Typed, Shared)
    assert cast(Any, Typed)(None)


def test_there_is_one_env():
    with pytest.raises(TypeError, match=r"^Room takes one type, that of its env: Room\[Env\]$"):
        OfEnv[Bindings, int]
