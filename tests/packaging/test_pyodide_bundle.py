"""tools/pyodide-bundle.mjs says what is wrong with a package that it cannot use."""

import json
import shutil

import pytest

VERSION = "314.0.6"


@pytest.fixture
def bundle(run, root, tmp_path):
    """Bundles a made-up npm package `pyodide`; gives the process that did."""
    tool = tmp_path / "tools" / "pyodide-bundle.mjs"
    tool.parent.mkdir()
    shutil.copy(root / "tools" / tool.name, tool)
    package = tmp_path / "node_modules" / "pyodide"
    package.mkdir(parents=True)
    (package / "pyodide.asm.wasm").write_bytes(b"\0asm")
    (package / "python_stdlib.zip").write_bytes(b"PK")

    def bundle(*, version=VERSION, glue=""):
        (package / "package.json").write_text(json.dumps({"name": "pyodide", "version": version}))
        (package / "pyodide.asm.mjs").write_text(glue)
        return run("node", tool, tmp_path / "out", check=False)

    yield bundle
    assert not list(tmp_path.glob("out/*")), "a refused package leaves no bundle behind"


def test_another_version_is_refused_with_the_command_that_mends_it(bundle):
    done = bundle(version="314.0.7")

    assert done.returncode == 1
    assert done.stderr.startswith("pyodide-bundle: pyodide is 314.0.7")
    assert f"npm install --save-dev --save-exact pyodide@{VERSION}" in done.stderr


def test_glue_without_an_expected_pattern_is_refused_with_its_name(bundle):
    done = bundle(glue="new WebAssembly.Module(bytes); WebAssembly.instantiate(bytes);")

    assert done.returncode == 1
    assert 'does not hold the expected code for "the clock"' in done.stderr
    assert "at " not in done.stderr.splitlines()[-1], "a sentence, not a stack trace"
