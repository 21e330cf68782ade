"""Each block of code of each page is looked at by something: here, or where KINDS says."""

from __future__ import annotations

import configparser
import html.parser
import json
import re
import sqlite3
import tomllib

import pytest
import yaml

from . import commands, schema
from .pages import BLOCKS, PAGES, PAPERS, READMES, ROOT, those

#: By what the blocks of a language are checked. No other language is there.
KINDS = {
    "python": "tools/check_examples.py, by mypy and pyright; test_examples.py",
    "js": "test_javascript.py",
    "ts": "test_javascript.py",
    "tsx": "test_javascript.py",
    "sh": "here: its commands and their options exist",
    "toml": "here: by wrangler's own schema, or as settings of pytest",
    "json": "here: parsed",
    "jsonc": "here: by wrangler's own schema",
    "ini": "here: a unit of systemd, or settings of pytest",
    "yaml": "here: a workflow of GitHub, and its commands",
    "dockerfile": "here: its instructions and commands",
    "nginx": "here: its directives",
    "haproxy": "here: its keywords",
    "caddy": "here: its directives",
    "html": "here: its elements",
    "diff": "test_code.py: how a file differs from another one",
    "sql": "here: run by SQLite",
    "text": "nothing: what is printed, or drawn",
    "console": "nothing: what is printed",
}


def each(*languages):
    return pytest.mark.parametrize(
        "block", [pytest.param(one, id=one.place) for one in those(*languages)]
    )


def test_each_block_is_of_a_kind_that_is_checked():
    assert len(BLOCKS) > 200
    for block in BLOCKS:
        assert block.language in KINDS, f"{block.place}: nothing checks {block.language!r}"


def test_a_difference_is_that_of_files():
    for block in those("diff"):
        assert block.origin == "difference", f"{block.place}: of which files?"


def test_a_fence_that_opens_is_closed_and_found():
    for page in (*PAPERS, *PAGES, *READMES):
        fences = re.findall(r"^ *`{3,}", page.read_text(), re.MULTILINE)
        assert len(fences) == 2 * sum(one.page == page for one in BLOCKS), page


def test_a_block_that_is_left_out_has_a_reason():
    left_out = [one for one in BLOCKS if one.unchecked]
    assert len(left_out) < 10
    for block in left_out:
        assert len(block.unchecked) > 20, block.place


@each("sh")
def test_the_commands_of_a_page_exist_with_their_options(block, pytestconfig, monkeypatch):
    commands.check(block.code, pytestconfig, monkeypatch)


@pytest.mark.parametrize(
    "line",
    [
        "partyserver serv --data x",
        "partyserver serve --dta x",
        "uv run partyserver init my-app --template nonesuch",
        "python -m partyserver.load --conections 3 ws://127.0.0.1/",
        "make tset",
        "make test ARG=x",
        "pytest --party-chaoss",
        "uv run pywrangler synch",
        "npx wrangler deploy --nonesuch",
        "npm run nonesuch",
        "nonesuch",
        "cat <(",
        "sudo -u chat partyserver bakcup --data x -o y",
    ],
)
def test_a_command_that_does_not_exist_is_found(line, pytestconfig, monkeypatch):
    with pytest.raises(commands.Unknown):
        commands.check(line, pytestconfig, monkeypatch)


def check_pytests(settings, pytestconfig):
    known = pytestconfig._parser._inidict
    for name in settings:
        assert name in known, f"pytest has no setting {name}"


