import re
import sys
import tarfile
import zipfile
from pathlib import Path

import partyserver
import pytest


def sources(root: Path) -> set[str]:
    folder = root / "src"
    return {
        path.relative_to(folder).as_posix()
        for path in (folder / "partyserver").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="session")
def wheel(distributions):
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as archive:
        yield archive


@pytest.fixture(scope="session")
def sdist(distributions):
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        yield archive


def metadata(wheel: zipfile.ZipFile, name: str) -> str:
    return wheel.read(next(path for path in wheel.namelist() if path.endswith(f"/{name}"))).decode()


def test_the_wheel_is_pure(wheel, distributions):
    [path] = distributions.glob("*.whl")
    assert path.name.endswith("-py3-none-any.whl")
    assert "Root-Is-Purelib: true" in metadata(wheel, "WHEEL")


def test_the_wheel_holds_the_package_types_and_javascript_included(wheel, root):
    packaged = {name for name in wheel.namelist() if name.startswith("partyserver/")}
    assert packaged == sources(root)
    assert "partyserver/py.typed" in packaged


def test_the_sdist_holds_the_package_and_its_papers(sdist, root):
    names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {f"src/{name}" for name in sources(root)} <= names
    papers = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"}
    assert {*papers, "pyproject.toml"} <= names


def test_the_sdk_is_all_that_a_worker_needs_beside_the_library(wheel):
    required = [
        line.partition(": ")[2]
        for line in metadata(wheel, "METADATA").splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    ]
    assert required == ["workers-runtime-sdk<2,>=1.9.5"]


def test_pytest_finds_the_plugin_by_itself(wheel):
    entry_points = metadata(wheel, "entry_points.txt")
    assert "[pytest11]\npartyserver = partyserver.testing.plugin" in entry_points


def test_the_command_is_a_script(wheel):
    entry_points = metadata(wheel, "entry_points.txt")
    assert "[console_scripts]\npartyserver = partyserver.command:main" in entry_points


def test_the_wheel_has_the_packages_version(wheel, distributions):
    version = partyserver.__version__
    assert f"\nVersion: {version}\n" in metadata(wheel, "METADATA")
    assert {path.name for path in distributions.iterdir()} == {
        f"partyserver-{version}-py3-none-any.whl",
        f"partyserver-{version}.tar.gz",
    }


def test_an_index_can_show_what_it_is_given(distributions, run):
    """The README above all. A warning counts, too."""
    files = sorted(distributions.iterdir())
    done = run(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert done.stdout.count("PASSED") == 2, done.stdout


def test_the_readmes_links_lead_somewhere_from_an_index(wheel, root):
    """There are no files beside it: each leads to the repository, as it was at this version."""
    readme = metadata(wheel, "METADATA").partition("\n\n")[2]
    own = re.findall(r"\]\((?!https?://)([^)#]+)[^)]*\)", (root / "README.md").read_text())
    assert len(own) > 20
    assert not re.findall(r"\]\((?!https?://|#)[^)]*\)", readme)
    tree = f"https://github.com/partyserver/partyserver-python/blob/v{partyserver.__version__}/"
    for path in own:
        assert f"]({tree}{path}" in readme


def test_the_metadata_is_complete(wheel):
    lines = metadata(wheel, "METADATA").partition("\n\n")[0].splitlines()
    fields = {}
    for name, _, value in (line.partition(": ") for line in lines):
        fields.setdefault(name, []).append(value)
    assert fields["License-Expression"] == ["MIT"]
    assert fields["License-File"] == ["LICENSE"]
    assert fields["Requires-Python"] == [">=3.11"]
    assert fields["Description-Content-Type"] == ["text/markdown"]
    urls = {one.partition(", ")[0] for one in fields["Project-URL"]}
    assert urls == {"Homepage", "Source", "Documentation", "Changelog", "Issues"}
    assert set(fields["Provides-Extra"]) == {"events", "http", "load", "schedule", "testing"}
    assert fields["Summary"][0]
    assert fields["Keywords"][0]
    versions = {f"Programming Language :: Python :: 3.{minor}" for minor in range(11, 15)}
    assert {*versions, "Typing :: Typed"} <= set(fields["Classifier"])


def test_pages_name_this_version(root):
    named = {
        (page.name, version)
        for page in (root / "docs/pages").rglob("*.md")
        for version in re.findall(r"\bpartyserver==([\d.]+)", page.read_text())
    }
    assert named
    assert {version for _, version in named} == {partyserver.__version__}, named


def test_addresses_of_the_project_are_the_same_everywhere(root):
    """In the files that name it; one that is missed leads people to another repository."""
    addresses = set()
    for file in ("pyproject.toml", "SECURITY.md", "CONTRIBUTING.md", "docs/mkdocs.yml"):
        found = re.findall(
            r"https://(?:github\.com/[\w-]+/partyserver[\w-]*|[\w-]+\.github\.io/[\w-]+)",
            (root / file).read_text(),
        )
        assert found, file
        addresses |= set(found)
    assert addresses == {
        "https://github.com/partyserver/partyserver-python",
        "https://partyserver.github.io/partyserver-python",
    }
