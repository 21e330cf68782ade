"""What the README and the guide tell a newcomer to do works, in an empty folder."""

import re
import shutil
import tomllib

import pytest
from partyserver.command import init


def code_blocks(path):
    return re.findall(r"^```(\w+)\n(.*?)^```", path.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def pytest_in(run):
    """Runs a project's tests with the project's own environment, in its own folder."""

    def run_tests(project, *arguments, check=True):
        return run(
            project / ".venv/bin/python", "-m", "pytest", *arguments, cwd=project, check=check
        )

    return run_tests


def write_files(project, blocks):
    """Write each block to the file that its first line names, after what stands there already.

    A guide names a worker's modules without their folder.
    """
    for code in blocks:
        if name := re.match(r"# ([\w/]+\.py)\n", code):
            is_workers = "/" not in name[1] and not name[1].startswith("test_")
            path = project / "src" / name[1] if is_workers else project / name[1]
            path.parent.mkdir(exist_ok=True)
            with path.open("a") as file:
                file.write(f"{code}\n\n")


@pytest.fixture
def given(root):
    """The config that the README gives."""
    [config] = (code for language, code in code_blocks(root / "README.md") if language == "toml")
    return config


@pytest.fixture
def config(given):
    """The same, where there is no uv, which runs what is in the environment."""
    assert given.count("uv run --no-sync ") == 1
    return given.replace("uv run --no-sync ", "PATH=.venv/bin:$PATH ")


def test_a_new_project_has_the_library_from_its_wheel(run, new_project):
    assert {"partyserver", "workers"} <= {
        p.name for p in (new_project / "python_modules").iterdir()
    }
    python = new_project / ".venv/bin/python"
    where = run(python, "-c", "import partyserver; print(partyserver.__file__)", cwd=new_project)
    assert where.stdout.startswith(str(new_project / ".venv"))


def test_the_readmes_config_uploads_no_more_than_that_of_a_new_project(given):
    made = tomllib.loads(init.files_of("chat", "my-app")["wrangler.toml"])
    assert tomllib.loads(given)["python_modules"] == made["python_modules"]


def test_the_readmes_build_command_runs_in_each_systems_shell(given, root):
    """It is what the page on the command says does so, and the template beside its own."""
    command = tomllib.loads(given)["build"]["command"]
    assert not set(command) & set("$:;&|/=<>'\\")
    templates = init.files_of("chat", "my-app")["wrangler.toml"]
    assert f'Windows, where it does nothing: command = "{command}"' in templates
    assert f'command = "{command}"\n' in (root / "docs/pages/command.md").read_text()


def test_the_readmes_example_passes_its_test(root, new_project, config, pytest_in):
    blocks = code_blocks(root / "README.md")
    write_files(new_project, (code for language, code in blocks if language == "python"))
    (new_project / "wrangler.toml").write_text(config)

    assert "1 passed" in pytest_in(new_project).stdout


def test_the_guides_examples_pass_with_and_without_chaos(root, new_project, config, pytest_in):
    guide = root / "docs/pages/guides/testing.md"
    blocks = [code for language, code in code_blocks(guide) if language == "python"]
    # The login is another worker's, and has its secret from pytest's settings.
    write_files(new_project, [code for code in blocks if "test_login.py" not in code])
    timers = code_blocks(root / "docs/pages/guides/timers.md")
    [shop] = (code for _, code in timers if "class Shop" in code)
    write_files(new_project, [f"# worker.py\n{shop}"])
    binding = '[[durable_objects.bindings]]\nname = "Shop"\nclass_name = "Shop"\n\n[[migrations]]'
    config = config.replace('"Chat"', '"Poll"').replace("[[migrations]]", binding)
    (new_project / "wrangler.toml").write_text(config.replace('["Poll"]', '["Poll", "Shop"]'))
    cron = root / "tests/capabilities/python_modules/cronsim"
    shutil.copytree(cron, new_project / "python_modules/cronsim")

    for arguments in [(), ("--party-chaos",)]:
        assert "7 passed" in pytest_in(new_project, *arguments).stdout
    (new_project / "test_shop.py").unlink()

    # The guide's mistake, and what it says that chaos shows of it.
    forgetful = (new_project / "src/forgetful.py").read_text()
    worker = (new_project / "src/worker.py").read_text()
    start = worker.index("class Poll"), worker.index("class Default")
    (new_project / "src/worker.py").write_text(
        worker[: start[0]] + forgetful[forgetful.index("class Poll") :] + worker[start[1] :]
    )
    (new_project / "test_poll.py").write_text("""
def test_two_votes(party):
    with party.room("Poll", "lunch").connect() as a:
        assert a.receive_json() == {}
        a.send("pizza")
        assert a.receive_json() == {"pizza": 1}
        a.send("soup")
        assert a.receive_json() == {"pizza": 1, "soup": 1}
""")
    assert "1 passed" in pytest_in(new_project).stdout
    [loss] = (code for language, code in code_blocks(guide) if language == "text")
    assert loss in pytest_in(new_project, "--party-chaos", check=False).stdout
