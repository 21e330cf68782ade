"""A `wrangler dev` that runs, for tests of what it does beside the testing kit's runtime."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from .ports import reserved

ROOT = Path(__file__).parents[1]

#: Seconds. Only a failing test waits this long.
TIMEOUT = 300


class Dev:
    """A running `wrangler dev`."""

    def __init__(self, folder, port, *program):
        self.port = port
        flags = ["python_workers", "python_workers_development", "experimental"]
        self.process = subprocess.Popen(
            [
                *(program or ("wrangler",)),
                *("dev", "--ip", "127.0.0.1", "--port", str(self.port)),
                *("--inspector-port", "0", "--show-interactive-dev-session=false"),
                *("--compatibility-flags", *flags),
            ],
            cwd=folder,
            env=os.environ
            | {
                "PATH": os.pathsep.join([f"{ROOT}/node_modules/.bin", os.environ["PATH"]]),
                "MINIFLARE_WORKERD_PATH": str(ROOT / "tools" / "workerd.sh"),
                "WRANGLER_SEND_METRICS": "false",
                "CLOUDFLARE_CF_FETCH_ENABLED": "false",
                "FORCE_COLOR": "0",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.said = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.said += line
                self._news.notify_all()

    def wait_for(self, text, since=0):
        with self._news:
            assert self._news.wait_for(lambda: text in self.said[since:], TIMEOUT), self.said

    def answer(self, path="/parties/chat/lobby"):
        url = f"http://127.0.0.1:{self.port}{path}"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:
            return response.read().decode()

    def wait_until_it_answers(self, text, path="/parties/chat/lobby"):
        deadline = time.monotonic() + TIMEOUT
        answer = None
        while answer != text:
            assert time.monotonic() < deadline, (answer, self.said)
            assert self.process.poll() is None, self.said
            try:
                answer = self.answer(path)
            except (OSError, urllib.error.URLError) as error:
                answer = error
            time.sleep(0.1)

    def end(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._reader.join()
        self.process.stdout.close()


@contextmanager
def running(folder, *program):
    with reserved() as port:
        dev = Dev(folder, port, *program)
        try:
            yield dev
        finally:
            dev.end()
