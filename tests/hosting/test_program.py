"""Where workerd is found: as npm, and as pnpm, lays it."""

import json

import pytest
from partyserver.hosting import program
from partyserver.project.errors import CommandError


@pytest.fixture(autouse=True)
def _linux(monkeypatch):
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def package(folder, **content):
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps(content))


def binary(modules, version):
    folder = modules / "@cloudflare" / "workerd-linux-64"
    package(folder, version=version)
    (folder / "bin").mkdir()
    (folder / "bin" / "workerd").touch()
    return program.Program(folder / "bin" / "workerd", version)


def test_beside_the_project_or_above_it(tmp_path):
    expected = binary(tmp_path / "node_modules", "1.1")
    (tmp_path / "app" / "src").mkdir(parents=True)
    assert program.find_workerd([tmp_path / "app" / "src"]) == expected


def test_the_projects_own_before_that_of_wrangler(tmp_path):
    modules = tmp_path / "node_modules"
    package(modules / "workerd")
    package(modules / "wrangler")
    package(modules / "wrangler" / "node_modules" / "workerd")
    binary(modules / "wrangler" / "node_modules", "1.1")
    expected = binary(modules, "1.2")
    assert program.find_workerd([tmp_path]) == expected


def test_that_which_only_wrangler_has_brought(tmp_path):
    modules = tmp_path / "node_modules"
    package(modules / "wrangler")
    package(modules / "wrangler" / "node_modules" / "workerd")
    expected = binary(modules / "wrangler" / "node_modules", "1.1")
    assert program.find_workerd([tmp_path]) == expected


def test_through_the_links_of_pnpm(tmp_path):
    store = tmp_path / "node_modules" / ".pnpm"
    package(store / "wrangler@4" / "node_modules" / "wrangler")
    package(store / "miniflare@4" / "node_modules" / "miniflare")
    package(store / "workerd@1" / "node_modules" / "workerd")
    expected = binary(store / "workerd@1" / "node_modules", "1.1")
    for owner, name, path in [
        (tmp_path / "node_modules", "wrangler", "wrangler@4"),
        (store / "wrangler@4" / "node_modules", "miniflare", "miniflare@4"),
        (store / "miniflare@4" / "node_modules", "workerd", "workerd@1"),
    ]:
        (owner / name).symlink_to(store / path / "node_modules" / name)
    assert program.find_workerd([tmp_path]) == expected


def test_none_says_what_to_run(tmp_path):
    package(tmp_path / "node_modules" / "wrangler")
    with pytest.raises(CommandError, match="run `npm install workerd` there"):
        program.find_workerd([tmp_path])


def test_a_machine_without_a_build_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(CommandError, match="no build for Linux on riscv64"):
        program.find_workerd([tmp_path])
