"""Where a server's CPU goes: `python -m bench.profile library "HTTP request"`.

It samples the server with Linux's perf while it does the work, and tells V8 to name its code.
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from .comparison import GROUPS
from .load import Load
from .rounds import calibrate
from .servers import running
from .works import Work

Stack = list[str]

#: What a sample counts for, by how its innermost function is called; the first that fits.
KINDS = {
    "Python": ("JS:wasm-function",),
    "Pyodide's JavaScript": ("JS:", "wasm-to-js", "js-to-wasm"),
    "V8": ("v8::", "Builtins_", "cppgc::", "Stub:", "RegExp"),
    "workerd": ("workerd::", "kj::", "kj_", "capnp::", "httparse", "hyper", "http::"),
    "memory": ("tcmalloc", "TCMalloc", "memmove", "memset", "clear_page"),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    parser.add_argument("server", help="npm, library, naive, unshortened or raw")
    parser.add_argument("work", help="a part of the work's title")
    parser.add_argument("--seconds", type=float, default=4, help="of the server's CPU")
    parser.add_argument("--within", nargs="*", default=[], help="functions, by a part of the name")
    parser.add_argument("--top", type=int, default=0, help="so many functions, by their own time")
    options = parser.parse_args()
    group, row = next(
        (group, row) for group in GROUPS for row in group.rows if options.work in row.title
    )
    variant = group.servers.get(options.server, options.server)
    print(f"{row.title}, {variant}")
    stacks = list(_profile(variant, row.work, options.seconds))
    for title, share in _shares(stacks):
        print(f"  {share:6.1%}  {title}")
    own = Counter(stack[0] for stack in stacks)
    for name, count in own.most_common(options.top):
        print(f"  {count / len(stacks):6.1%}  {name}")
    for name in options.within:
        inside = sum(any(name in function for function in stack) for stack in stacks)
        print(f"  {inside / len(stacks):6.1%}  within {name}")


def _profile(name: str, work: Work, seconds: float) -> Iterator[Stack]:
    with (
        TemporaryDirectory() as scratch,
        running(name, v8_flags=["--perf-basic-prof"]) as server,
        Load() as load,
    ):
        file = Path(scratch) / "perf.data"
        work.prepare(load, server)
        for _ in range(2):
            units = calibrate(work, load, server, seconds)
        record = ["perf", "record", "--event=cpu-clock", "--freq=2000", "--call-graph=fp"]
        perf = subprocess.Popen(
            [*record, f"--pid={server.pid}", f"--output={file}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not file.exists():
            time.sleep(0.01)
        work.run(load, server, units)
        perf.terminate()
        perf.wait()
        script = subprocess.run(
            ["perf", "script", f"--input={file}", "--fields=ip,sym"],
            capture_output=True,
            text=True,
            check=True,
        )
        yield from _stacks(script.stdout.splitlines())


def _stacks(lines: Iterable[str]) -> Iterator[Stack]:
    """perf's text: a line for each function, the innermost first, and an empty one at the end."""
    stack: Stack = []
    for line in lines:
        if line.strip():
            _, _, name = line.strip().partition(" ")
            stack.append(name)
        elif stack:
            yield stack
            stack = []


def _shares(stacks: list[Stack]) -> Iterator[tuple[str, float]]:
    counts = Counter(_kind(stack[0]) for stack in stacks)
    for kind, count in counts.most_common():
        yield kind, count / len(stacks)


def _kind(function: str) -> str:
    for kind, parts in KINDS.items():
        if any(part in function for part in parts):
            return kind
    return "the rest"


if __name__ == "__main__":
    main()
