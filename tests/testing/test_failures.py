"""What cannot start says why, in one sentence and at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from partyserver.testing.logs import LogLine
from partyserver.testing.starting import Settings, why_not_started

from .conftest import REPOSITORY, Project

USES_PARTY = "def test_it(party): pass\n\ndef test_again(party): pass\n"


@pytest.fixture(autouse=True)
def _tests(project: Project) -> None:
    project.write(test_it=USES_PARTY)


def error(project: Project, **environment: str) -> str:
    result = project.run("-q", **environment)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "2 errors" in result.stdout
    # pytest's own frames, and the kit's, are of no use here.
    assert "site-packages/_pytest" not in result.stdout
    assert "runtime.py" not in result.stdout
    return result.stdout


def test_a_module_that_raises_shows_its_traceback(project: Project) -> None:
    project.write(worker="import json\n\njson.loads('nope')\n")
    output = error(project)
    assert "the worker does not start:\nTraceback (most recent call last):" in output
    assert f'  File "{project.folder / "worker.py"}", line 3, in <module>' in output
    assert "_pyodide" not in output
    assert "JSONDecodeError: Expecting value" in output
    assert "wasm" not in output


def test_of_what_the_library_refuses_the_users_own_lines_are_shown(project: Project) -> None:
    project.use_partyserver()
    worker = (project.folder / "worker.py").read_text()
    wrong = "\nfrom partyserver import Server\nclass Chat(Server):\n    def on_mesage(self): ...\n"
    project.write(worker=worker + wrong)
    output = error(project)
    frames = [line for line in output.splitlines() if line.startswith("  File ")]
    line = len(worker.splitlines()) + 3
    assert set(frames) == {f'  File "{project.folder / "worker.py"}", line {line}, in <module>'}
    assert "TypeError: Chat.on_mesage is never called" in output


IMPORTED = """\
Traceback (most recent call last):
  File "/lib/python314.zip/_pyodide/_base.py", line 597, in eval_code_async
    await CodeRunner(
    ...<9 lines>...
    .run_async(globals, locals)
"""


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        (
            '  File "/session/metadata/worker.py", line 1\n    def f(:\n          ^\n'
            "SyntaxError: invalid syntax",
            '  File "/session/metadata/worker.py", line 1\n    def f(:\n          ^\n'
            "SyntaxError: invalid syntax",
        ),
        (
            '  File "/session/metadata/worker.py", line 1, in <module>\n    import other\n'
            '  File "<frozen importlib._bootstrap>", line 1375, in _find_and_load\n'
            '  File "/session/metadata/python_modules/other/a.py", line 2, in f\n    f()\n'
            "  [Previous line repeated 99 more times]\nRecursionError: deep",
            '  File "/session/metadata/worker.py", line 1, in <module>\n    import other\n'
            '  File "/session/metadata/python_modules/other/a.py", line 2, in f\n    f()\n'
            "  [Previous line repeated 99 more times]\nRecursionError: deep",
        ),
    ],
)
def test_what_brings_the_main_module_in_is_not_shown(tmp_path: Path, rest: str, shown: str) -> None:
    log = [LogLine("error", f"Uncaught PythonError: {IMPORTED}{rest}", 0.0)]
    told = why_not_started(RuntimeError(), log, Settings((tmp_path / "wrangler.toml",), (), {}))
    head = IMPORTED.partition("\n")[0]
    assert told == f"the worker does not start:\n{head}\n{shown}"


def test_where_all_frames_are_the_runtimes_they_are_shown(tmp_path: Path) -> None:
    log = [LogLine("error", f"{IMPORTED}MemoryError: full", 0.0)]
    told = why_not_started(RuntimeError(), log, Settings((tmp_path / "wrangler.toml",), (), {}))
    assert told == f"the worker does not start:\n{IMPORTED}MemoryError: full"


def test_a_package_that_is_not_vendored_is_told_before_the_runtime_starts(project: Project) -> None:
    project.write(worker="from workers import Response\nfrom partyserver import Server\n")
    not_started = project.folder / "workerd"
    not_started.write_text("#!/bin/sh\nexec sleep 600\n")
    not_started.chmod(0o755)
    ini = project.folder / "pytest.ini"
    ini.write_text(ini.read_text().replace("party_pyodide_bundle", "#"))
    output = error(project, MINIFLARE_WORKERD_PATH=str(not_started))
    assert "the worker imports partyserver (worker.py, line 2), but it is neither" in output
    assert "(`uv add partyserver`) and run `uv run pywrangler sync`" in output
    shutil.rmtree(project.folder / "python_modules")
    output = error(project, MINIFLARE_WORKERD_PATH=str(not_started))
    assert "the worker imports partyserver (worker.py, line 2), but nothing is vendored" in output
    assert "run `uv run pywrangler sync`" in output


def test_a_package_that_is_found_missing_later_has_the_hint_too(project: Project) -> None:
    project.write(worker="import importlib\n\nimportlib.import_module('msgspec')\n")
    output = error(project)
    assert "ModuleNotFoundError: No module named 'msgspec'\n\nmsgspec: it is neither" in output
    assert '(`uv add "partyserver[events]"`) and run `uv run pywrangler sync`' in output


def test_a_build_that_fails_is_shown_as_it_is(project: Project) -> None:
    (project.folder / "build.sh").write_text("echo begins\necho 'NameError: x' >&2\nexit 3\n")
    with (project.folder / "wrangler.toml").open("a") as config:
        config.write('[build]\ncommand = "sh build.sh"\n')
    output = error(project)
    assert (
        "the worker does not start: its build command has failed (exit 3): sh build.sh\n"
        "NameError: x\nbegins\n=="
    ) in output


def test_a_class_that_is_not_there(project: Project) -> None:
    config = project.folder / "wrangler.toml"
    config.write_text(config.read_text().replace('class_name = "EchoRoom"', 'class_name = "Echos"'))
    output = error(project)
    assert "the wrangler config binds Echo to the class Echos, which worker.py neither" in output
    assert "(its classes: EchoRoom, MemoryRoom, Default)" in output


def test_a_wrong_wrangler_config_is_shown(project: Project) -> None:
    config = project.folder / "wrangler.toml"
    config.write_text(config.read_text().replace("worker.py", "missing.py"))
    output = error(project)
    assert "the worker does not start:" in output
    assert "missing.py" in output


def test_a_missing_config(project: Project) -> None:
    (project.folder / "wrangler.toml").unlink()
    assert "set the ini option party_config to the path of yours" in error(project)


def test_a_config_that_is_elsewhere_is_named(project: Project) -> None:
    tests = project.folder / "tests"
    tests.mkdir()
    for name in ("pytest.ini", "test_it.py"):
        (project.folder / name).rename(tests / name)
    result = project.run("-q", "tests")
    config = project.folder / "wrangler.toml"
    assert f"there is no wrangler config {tests / 'wrangler.toml'}" in result.stdout
    assert f"there is {config}: run pytest in the folder of your wrangler config" in result.stdout


def test_a_missing_wrangler(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    node = str(fake_node(project.folder, "v24.0.0"))
    assert "run `npm install wrangler`" in error(project, PATH=node)


def test_a_wrangler_that_is_listed_and_not_installed(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    (project.folder / "package.json").write_text('{"devDependencies": {"wrangler": "^4.164.0"}}')
    node = str(fake_node(project.folder, "v24.0.0"))
    assert f"run `npm install` in {project.folder}" in error(project, PATH=node)


def test_an_old_wrangler(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    wrangler = project.folder / "node_modules" / "wrangler"
    wrangler.mkdir(parents=True)
    (wrangler / "package.json").write_text('{"version": "4.41.0"}')
    output = error(project, PATH=str(fake_node(project.folder, "v24.0.0")))
    assert f"needs wrangler 4.164 or newer, and {wrangler} is 4.41.0" in output
    assert "run `npm install wrangler@latest`, with a Node.js of 22.12 or newer" in output


def test_a_node_that_does_not_run(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    node = fake_node(project.folder, "")
    (node / "node").write_text("#!/bin/sh\necho no version is set >&2\nexit 126\n")
    output = error(project, PATH=str(node))
    assert "Node.js does not run" in output
    assert "says 'no version is set'" in output


def test_an_old_node(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    output = error(project, PATH=str(fake_node(project.folder, "v20.1.0")))
    assert "Node.js is too old for wrangler" in output
    assert "install 22.12 or newer" in output


def test_a_missing_node(project: Project) -> None:
    (project.folder / "node_modules").unlink()
    assert "Node.js is missing" in error(project, PATH=str(project.folder))


def test_no_network(project: Project) -> None:
    ini = project.folder / "pytest.ini"
    ini.write_text(ini.read_text().replace("party_pyodide_bundle", "#"))
    # What the runtime says on a machine without a network, on any machine.
    workerd = project.folder / "workerd"
    workerd.write_text(
        "#!/bin/sh\ncat >/dev/null\necho 'Request for Pyodide bundle failed; url = x' >&2\nexit 1\n"
    )
    workerd.chmod(0o755)
    output = error(project, MINIFLARE_WORKERD_PATH=str(workerd))
    assert "the runtime could not download its Python interpreter" in output
    assert "set to a folder to keep it in" in output
    assert "url = x" in output


def test_a_variable_without_a_value(project: Project) -> None:
    with (project.folder / "pytest.ini").open("a") as ini:
        ini.write("    NO_VALUE\n")
    assert "party_vars: 'NO_VALUE' is not KEY=VALUE" in error(project)


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
def test_a_timeout_that_is_none(project: Project, value: str) -> None:
    ini = project.folder / "pytest.ini"
    ini.write_text(ini.read_text().replace("party_timeout = 60", f"party_timeout = {value}"))
    result = project.run("-q")
    assert result.returncode == pytest.ExitCode.USAGE_ERROR
    assert result.stderr == f"ERROR: party_timeout: '{value}' is not a number of seconds\n\n"


def test_the_plugin_is_no_burden_without_the_packages_of_its_extra(project: Project) -> None:
    (project.folder / "httpx.py").write_text("raise ModuleNotFoundError(name='httpx')\n")
    project.write(test_it="def test_it(party): pass\n\ndef test_other(): pass\n")
    result = project.run("-q", PYTHONPATH=f"{project.folder}:{REPOSITORY / 'src'}")
    assert "1 passed, 1 error" in result.stdout, result.stdout + result.stderr
    assert "the testing kit needs httpx: pip install 'partyserver[testing]'" in result.stdout


def fake_node(folder: Path, version: str) -> Path:
    (folder / "bin").mkdir()
    node = folder / "bin" / "node"
    node.write_text(f"#!/bin/sh\necho {version}\n")
    node.chmod(0o755)
    return node.parent
