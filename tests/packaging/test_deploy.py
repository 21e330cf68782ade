import tomllib

import pytest


@pytest.fixture
def config(root):
    return tomllib.loads((root / "wrangler.toml").read_text())


def test_the_deployable_config_holds_no_development_flag(config):
    assert config["compatibility_flags"] == ["python_workers"]


def test_wrangler_would_deploy_the_chat_with_the_library_and_without_what_runs_outside(
    run, root, config, tmp_path
):
    run("wrangler", "deploy", "--dry-run", "--outdir", tmp_path)

    assert (tmp_path / "worker.py").read_text() == (root / config["main"]).read_text()
    uploaded = {path.name for path in (tmp_path / "python_modules/partyserver").iterdir()}
    source = {path.name for path in (root / "src/partyserver").glob("*.py")}
    assert source - {"__main__.py"} <= uploaded
    assert not {"__main__.py", "command", "hosting", "load", "testing"} & uploaded
    assert list((tmp_path / "python_modules/msgspec").glob("*.so"))


def test_what_one_worker_needs_is_not_in_the_others(root):
    assert (root / "python_modules/msgspec").exists()
    for modules in [*root.glob("fixtures/*/python_modules"), *root.glob("tests/*/python_modules")]:
        requirements = modules.parent / "requirements.txt"
        needs_it = requirements.exists() and "msgspec" in requirements.read_text()
        assert (modules / "msgspec").exists() == needs_it, modules


def test_a_fixture_that_there_is_none_of_is_told_with_those_there_are(run, root):
    done = run("make", "dev", "FIXTURE=nonesuch", cwd=root, check=False)
    assert done.returncode == 2
    fixtures = sorted(path.name for path in root.glob("fixtures/*/"))
    assert f"FIXTURE=nonesuch is none of the fixtures: {' '.join(fixtures)}\n" in done.stderr


def test_each_fixture_shows_its_mistakes_when_it_is_built(root):
    for path in [root / "wrangler.toml", *root.glob("fixtures/*/wrangler.toml")]:
        command = tomllib.loads(path.read_text())["build"]["command"]
        assert command.endswith(".venv/bin/partyserver check"), path
