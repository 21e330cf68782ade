"""What FastAPI costs at the start of a worker: CPU from the runtime's start to its first response.

    .venv/bin/python -m tests.asgi.cold_start [ROUNDS]

The variants take turns; the figures are medians, in milliseconds. With a snapshot, what the main
module imports comes from the snapshot, as on Cloudflare's network, where it is made at deployment;
what a request imports does not.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import urllib.request
from pathlib import Path

from bench.machine import cpu_seconds
from bench.paths import LIBRARY, SDK
from bench.workerd import Worker, serve

PACKAGES = Path(__file__).parent / "python_modules"
ROUNDS = int(sys.argv[1]) if sys.argv[1:] else 5

ROUTING = """
from partyserver import Server, route_partykit_request
from workers import Response, WorkerEntrypoint

class Room(Server):
    def on_request(self, request):
        return Response("room")

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return await route_partykit_request(request, self.env)
"""
ROOM = """
from partyserver import Server
from partyserver.asgi import entrypoint
from workers import Response

class Room(Server):
    def on_request(self, request):
        return Response("room")
"""
LAZY = ROOM + "Default = entrypoint('website:app')"
EAGER = ROOM + "from website import app\nDefault = entrypoint(app)"
WEBSITE = """
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def home():
    return "app"
"""
#: Title, main module, path of the first request.
CASES = [
    ("a room, without FastAPI", ROUTING, "/parties/room/a"),
    ('a room, entrypoint("website:app")', LAZY, "/parties/room/a"),
    ("a room, entrypoint(app)", EAGER, "/parties/room/a"),
    ('the app, entrypoint("website:app")', LAZY, "/"),
    ("the app, entrypoint(app)", EAGER, "/"),
]


def built(folder: Path, main: str) -> Path:
    folder.mkdir()
    (folder / "main.py").write_text(main)
    own = [path for path in PACKAGES.iterdir() if path.is_dir() and not (SDK / path.name).exists()]
    packages = [LIBRARY, *own]
    modules = {"website": WEBSITE, "typing_extensions": None}
    for name, source in modules.items():
        package = folder / "modules" / name
        package.mkdir(parents=True)
        text = source or (PACKAGES / f"{name}.py").read_text()
        (package / "__init__.py").write_text(text)
        packages.append(package)
    target = folder / "worker"
    target.mkdir()
    return Worker("cold", str(folder / "main.py"), ("Room",), packages).build(target)


def first_response(config: Path, path: str, *options: str) -> float:
    process, ports = serve(config, *options, log=config.parent / "log")
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{ports['http']}{path}", timeout=300
        ) as response:
            response.read()
        return cpu_seconds(process.pid) * 1000
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        cases = []
        for number, (title, source, path) in enumerate(CASES):
            folder = Path(scratch, str(number))
            config = built(folder, source)
            snapshots = folder / "snapshots"
            snapshots.mkdir()
            where = f"--python-snapshot-dir={snapshots}"
            first_response(config, path, "--python-save-snapshot", where)
            (snapshot,) = snapshots.iterdir()
            loading = (f"--python-load-snapshot={snapshot.name}", where)
            cases += [(title, config, path, ()), (f"{title}, snapshot", config, path, loading)]
        times: dict[str, list[float]] = {title: [] for title, *_ in cases}
        for _ in range(ROUNDS):
            for title, config, path, options in cases:
                times[title].append(first_response(config, path, *options))
    for title, values in times.items():
        spread = f"{min(values):.0f}-{max(values):.0f}"
        sys.stdout.write(f"{title:46} {statistics.median(values):6.0f}  ({spread})\n")


if __name__ == "__main__":
    main()
