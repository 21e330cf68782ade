"""What the README tells a newcomer to do works, with the wheel as they would get it."""

import re
import sys

import pytest


@pytest.fixture
def project(run, root, distributions, tmp_path):
    """A folder with the README's files, and the wheel in its python_modules."""
    readme = (root / "README.md").read_text()
    blocks = re.findall(r"^```(\w+)\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    worker, test = (code for language, code in blocks if language == "python")
    [config] = (code for language, code in blocks if language == "toml")
    (tmp_path / "worker.py").write_text(worker)
    (tmp_path / "test_worker.py").write_text(test)
    (tmp_path / "wrangler.toml").write_text(config)
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\nparty_pyodide_bundle = {root / '.cache/pyodide-bundle'}\n"
    )
    run(
        *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-index"),
        *("--find-links", distributions, "--find-links", root / ".cache/wheels"),
        *("--target", tmp_path / "python_modules", "partyserver"),
    )
    return tmp_path


def test_its_example_passes_its_test_from_the_wheel(run, root, project):
    assert {"partyserver", "workers"} <= {p.name for p in (project / "python_modules").iterdir()}

    # From here, where the plugin finds wrangler; --config-file makes it the project's run.
    done = run(
        *(sys.executable, "-m", "pytest", "--config-file", project / "pytest.ini"),
        project / "test_worker.py",
    )

    assert "1 passed" in done.stdout
