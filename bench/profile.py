"""Where a server's CPU goes: `python -m bench.profile library "HTTP request"`.

It samples the server with Linux's perf while it does the work, and tells V8 to name its code.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from . import agents, documents
from .comparison import BASE, GROUPS, LIBRARY, Group, Row, find, named
from .load import Load
from .rounds import calibrate
from .servers import WORKERS, Server, running
from .works import Work

Stack = list[str]

#: What a sample counts for, by how its innermost function is called; the first that fits.
KINDS = {
    "Python": ("JS:wasm-function",),
    "JavaScript": ("JS:", "wasm-to-js", "js-to-wasm"),
    "V8": ("v8::", "Builtins_", "cppgc::", "Stub:", "RegExp"),
    "workerd": ("workerd::", "kj::", "kj_", "capnp::", "httparse", "hyper", "http::"),
    "memory": ("tcmalloc", "TCMalloc", "memmove", "memset", "clear_page"),
}

#: What KINDS does not name.
REST = "the rest"

#: What `make bench` profiles for the report: all that is above its target, at least.
PROFILED = (
    *("echo, plain hook", "echo, `async` hook", "echo, binary"),
    *("a chat message: into SQL, to 10", "a move: `set_state`, to 20"),
    "to the 10 of 50 with a tag, in a loop",
    *("a key, by `ctx.storage`", "100 rows over HTTP, by `sql`"),
    *("100 rows over HTTP, by `sql_json`", "a dict to another room and back"),
    *("HTTP request to a room", "a new connection", "a connection, opened and closed"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.profile", description=__doc__)
    parser.add_argument("server", help="npm, library, naive, unshortened or raw")
    parser.add_argument("work", help="a part of the work's title")
    parser.add_argument("--seconds", type=float, default=4, help="of the server's CPU")
    parser.add_argument("--within", nargs="*", default=[], help="functions, by a part of the name")
    parser.add_argument("--top", type=int, default=0, help="so many functions, by their own time")
    options = parser.parse_args()
    found = _named(options.work)
    if not found:
        parser.error(f"no work has {options.work!r} in its title")
    group, row = found[0]
    variant = group.servers.get(options.server, options.server)
    if variant not in WORKERS:
        parser.error(f"no server is called {options.server!r}")
    print(f"{row.title}, {variant}")
    stacks = list(_profile(variant, row.work, options.seconds, in_memory=group.in_memory))
    for title, share in _shares(stacks):
        print(f"  {share:6.1%}  {title}")
    own = Counter(stack[0] for stack in stacks)
    for name, count in own.most_common(options.top):
        print(f"  {count / len(stacks):6.1%}  {name}")
    for name in options.within:
        inside = sum(any(name in function for function in stack) for stack in stacks)
        print(f"  {inside / len(stacks):6.1%}  within {name}")


def is_possible() -> bool:
    """Whether perf is there, and may sample."""
    if shutil.which("perf") is None:
        return False
    trial = ["perf", "record", "--event=cpu-clock", "--output=/dev/null", "true"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def profiles(
    seconds: float, titles: Iterable[str] = PROFILED
) -> dict[str, dict[str, dict[str, float]]]:
    """Of each work, of npm partyserver and of this library: the kinds of functions' shares."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for title in titles:
        print(f"  {title}", flush=True)
        group, row = find(title)
        found[title] = {}
        for name in (BASE, LIBRARY):
            variant = group.servers[name]
            stacks = list(_profile(variant, row.work, seconds, in_memory=group.in_memory))
            found[title][name] = dict(_shares(stacks))
    return found


def _named(title: str) -> list[tuple[Group, Row]]:
    return [
        (group, row)
        for group in (*GROUPS, agents.GROUP, documents.GROUP)
        for row in group.rows
        if named(row.title, [title])
    ]


def _profile(name: str, work: Work, seconds: float, *, in_memory: bool) -> Iterator[Stack]:
    with (
        TemporaryDirectory() as scratch,
        running(name, v8_flags=["--perf-basic-prof"], in_memory=in_memory) as server,
        Load() as load,
    ):
        file = Path(scratch) / "perf.data"
        work.prepare(load, server)
        units = work.fixed or 0
        for _ in range(0 if work.fixed else 2):
            units = calibrate(work, load, server, seconds)
        with _sampling(server, file) as sample:
            used = 0.0
            while used < seconds / 2:
                before = server.cpu()
                with sample():
                    work.run(load, server, units)
                used += server.cpu() - before
                work.clear(load, server)
        script = subprocess.run(
            ["perf", "script", f"--input={file}", "--fields=ip,sym"],
            capture_output=True,
            text=True,
            check=True,
        )
        yield from _stacks(script.stdout.splitlines())


@contextmanager
def _sampling(server: Server, file: Path) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """perf, which is silent but for what happens within what this gives."""
    control, answers = file.with_suffix(".control"), file.with_suffix(".answers")
    for pipe in (control, answers):
        os.mkfifo(pipe)
    record = ["perf", "record", "--event=cpu-clock", "--freq=2000", "--call-graph=fp"]
    perf = subprocess.Popen(
        [
            *record,
            "--delay=-1",
            f"--control=fifo:{control},{answers}",
            f"--pid={server.pid}",
            f"--output={file}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with control.open("w") as commands, answers.open() as heard:

        def tell(command: str) -> None:
            commands.write(f"{command}\n")
            commands.flush()
            heard.readline()

        @contextmanager
        def sample() -> Iterator[None]:
            tell("enable")
            try:
                yield
            finally:
                tell("disable")

        yield sample
    perf.terminate()
    perf.wait()


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
    return REST


if __name__ == "__main__":
    main()