@each("toml", "jsonc")
def test_a_config_is_one_of_wrangler_or_pytest(block, pytestconfig, monkeypatch):
    if block.language == "jsonc":
        config = json.loads(re.sub(r"(?m)(^|\s)//.*$|,(?=\s*[}\]])", "", block.code))
    else:
        config = tomllib.loads(block.code)
    if tool := config.get("tool"):
        assert config.keys() <= {"tool", "project", "dependency-groups"}
        check_pytests(tool.get("pytest", {}).get("ini_options", {}), pytestconfig)
        return
    schema.check(config)
    if command := config.get("build", {}).get("command"):
        commands.check(command, pytestconfig, monkeypatch)
    made = {
        name
        for migration in config.get("migrations", [])
        for name in (
            *migration.get("new_sqlite_classes", []),
            *migration.get("new_classes", []),
            *(one["to"] for one in migration.get("renamed_classes", [])),
        )
    }
    bindings = config.get("durable_objects", {}).get("bindings", [])
    bound = {one["class_name"] for one in bindings if "script_name" not in one}
    if made and bound:
        assert bound <= made, f"{bound - made}: bound, and made by no migration"


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"compatibility_dat": "2026-11-17"}, "compatibility_dat"),
        ({"durable_objects": {"bindings": [{"name": "Chat"}]}}, "durable_objects.bindings"),
        ({"env": {"staging": {"var": {}}}}, r"env\.staging.*var"),
        ({"workers_dev": "yes"}, "workers_dev"),
    ],
)
def test_what_wrangler_does_not_know_is_found(config, complaint):
    with pytest.raises(AssertionError, match=complaint):
        schema.check(config)


@each("json")
def test_json_is_json(block):
    try:
        json.loads(block.code)
    except ValueError:
        for line in block.code.splitlines():
            json.loads(line)


#: Of systemd.unit, systemd.service, systemd.exec, systemd.kill and systemd.timer.
SYSTEMD = {
    "Unit": {"Description", "After", "Wants", "Requires"},
    "Service": {
        *("Type", "User", "Group", "StateDirectory", "StateDirectoryMode", "WorkingDirectory"),
        *("ExecStart", "EnvironmentFile", "Environment", "LoadCredential", "Restart", "RestartSec"),
        *(
            "TimeoutStartSec",
            "TimeoutStopSec",
            "WatchdogSec",
            "KillMode",
            "LimitNOFILE",
            "LimitCORE",
        ),
        *("NoNewPrivileges", "PrivateTmp", "ProtectSystem", "ProtectHome", "ReadWritePaths"),
    },
    "Timer": {"OnCalendar", "Persistent", "RandomizedDelaySec"},
    "Install": {"WantedBy"},
}


@each("ini")
def test_settings_are_known_to_what_reads_them(block, pytestconfig, monkeypatch):
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(re.sub(r"\\\n\s*", "", block.code))
    for section in parser.sections():
        if section == "pytest":
            check_pytests(parser[section], pytestconfig)
            continue
        assert set(parser[section]) <= SYSTEMD[section]
        if command := parser[section].get("ExecStart"):
            commands.check(command, pytestconfig, monkeypatch)


@each("yaml")
def test_a_workflow_has_steps_whose_commands_exist(block, pytestconfig, monkeypatch):
    workflow = yaml.safe_load(block.code)
    assert workflow.keys() - {True} <= {"name", "jobs", "permissions", "env"}  # True: `on`
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        for step in job["steps"]:
            assert step.keys() <= {"name", "uses", "with", "run", "env", "if", "id"}
            assert ("uses" in step) != ("run" in step)
            assert re.fullmatch(r"[\w-]+/[\w-]+@(v\d+|[0-9a-f]{40})", step.get("uses", "a/b@v1"))
            commands.check(step.get("run", "true"), pytestconfig, monkeypatch)


