"""What runs on GitHub and before a commit: the project's own commands, with few rights."""

import re

import pytest
import yaml

OWN = re.compile(r"actions/[\w-]+@v\d+")
#: Of another owner: a commit, which nobody can move, and beside it the version that it is.
FOREIGN = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+(\.\d+)+")


@pytest.fixture
def workflow(root):
    def workflow(name):
        content = yaml.safe_load((root / f".github/workflows/{name}.yml").read_text())
        content["on"] = content.pop(True)  # what YAML 1.1 makes of `on`
        return content

    return workflow


@pytest.fixture(params=["checks", "docs", "release"])
def name(request):
    return request.param


def commands(job):
    return [step["run"] for step in job.get("steps", []) if "run" in step]


def used(job):
    return [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]


def test_each_workflow_is_looked_at_here(root):
    names = {path.name for path in (root / ".github/workflows").iterdir()}
    assert names == {"checks.yml", "docs.yml", "release.yml"}


def test_a_change_passes_all_of_ci_run(workflow, root):
    checks = workflow("checks")
    assert "pull_request" in checks["on"]
    assert checks["on"]["push"] == {"branches": ["main"]}
    assert commands(checks["jobs"]["all"]) == [".ci/run"]
    assert (root / ".ci/run").stat().st_mode & 0o111, "it is called by its name"


def test_a_workflow_can_only_read_unless_a_job_says_more(workflow, name):
    assert workflow(name)["permissions"] in ({}, {"contents": "read"})


def test_only_the_jobs_that_publish_have_more_rights(workflow):
    granted = {
        (name, job_name): {
            right for right, level in job.get("permissions", {}).items() if level == "write"
        }
        for name in ("checks", "docs", "release")
        for job_name, job in workflow(name)["jobs"].items()
    }
    assert {job: rights for job, rights in granted.items() if rights} == {
        ("docs", "deploy"): {"pages", "id-token"},
        ("release", "publish"): {"id-token"},
        ("release", "announce"): {"contents"},
    }


def test_no_workflow_knows_a_secret(root, name):
    text = (root / f".github/workflows/{name}.yml").read_text()
    assert not re.search(r"\bsecrets\b|password|inherit", text)


def test_no_command_holds_an_expression(workflow, name):
    """GitHub pastes its value into the command, and some are others' to choose: a branch's name."""
    for job in workflow(name)["jobs"].values():
        assert not [command for command in commands(job) if "${{" in command]


def test_actions_of_others_are_pinned_to_a_commit(root, name):
    text = (root / f".github/workflows/{name}.yml").read_text()
    actions = re.findall(r"uses: (?!\./)(.+)$", text, re.MULTILINE)
    assert actions
    for action in actions:
        assert OWN.fullmatch(action) or FOREIGN.fullmatch(action), action


def test_a_tag_is_published_when_it_has_passed_everything_and_is_the_version(workflow):
    release = workflow("release")
    assert release["on"] == {"push": {"tags": ["v*"]}}
    jobs = release["jobs"]
    assert jobs["checks"]["uses"] == "./.github/workflows/checks.yml"
    assert "workflow_call" in workflow("checks")["on"]
    *before, installing = commands(jobs["build"])
    assert before == ['python tools/release.py "$GITHUB_REF_NAME" > notes.md', "make build"]
    assert "install dist/*.whl" in installing
    assert "partyserver init" in installing
    assert jobs["publish"]["needs"] == ["checks", "build"]
    assert jobs["publish"]["environment"]["name"] == "pypi"
    assert jobs["announce"]["needs"] == "publish"


def test_what_is_published_was_built_without_a_cache_and_by_a_job_without_rights(workflow):
    jobs = workflow("release")["jobs"]
    assert "cache" not in str(jobs["build"])
    assert used(jobs["publish"]) == ["actions/download-artifact", "pypa/gh-action-pypi-publish"]
    assert commands(jobs["publish"]) == []


def test_the_documentation_that_is_deployed_is_that_of_make_docs(workflow, root):
    build = workflow("docs")["jobs"]["build"]
    assert commands(build) == ["make docs"]
    [folder] = (step["with"]["path"] for step in build["steps"] if "path" in step.get("with", {}))
    site = yaml.compose((root / "docs/mkdocs.yml").read_text())
    [site_dir] = (value.value for key, value in site.value if key.value == "site_dir")
    assert (root / "docs" / site_dir).resolve() == root / folder


def test_the_hooks_before_a_commit_are_lines_of_make_check(root):
    config = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert len(hooks) >= 3
    makefile = (root / "Makefile").read_text()
    recipe = re.search(r"^check-python:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert {hook["entry"] for hook in hooks} <= set(recipe[1].replace("\t", "").splitlines())
    assert re.search(r"^check:.*\bcheck-python\b", makefile, re.MULTILINE)
    assert all(hook["language"] == "system" for hook in hooks), "no second version of a tool"
