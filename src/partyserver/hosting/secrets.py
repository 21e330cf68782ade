"""Where the values of secrets come from: the environment, or a file that others cannot read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..project.errors import CommandError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def from_environment(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """
    Raises:
        CommandError: it names all that are missing.
    """
    if lacking := [name for name in names if name not in environ]:
        raise CommandError(
            f"the environment has no {', '.join(lacking)}, which --secrets names: set it before "
            "the start"
        )
    for name in names:
        try:
            environ[name].encode()
        except UnicodeEncodeError:
            raise CommandError(f"the secret {name} in the environment is no UTF-8") from None
    return {name: environ[name] for name in names}


def from_file(path: Path) -> dict[str, str]:
    """The secrets in a file of lines NAME=VALUE, as a `.dev.vars` has them.

    Raises:
        CommandError: it cannot be read, others than its owner can read it, or a line is none.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            if _is_open_to_others(file.fileno()):
                raise CommandError(
                    f"{path} can be read by others than its owner: run `chmod 600 {path}`"
                )
            text = file.read()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} cannot be read: it is no UTF-8") from None
    found = {}
    for number, line in enumerate(text.split("\n"), 1):  # values may hold other ends of lines
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        # The line itself is not told: it may hold what is to stay secret.
        if match is None:
            raise CommandError(f"{path}, line {number} is not NAME=VALUE")
        try:
            found[match[1]] = _value(match[2])
        except ValueError as error:
            raise CommandError(f"{path}, line {number}: {error}") from None
    return found


def _is_open_to_others(file: int) -> bool:
    """Whether others can read a file that could be closed to them.

    What a container or systemd mounts to be read only is theirs: its modes are not ours to change.
    """
    is_open = stat.S_IMODE(os.fstat(file).st_mode) & 0o077
    return bool(is_open) and not os.fstatvfs(file).f_flag & os.ST_RDONLY


def _value(text: str) -> str:
    """A value: in quotes, or up to a comment.

    Raises:
        ValueError: a quote does not end.
    """
    if quoted := re.fullmatch(r"'([^']*)'\s*(?:#.*)?", text):
        return quoted[1]
    if quoted := re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?', text):
        return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[0]), quoted[1])
    if text.startswith(("'", '"')):
        raise ValueError("a quote does not end")
    return re.sub(r"\s+#.*", "", text).strip()
