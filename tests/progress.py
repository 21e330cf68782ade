"""Commands that may take their time, as long as they have something to say."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

#: Seconds without any output. It is there against hangs: slow machines are silent for minutes.
SILENCE = 300.0


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    silence: float = SILENCE,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as `subprocess.run` does with `capture_output`.

    Raises:
        TimeoutError: it said nothing for `silence` seconds, and was killed with all that it had
            started; the message holds what it had said.
    """
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        streams = _Stream(process.stdout), _Stream(process.stderr)
        try:
            for stream in streams:
                _read_to_end(stream, streams, silence)
            code = process.wait(silence)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    stdout, stderr = (stream.text for stream in streams)
    return subprocess.CompletedProcess(command, code, stdout, stderr)


class _Stream(threading.Thread):
    def __init__(self, pipe: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._chunks: list[bytes] = []
        self.last = time.monotonic()
        self.start()

    def run(self) -> None:
        # Not by lines: pytest -q writes a dot, and no line, for each test.
        while chunk := os.read(self._pipe.fileno(), 65_536):
            self._chunks.append(chunk)
            self.last = time.monotonic()

    @property
    def text(self) -> str:
        return b"".join(self._chunks).decode(errors="replace")


def _read_to_end(stream: _Stream, streams: Sequence[_Stream], silence: float) -> None:
    while True:
        left = max(each.last for each in streams) + silence - time.monotonic()
        stream.join(max(left, 0))
        if not stream.is_alive():
            return
        if left <= 0:
            said = "\n".join(each.text for each in streams)
            raise TimeoutError(f"nothing was said for {silence:g} s; before that:\n{said}")


def await_end(pids: Sequence[int], limit: float = 60) -> None:
    """Wait until none of these processes runs."""
    deadline = time.monotonic() + limit
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether a process runs still: one that has ended and that nobody waits for does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