INSTRUCTIONS = {
    *("FROM", "COPY", "RUN", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK"),
    *("ENTRYPOINT", "CMD", "ARG", "LABEL", "STOPSIGNAL"),
}


@each("dockerfile")
def test_a_dockerfiles_instructions_and_commands_exist(block, pytestconfig, monkeypatch):
    text = re.sub(r"(?m)^#.*\n", "", block.code)
    lines = [line for line in re.sub(r"\\\n", "", text).splitlines() if line.strip()]
    stages, entry, cmd = set(), [], []
    for line in lines:
        instruction, _, rest = line.partition(" ")
        assert instruction in INSTRUCTIONS, line
        if instruction == "FROM" and " AS " in rest:
            stages.add(rest.split(" AS ")[1])
        elif instruction == "COPY" and (source := re.match(r"--from=([\w-]+) ", rest)):
            assert source[1] in stages
        elif instruction == "RUN":
            commands.check(rest, pytestconfig, monkeypatch)
        elif instruction == "ENTRYPOINT":
            entry = json.loads(rest)
        elif instruction == "CMD":
            cmd = json.loads(rest)
    commands.check_words([*entry, *cmd], pytestconfig, monkeypatch)


#: Of nginx's core, and of its modules http, upstream, proxy, ssl, map, gzip and rewrite.
NGINX = {
    *("map", "default", "upstream", "server", "keepalive", "listen", "server_name", "location"),
    *("ssl_certificate", "ssl_certificate_key", "proxy_pass", "proxy_http_version", "return"),
    *("proxy_set_header", "proxy_read_timeout", "proxy_send_timeout", "client_max_body_size"),
    *("hash", "''"),
}


@each("nginx")
def test_an_nginx_config_is_blocks_of_directives_that_exist(block):
    text = re.sub(r"(?m)#.*$", "", block.code)
    assert text.count("{") == text.count("}")
    statements = [one.strip() for one in re.split(r"[;{}]", text) if one.strip()]
    for statement in statements:
        assert "\n" not in statement, f"no semicolon: {statement}"
        assert statement.split()[0] in NGINX, statement


#: Of haproxy's sections, and what begins their lines.
HAPROXY = {
    *("defaults", "frontend", "backend", "mode", "timeout", "bind", "default_backend", "option"),
    *("balance", "hash-type", "http-check", "default-server", "server"),
}


@each("haproxy")
def test_a_haproxy_config_is_sections_of_keywords_that_exist_and_of_its_own_backends(block):
    lines = [line.split() for line in block.code.splitlines() if line.strip()]
    for line in lines:
        assert line[0] in HAPROXY, line
    backends = {line[1] for line in lines if line[0] == "backend"}
    assert {line[1] for line in lines if line[0] == "default_backend"} == backends


@each("caddy")
def test_a_caddyfile_is_sites_of_directives_that_exist(block):
    sites = re.findall(r"^[\w.]+ \{\n((?: {4}.+\n)+)\}$", block.code, re.MULTILINE)
    assert "".join(sites).count("\n") == block.code.count("\n") - 2 * len(sites)
    for directive in "".join(sites).splitlines():
        assert directive.split()[0] in ("reverse_proxy",), directive


@each("sql")
def test_sql_runs(block):
    database = sqlite3.connect(":memory:")
    database.executescript(block.code)
    database.close()


class Elements(html.parser.HTMLParser):
    VOID = ("meta", "link", "input", "br", "img", "hr")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@each("html")
def test_the_elements_of_a_page_end_in_their_order(block):
    elements = Elements()
    elements.feed(block.code)
    elements.close()
    assert not elements.open


def test_the_changelog_and_the_pages_name_targets_of_make_that_exist():
    """Also in the text, where they stand as `make docs`."""
    named = {
        (page.name, target)
        for page in (*PAPERS, *PAGES)
        for target in re.findall(r"`make ([a-z][a-z-]*)", page.read_text())
    }
    assert len(named) > 5
    for page, target in named:
        assert target in commands.TARGETS, f"{page}: make {target}"


def test_the_commands_that_pages_name_in_their_text_exist():
    """As `partyserver doctor`. A name of a module is `partyserver.x`, and of a package alone."""
    from partyserver.command import COMMANDS

    known = {command.NAME for command in COMMANDS}
    for page in (*PAPERS, *PAGES, *READMES):
        if page.name == "troubleshooting.md":  # has sentences of the library in code
            continue
        for name in re.findall(r"`(?:uvx |uv run )?partyserver ([a-z]+)", page.read_text()):
            assert name in known, f"{page.relative_to(ROOT)}: partyserver {name}"
