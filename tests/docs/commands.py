"""Whether the commands that a page shows exist, and have the options that it gives them."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from functools import cache

import pytest
from partyserver import command
from partyserver.load import command as load

from .pages import ROOT, TEMPLATES

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = {*re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)}
VARIABLES = {*re.findall(r"\$\((\w+)\)", MAKEFILE)} | {*re.findall(r"\$\(if \$\((\w+)", MAKEFILE)}
VARIABLES |= {*re.findall(r"\$\(or \$\((\w+)", MAKEFILE)}

#: What a subcommand takes. None: whatever follows.
UV = {"init", "add", "run", "sync", "python", "pip", "tool", "lock", "remove"}
NPM = {"install", "ci", "run", "update", "init"}
PIP = {"install", "uninstall", "freeze", "list", "show"}

#: Commands of the system, and tools whose options are not looked at.
OTHERS = {
    *(
        "cd",
        "export",
        "mv",
        "cp",
        "rm",
        "mkdir",
        "chown",
        "chmod",
        "cat",
        "echo",
        "true",
        "install",
    ),
    *(
        "apt",
        "apt-get",
        "useradd",
        "systemctl",
        "journalctl",
        "rsync",
        "ssh",
        "scp",
        "curl",
        "node",
    ),
    *("openssl", "pipx", "pre-commit", "git", "docker", "esbuild", "tsc", "workerd", "twine"),
    *("mypy", "pyright", "jq", "grep", "date", "$EDITOR"),
}


class Unknown(AssertionError):
    """A command, or an option of one, that there is not."""


def check(text, pytestconfig, monkeypatch):
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise Unknown(done.stderr)
    text = re.sub(r"\\\n\s*", " ", text)
    # What is run in between comes first: `$(pip freeze | grep x)`.
    for inner in re.findall(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)", text):
        check(inner, pytestconfig, monkeypatch)
    text = re.sub(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)", "X", text)
    for line in text.splitlines():
        words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        words.whitespace_split = True
        command_words, is_file = [], False
        for word in [*words, ";"]:
            if set(word) <= set("|&;"):
                if command_words:
                    check_words(command_words, pytestconfig, monkeypatch)
                command_words = []
            elif set(word) <= set("<>"):
                is_file = True
            elif is_file:
                is_file = False
            else:
                command_words.append(word)


def check_words(words, pytestconfig, monkeypatch):
    """One command and its arguments."""
    while words and re.match(r"\w+=", words[0]):
        words = words[1:]
    if not words:
        return
    name, arguments = words[0].rpartition("/")[2], words[1:]
    again = None
    if name in ("uvx", "npx"):
        again = arguments
    elif name == "sudo":
        again = arguments[2:] if arguments[0] == "-u" else arguments
    elif name == "uv" and arguments[:1] == ["run"]:
        again = arguments[1:]
        while again and again[0].startswith("-"):
            again = again[1:]
    elif re.fullmatch(r"python3?", name) and arguments[:1] == ["-m"]:
        again = arguments[1:]
    if again is not None:
        check_words(again, pytestconfig, monkeypatch)
    elif name == "partyserver":
        check_partyserver(arguments, monkeypatch)
    elif name == "partyserver.load":
        parsed_by(load._parser().parse_args, arguments)
    elif name == "pytest":
        check_pytest(arguments, pytestconfig)
    elif name == "make":
        check_make(arguments)
    elif name in ("wrangler", "pywrangler"):
        check_wrangler(name, arguments)
    elif name == "npm":
        check_npm(arguments)
    elif name == "uv":
        known(arguments, UV, "uv")
    elif name in ("pip", "venv"):
        known(arguments, PIP if name == "pip" else set(arguments), name)
    elif not (name in OTHERS or name.startswith("python") or (ROOT / words[0]).is_file()):
        raise Unknown(f"{name}: tests/docs/commands.py knows no such command")


def known(arguments, subcommands, name):
    given = [one for one in arguments if not one.startswith("-")]
    if not given or given[0] not in subcommands:
        raise Unknown(f"{name} {' '.join(given[:1])}")


def parsed_by(parse, arguments):
    try:
        return parse(arguments)
    except SystemExit as end:
        if end.code:
            raise Unknown(f"wrong arguments: {arguments}") from end


def check_partyserver(arguments, monkeypatch):
    """By its own parser, with all that it would do left out."""
    for one in command.COMMANDS:
        monkeypatch.setattr(one, "run", lambda options: 0)
    parsed_by(command.main, arguments)


def check_pytest(arguments, pytestconfig):
    try:
        pytestconfig._parser.parse(arguments)
    except pytest.UsageError as error:
        raise Unknown(str(error)) from error


def check_make(arguments):
    for one in arguments:
        name, is_variable, _ = one.partition("=")
        if name.startswith("-"):
            continue
        if name not in (VARIABLES if is_variable else TARGETS):
            raise Unknown(f"make {one}")


def check_npm(arguments):
    known(arguments, NPM, "npm")
    if arguments[0] == "run":
        packages = [*TEMPLATES.glob("*/package.json"), ROOT / "package.json"]
        scripts = [json.loads(path.read_text()).get("scripts", {}) for path in packages]
        if not any(arguments[1] in one for one in scripts):
            raise Unknown(f"npm run {arguments[1]}")


def check_wrangler(name, arguments):
    if name == "pywrangler" and arguments[:1] == ["sync"]:
        return
    options = [one.partition("=")[0] for one in arguments if one.startswith("-")]
    words = [one for one in arguments if not one.startswith("-")]
    if not words or not re.search(rf"wrangler {re.escape(words[0])}\b", help_of()):
        raise Unknown(f"{name} {' '.join(arguments)}")
    for option in options:
        if not re.search(rf"(?:^|[\s,]){re.escape(option)}\b", help_of(words[0])):
            raise Unknown(f"{name} {words[0]} {option}")


@cache
def help_of(*words):
    """What wrangler says of a command."""
    done = subprocess.run(
        ["wrangler", *words, "--help"],
        env=os.environ
        | {
            "PATH": os.pathsep.join([str(ROOT / "node_modules/.bin"), os.environ["PATH"]]),
            "WRANGLER_SEND_METRICS": "false",
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout
