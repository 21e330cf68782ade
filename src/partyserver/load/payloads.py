"""What is sent, and how it is known again in what comes."""

from __future__ import annotations

import re

from .errors import LoadError

DEFAULT = '{"id": "{id}"}'
PADDED = '{"id": "{id}", "pad": "{pad}"}'


class Payload:
    """Messages that each have an id: the run's, the connection's and a number.

    Whatever a server makes of a message, it is known by its id: nothing in there is changed by
    JSON or by HTML.
    """

    def __init__(self, run: str, template: str | None = None, size: int | None = None) -> None:
        """
        Args:
            run: the same in all messages, and in those of no other run: letters and digits.
            template: `{id}` and `{n}`, the message's number in its connection, are replaced,
                and `{pad}` by as many letters as it takes to the size.
            size: in bytes of UTF-8. A message that is longer anyway stays so.

        Raises:
            LoadError: the template has no place for the id, or none for what the size needs.
        """
        self._template = template or (DEFAULT if size is None else PADDED)
        self._size = size or 0
        self._run = run
        self._find = re.compile(rf"{run}\.(\d+)\.(\d+)(?!\d)").search
        if "{id}" not in self._template:
            raise LoadError(
                f"the payload {self._template!r} has no {{id}}, by which its echo would be known"
            )
        if size is not None and "{pad}" not in self._template:
            raise LoadError(f"a size needs a {{pad}} in the payload {self._template!r}")

    def make(self, connection: int, number: int) -> str:
        text = self._template.replace("{id}", f"{self._run}.{connection}.{number}")
        text = text.replace("{n}", str(number))
        if "{pad}" in text:
            bare = text.replace("{pad}", "")
            text = text.replace("{pad}", "x" * (self._size - len(bare.encode())), 1)
            text = text.replace("{pad}", "")
        return text

    def read(self, message: str | bytes) -> tuple[int, int] | None:
        """The connection that has sent it, and the number; None of what is not of this run."""
        text = message if isinstance(message, str) else message.decode("latin-1")
        found = self._find(text)
        return (int(found[1]), int(found[2])) if found else None
