"""`make bench ARGS="--against CHECKOUT"`: this library beside that of another checkout."""

import ast
import shutil
from pathlib import Path

import partyserver
import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "src" / "partyserver"
SERVERS = ROOT / "bench" / "variants" / "library.py"

SLOW = """
from .server import Server
broadcast = Server.broadcast
def slow(self, *arguments, **options):
    for _ in range(50_000):
        pass
    return broadcast(self, *arguments, **options)
Server.broadcast = slow
"""
EFFORT = (
    "against.Effort(processes=1, short_processes=1, rounds=3, seconds=0.05, warm_up=500, rooms=1,"
    " connections=1, quick=True)"
)


def test_the_servers_that_two_checkouts_run_use_the_public_api_only():
    found = [node for node in ast.walk(ast.parse(SERVERS.read_text())) if _is_ours(node)]
    assert found
    for node in found:
        assert isinstance(node, ast.ImportFrom)
        assert node.module == "partyserver"
        assert {name.name for name in node.names} <= set(partyserver.__all__)


def _is_ours(node):
    names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
    if isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    return any(name.split(".")[0] == "partyserver" for name in names)


def test_a_folder_without_the_library_is_no_other_checkout(bench, tmp_path):
    for checkout, found in ((tmp_path, True), (ROOT, False)):
        assert bench(f"against.library_in(against.Path({str(checkout)!r})) is None") is found


@pytest.mark.alone
def test_a_checkout_whose_broadcasts_take_longer_is_found_to_be_slower(bench, tmp_path):
    slow = tmp_path / "src" / "partyserver"
    shutil.copytree(LIBRARY, slow, ignore=shutil.ignore_patterns("__pycache__"))
    with (slow / "__init__.py").open("a") as module:
        module.write(SLOW)
    other = f"against.Path({str(slow)!r})"
    works = "delivery, room of 10"
    compare = f"against.compare({other}, {EFFORT}, variant='library', works={[works]!r})"
    assert bench(f"{compare}[0].verdict").endswith("faster")  # this checkout, than the other
