"""The worker is the one that the user's wrangler config describes, however that is written."""

from __future__ import annotations

import json
import socket
import tomllib

import pytest

from .conftest import Project

VARS = """
def test_it(party):
    assert party.room("Echo", "a").fetch("/vars").json() == {expected}
"""


def expect(project: Project, *expected: str) -> None:
    project.write(test_it=VARS.format(expected=list(expected)))
    result = project.run("-q")
    assert "1 passed" in result.stdout, result.stdout + result.stderr


def write_config(project: Project, name: str, config: object) -> None:
    (project.folder / "wrangler.toml").unlink()
    comment = "// a comment\n" if name.endswith("jsonc") else ""
    (project.folder / name).write_text(comment + json.dumps(config))


@pytest.mark.parametrize("name", ["wrangler.json", "wrangler.jsonc"])
def test_a_config_in_json(project: Project, name: str) -> None:
    write_config(project, name, read_config(project))
    expect(project, "config", "from the ini file")


def test_a_config_elsewhere(project: Project) -> None:
    deploy = project.folder / "deploy"
    deploy.mkdir()
    for name in ("worker.py", "wrangler.toml", "python_modules"):
        (project.folder / name).rename(deploy / name)
    set_option(project, "party_config", "deploy/wrangler.toml")
    expect(project, "config", "from the ini file")


def test_an_environment(project: Project) -> None:
    config = read_config(project)
    rooms = {"durable_objects": config["durable_objects"]}
    write_config(
        project,
        "wrangler.json",
        config | {"env": {"staging": {"vars": {"FROM_CONFIG": "staging"}, **rooms}}},
    )
    expect(project, "config", "from the ini file")
    set_option(project, "party_env", "staging")
    expect(project, "staging", "from the ini file")


def test_secrets_of_development(project: Project) -> None:
    (project.folder / ".dev.vars").write_text("FROM_CONFIG=secret\nFROM_INI=overridden\n")
    expect(project, "secret", "from the ini file")


def test_secrets_of_an_environment(project: Project) -> None:
    config = read_config(project)
    rooms = {"durable_objects": config["durable_objects"]}
    write_config(project, "wrangler.json", config | {"env": {"staging": rooms}})
    (project.folder / ".dev.vars.staging").write_text("FROM_CONFIG=secret\n")
    set_option(project, "party_env", "staging")
    expect(project, "secret", "from the ini file")


def test_a_port_that_is_taken_is_not_needed(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        dev = {"port": port, "inspector_port": port}
        write_config(project, "wrangler.json", read_config(project) | {"dev": dev})
        expect(project, "config", "from the ini file")


def test_processes_of_xdist_run_a_worker_each(project: Project) -> None:
    project.write(
        test_it="""
import pytest

@pytest.mark.parametrize("n", range(6))
def test_it(party, n):
    assert party.room("Echo", "a").fetch("/").json() == ["fetch"]
"""
    )
    result = project.run("-p", "xdist", "-n2", "-v")
    assert "6 passed" in result.stdout, result.stdout + result.stderr
    assert "[gw0]" in result.stdout
    assert "[gw1]" in result.stdout
    assert result.stdout.count("partyserver: the worker of") == 2


def read_config(project: Project) -> dict[str, object]:
    return tomllib.loads((project.folder / "wrangler.toml").read_text())


def set_option(project: Project, name: str, value: str) -> None:
    ini = project.folder / "pytest.ini"
    ini.write_text(f"{ini.read_text()}{name} = {value}\n")
