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
    assert not {"__main__.py", "command", "testing"} & uploaded
    assert list((tmp_path / "python_modules/msgspec").glob("*.so"))


def test_what_one_worker_needs_is_not_in_the_others(root):
    with_msgspec = {path.parent.parent for path in root.glob("**/python_modules/msgspec")}
    expected = {
        root if file.parent.name == "chat" else file.parent
        for file in [
            *root.glob("fixtures/*/requirements.txt"),
            *root.glob("tests/*/requirements.txt"),
        ]
        if "msgspec" in file.read_text()
    }
    assert root in with_msgspec
    assert with_msgspec <= expected
