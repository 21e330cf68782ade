"""A release has one version, and only a tag that names it is published."""

import re
import shutil
import sys
import tomllib

import partyserver
import pytest

CHANGELOG = """# Changelog

## [Unreleased]

### Added

- What comes later.

## [1.2.0] - 2027-01-31

### Fixed

- A thing.

## [1.1.0] - 2026-12-24

- What came before.
"""


@pytest.fixture
def release(run, root, tmp_path):
    """Runs tools/release.py on a made-up package of version 1.2.0."""
    tool = tmp_path / "tools/release.py"
    tool.parent.mkdir()
    shutil.copy(root / "tools/release.py", tool)
    package = tmp_path / "src/partyserver/__init__.py"
    package.parent.mkdir(parents=True)
    package.write_text('import workers\n\n__version__ = "1.2.0"\n')

    def release(*arguments, changelog=CHANGELOG):
        (tmp_path / "CHANGELOG.md").write_text(changelog)
        return run(sys.executable, tool, *arguments, check=False)

    return release


def test_the_tag_of_the_version_gives_the_changelogs_section_of_it(release):
    done = release("v1.2.0")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "### Fixed\n\n- A thing.\n"


def test_the_last_section_of_the_changelog_ends_with_the_file(release):
    older = CHANGELOG[: CHANGELOG.index("## [1.1.0]")]
    assert release("v1.2.0", changelog=older).stdout == "### Fixed\n\n- A thing.\n"


def test_links_of_the_notes_lead_to_the_repository(release):
    """The changelog's own are relative to it, and the notes are shown on another page."""
    text = "- [A page](docs/pages/a.md#b), [another](https://example.com/)."
    done = release("v1.2.0", changelog=CHANGELOG.replace("- A thing.", text))
    tree = "https://github.com/partyserver/partyserver-python/blob/v1.2.0"
    assert f"[A page]({tree}/docs/pages/a.md#b), [another](https://example.com/)." in done.stdout


def test_this_version_could_be_released(root, run):
    """What the workflow does first, for the tag that this tree would get."""
    done = run(sys.executable, root / "tools/release.py", f"v{partyserver.__version__}")
    assert "### Added" in done.stdout
    changelog = (root / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert versions[:2] == ["Unreleased", partyserver.__version__]
    titles = set(re.findall(r"^### (.+)$", changelog, re.MULTILINE))
    assert titles <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    # As `init` would write it into the projects of the tutorial.
    needed = [
        re.findall(r'"partyserver(?:\[\w+\])?>=([\d.]+)"', path.read_text())
        for path in (root / "docs/tutorial").glob("*/pyproject.toml")
    ]
    assert needed == [[partyserver.__version__]] * 9


@pytest.mark.parametrize("tag", ["v1.1.0", "1.2.0", "v1.2.0-rc1", "v1.2", "main"])
def test_another_tag_than_the_versions_is_refused(release, tag):
    done = release(tag)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"the tag is {tag}, but src/partyserver/__init__.py says 1.2.0\n"


@pytest.mark.parametrize(
    "heading",
    ["## [1x2.0] - 2027-01-31", "## [1.2.0]", "## [1.2.0] - 2027-01-31\n\n## [1.1.9] - 2027-01-30"],
    ids=["none", "no date", "empty"],
)
def test_a_version_that_the_changelog_does_not_tell_of_is_refused(release, heading):
    done = release("v1.2.0", changelog=CHANGELOG.replace("## [1.2.0] - 2027-01-31", heading))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("CHANGELOG.md has no section `## [1.2.0] - YYYY-MM-DD`")


def test_no_tag_is_refused_with_a_sentence(release):
    assert release().stderr == "release.py takes one argument, the tag, and not 0\n"


def test_the_version_stands_in_the_package_only(root, run):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert "version" not in project
    done = run(sys.executable, root / "tools/release.py", "v0", check=False)
    assert done.stderr.endswith(f"src/partyserver/__init__.py says {partyserver.__version__}\n")


def test_the_version_is_known_to_a_copy_without_metadata(root, run, tmp_path):
    """As in a worker, whose start it must not cost the modules that read metadata."""
    shutil.copytree(root / "src/partyserver", tmp_path / "partyserver")
    code = (
        "import sys, partyserver\n"
        "print(partyserver.__file__, partyserver.__version__, 'importlib.metadata' in sys.modules)"
    )
    # -S: no site-packages, and so no metadata.
    done = run(sys.executable, "-S", "-c", code, cwd=tmp_path)
    file, version, reads_metadata = done.stdout.split()
    assert file.startswith(str(tmp_path))
    assert (version, reads_metadata) == (partyserver.__version__, "False")
