"""`Server[Env]`: what a room's bindings are, for type checkers; at run time it is `Server`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Env = TypeVar("Env", default=Any)

    class EnvHolder(Generic[Env]):
        """The base of classes whose `env` has a type, `Any` if nobody says which."""

else:
    # `Generic` keeps what it needs on each subclass, and the SDK's `DurableObject` does not let it.
    Env = Any

    class EnvHolder:
        """The base of classes whose `env` has a type, `Any` if nobody says which."""

        def __class_getitem__(cls, env: Any) -> type:
            # A generic base of a user's own may have parameters beside it, which are its matter.
            if isinstance(env, tuple) and Generic not in cls.__mro__:
                raise TypeError(
                    f"{cls.__name__} takes one type, that of its env: {cls.__name__}[Env]"
                )
            return cls
