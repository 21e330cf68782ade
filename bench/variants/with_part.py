"""This library with a part in each room, which sees each message and leaves it to the hook."""

from typing import Any

import partyserver
from partyserver.parts import NOT_MINE, Part, attach


@attach(Part(name="watching", rank=1, message=lambda server, connection, message: NOT_MINE))
class Watching: ...


class Watched(Watching, partyserver.Server): ...


library: Any = partyserver
library.Server = Watched

from library import *  # noqa: E402, F403
