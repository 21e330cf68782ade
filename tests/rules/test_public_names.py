import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import partyserver
import pytest
from partyserver.rules.advice import ELSEWHERE

SOURCE = Path(partyserver.__file__).parent
RUNTIME_NAMES = sorted(partyserver._RUNTIME_NAMES)


def test_the_public_names():
    assert sorted(partyserver.__all__) == [
        "ClientError",
        "Connection",
        "ConnectionClosedError",
        "ConnectionContext",
        "Lobby",
        "PartyServerError",
        "Query",
        "RateLimit",
        "RequestRefusedError",
        "RetryEvent",
        "RoutingRetry",
        "SQLError",
        "Server",
        "ServerNameError",
        "ServerOptions",
        "StateTooLargeError",
        "TransportError",
        "auth_of",
        "get_server_by_name",
        "parse_json",
        "path_of",
        "query_of",
        "route_partykit_request",
    ]
    assert set(RUNTIME_NAMES) < set(partyserver.__all__)


@pytest.mark.parametrize("name", sorted({*partyserver.__all__} - {*RUNTIME_NAMES}))
def test_a_name_that_needs_no_runtime_is_there(name):
    assert getattr(partyserver, name).__name__ == name


@pytest.mark.parametrize("name", RUNTIME_NAMES)
def test_outside_the_runtime_a_name_that_needs_it_says_so(name):
    with pytest.raises(ImportError, match=rf"^partyserver\.{name} runs inside Cloudflare's") as no:
        getattr(partyserver, name)
    assert "wrangler dev" in str(no.value)
    assert "partyserver.testing" in str(no.value)
    assert isinstance(no.value.__cause__, ImportError)


def test_a_from_import_says_so_too():
    with pytest.raises(ImportError, match="Cloudflare's runtime"):
        from partyserver import Server  # noqa: F401


def test_another_module_that_is_missing_is_not_taken_for_the_runtime(monkeypatch):
    missing = ModuleNotFoundError("No module named 'numpy'", name="numpy")

    def import_module(*_):
        raise missing

    monkeypatch.setattr(partyserver, "import_module", import_module)
    with pytest.raises(ModuleNotFoundError) as raised:
        partyserver.Server  # noqa: B018
    assert raised.value is missing


@pytest.mark.parametrize(("name", "module"), partyserver._RUNTIME_NAMES.items())
def test_inside_the_runtime_a_name_is_imported_once(monkeypatch, name, module):
    imported = []

    def import_module(relative, package):
        imported.append((relative, package))
        found = ModuleType(module)
        setattr(found, name, imported)
        return found

    monkeypatch.setattr(partyserver, "import_module", import_module)
    monkeypatch.setitem(vars(partyserver), name, None)  # taken away again afterwards
    monkeypatch.delitem(vars(partyserver), name)
    assert getattr(partyserver, name) is getattr(partyserver, name) is imported
    assert imported == [(f".{module}", "partyserver")]


@pytest.mark.parametrize("name", ["server_by_name", "Room", "__path", ""])
def test_an_unknown_name_is_an_attribute_error(name):
    with pytest.raises(AttributeError, match=f"^module 'partyserver' has no attribute '{name}'$"):
        getattr(partyserver, name)


@pytest.mark.parametrize(("name", "module"), ELSEWHERE.items())
def test_the_name_of_a_capability_tells_its_module(name, module):
    [path] = [
        path for path in (SOURCE / f"{module}.py", SOURCE / module / "__init__.py") if path.exists()
    ]
    tree = ast.parse(path.read_text())
    [names] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert name in names
    with pytest.raises(ImportError, match=rf"`from partyserver\.{module} import {name}`"):
        exec(f"from partyserver import {name}")


@pytest.mark.parametrize("name", ["routePartykitRequest", "getServerByName", "SqlError"])
def test_a_name_as_typescript_spells_it_tells_the_one_here(name):
    with pytest.raises(ImportError, match=f"has no {name}: did you mean ") as no:
        exec(f"from partyserver import {name}")
    meant = re.search(r"did you mean (\w+)", str(no.value))[1]
    assert meant in partyserver.__all__
    assert meant.replace("_", "").lower() == name.lower()


def test_a_module_of_the_package_can_be_imported_by_its_name():
    script = "from partyserver import testing, rules"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=600)


def test_importing_the_package_needs_neither_entropy_nor_the_runtime():
    script = (
        "import os, sys, partyserver\n"
        "heavy = {'random', 'secrets', 'uuid', 'asyncio', 'js', 'workers'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=600)
