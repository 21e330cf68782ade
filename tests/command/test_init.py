"""`partyserver init` makes a project, or nothing. See tests/packaging/test_init.py, too."""

from __future__ import annotations

import contextlib
import json
import re
import stat
import tomllib
from importlib.metadata import PackageNotFoundError, requires

import partyserver
import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from partyserver.command import init
from partyserver.project.errors import CommandError

from .running import ROOT, command, refused

COMMON = {
    ".github/workflows/checks.yml",
    ".gitignore",
    ".npmrc",
    "README.md",
    "package.json",
    "public/index.html",
    "public/style.css",
    "pyproject.toml",
    "src/worker.py",
    "tests/test_worker.py",
    "wrangler.toml",
}
FILES = {
    "chat": COMMON | {"public/chat.js"},
    "fastapi": COMMON | {"public/chat.js", "src/website.py", "tests/test_website.py"},
    "agent": COMMON
    | {"page/assistant.tsx", "page/worker.ts", "public/icon.svg", "src/models.py", "tsconfig.json"},
    "yjs": COMMON
    | {"page/notes.js", "public/_headers", "public/icon.svg", "src/links.py", "src/snapshots.py"},
}

#: What npm is to bring, beside wrangler.
PACKAGES = {
    "agent": {"agents", "esbuild", "react", "react-dom", "typescript", "@types/react"},
    "yjs": {"esbuild", "y-codemirror.next", "y-indexeddb", "y-partyserver", "yjs"},
}

#: The whole programs that are an example here, too: its folder, its title, what is built there.
PROGRAMS = {
    "agent": ("agent", "Assistant", {"public/assistant.js"}),
    "yjs": ("notes", "Notes", {"public/notes.js"}),
}


def test_it_says_what_comes_next(tmp_path):
    done = command("init", "my-app", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("my-app is ready, made from the template chat.")
    for line in ("cd my-app", "npm install", "uv run pywrangler dev", "uv run pytest"):
        assert f"\n  {line}" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["my-app"]
    assert not stat.S_IMODE((tmp_path / "my-app").stat().st_mode) & 0o022
    assert stat.S_IMODE((tmp_path / "my-app").stat().st_mode) & 0o055 == 0o055


@pytest.mark.parametrize("template", init.TEMPLATES)
def test_each_template_has_all_files_and_the_projects_name(template, tmp_path):
    done = command("init", "some-name", "--template", template, cwd=tmp_path)
    assert done.returncode == 0
    project = tmp_path / "some-name"
    made = {
        path.relative_to(project).as_posix(): path.read_text()
        for path in project.rglob("*")
        if path.is_file()
    }
    assert made.keys() == FILES[template]
    assert not [name for name, text in made.items() if re.search(r"@\w+@", text)]
    config = tomllib.loads(made["wrangler.toml"])
    pyproject = tomllib.loads(made["pyproject.toml"])
    names = (config["name"], pyproject["project"]["name"], json.loads(made["package.json"])["name"])
    assert names == ("some-name",) * 3
    assert json.loads(made["package.json"])["version"] == pyproject["project"]["version"]
    assert "# some-name" in made["README.md"]
    assert "<title>some-name</title>" in made["public/index.html"]
    assert config["main"] == "src/worker.py"
    pythons = SpecifierSet(pyproject["project"]["requires-python"])
    assert list(pythons.filter(["3.13.9", "3.14.0", "3.14.12", "3.15.0"])) == ["3.14.0", "3.14.12"]
    needed = [f"partyserver>={partyserver.__version__}", *init.TEMPLATES[template]]
    assert pyproject["project"]["dependencies"] == needed
    assert {"workers-py", "partyserver[testing]", "pytest", "mypy", "pyright"} == {
        *pyproject["dependency-groups"]["dev"]
    }


def test_the_assistants_tests_ask_no_real_model(tmp_path):
    done = command("init", "my-app", "--template", "agent", cwd=tmp_path)
    assert (
        "npm install               # wrangler, esbuild, React, the SDK's client; needs"
        in done.stdout
    )
    done = command("init", "my-notes", "--template", "yjs", cwd=tmp_path)
    assert "npm install               # wrangler, esbuild, CodeMirror, Yjs; needs" in done.stdout
    for template in init.TEMPLATES:
        pyproject = tomllib.loads(init.files_of(template, "my-app")["pyproject.toml"])
        options = pyproject["tool"]["pytest"]["ini_options"]
        assert options.get("party_vars") == ("OPENAI_API_KEY=" if template == "agent" else None)


@pytest.mark.parametrize("template", init.TEMPLATES)
def test_the_readme_has_the_order_that_is_printed(template, tmp_path):
    done = command("init", "my-app", "--template", template, cwd=tmp_path)
    printed = [line.split("#")[0].strip() for line in done.stdout.splitlines()[3:]]
    readme = init.files_of(template, "my-app")["README.md"]
    assert (
        "\n".join(line.split("#")[0].strip() for line in readme.splitlines()).find(
            "\n".join(printed)
        )
        > 0
    )


@pytest.mark.parametrize("template", init.TEMPLATES)
def test_versions_and_dates_are_those_that_the_library_is_tested_with(template):
    files = init.files_of(template, "my-app")
    ours = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    package = json.loads(files["package.json"])
    needed = package["devDependencies"]
    assert needed == {name: ours[name] for name in needed}
    more = PACKAGES.get(template, set())
    assert needed.keys() >= {"wrangler"} | more
    assert more or needed.keys() == {"wrangler"}
    assert package["engines"] == {"node": ">=22.12"}
    config, root = (
        tomllib.loads(t) for t in (files["wrangler.toml"], (ROOT / "wrangler.toml").read_text())
    )
    for key in ("compatibility_date", "compatibility_flags"):
        assert config[key] == root[key]


def test_the_tutorials_projects_have_them_too():
    ours = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    root = tomllib.loads((ROOT / "wrangler.toml").read_text())
    projects = [path.parent for path in (ROOT / "docs/tutorial").glob("*/package.json")]
    assert len(projects) == 9
    for project in projects:
        needed = json.loads((project / "package.json").read_text())["devDependencies"]
        assert needed == {name: ours[name] for name in needed}, project
        config = tomllib.loads((project / "wrangler.toml").read_text())
        for key in ("compatibility_date", "compatibility_flags"):
            assert config[key] == root[key], project


@pytest.mark.parametrize("template", PROGRAMS)
def test_a_program_is_that_of_the_fixture(template):
    """It is one program, in two places: copy what you have changed from the one to the other."""
    folder, title, built = PROGRAMS[template]
    files = init.files_of(template, title)
    fixture = ROOT / "fixtures" / folder
    theirs = {f"src/{path.name}": path for path in fixture.glob("*.py")}
    for part in ("page", "public"):
        theirs |= {f"{part}/{path.name}": path for path in (fixture / part).iterdir()}
    ours = {path for path in files if path.startswith(("src/", "page/", "public/"))}
    assert ours == theirs.keys() - built
    for path in ours:
        assert files[path] == theirs[path].read_text(), f"{path} and {theirs[path]} differ"
    texts = files["wrangler.toml"], (fixture / "wrangler.toml").read_text()
    config, own = map(tomllib.loads, texts)
    for key in ("durable_objects", "migrations", "assets", "vars"):
        assert config.get(key) == own.get(key)


def test_the_assistants_page_has_the_types_of_its_worker(tmp_path):
    """Else make them again, in the template's folder, and copy them to the fixture."""
    files = init.files_of("agent", "my-app")
    run, _, then = json.loads(files["package.json"])["scripts"]["types"].partition(" && ")
    arguments = run.removeprefix("uv run --no-sync partyserver ").split()
    assert (arguments[0], then) == ("types", "tsc")
    init.make(tmp_path / "my-app", files)
    made = tmp_path / "my-app/page/worker.ts"
    made.unlink()
    assert command(*arguments, cwd=tmp_path / "my-app").returncode == 0
    assert made.read_text() == files["page/worker.ts"]


def test_the_assistants_page_is_checked_as_it_is_here():
    options = json.loads(init.files_of("agent", "my-app")["tsconfig.json"])["compilerOptions"]
    ours = (ROOT / "tools/javascript/react.json").read_text()
    assert json.loads(re.sub("^//.*", "", ours))["compilerOptions"] == options


def test_the_templates_are_no_tests_of_those_who_have_vendored_them():
    folder = ROOT / "src" / "partyserver" / "command" / "templates"
    assert not [path for path in folder.rglob("*.py") if "test" in path.name]


def test_the_templates_are_small():
    """They are part of the package, which each worker has in its python_modules."""
    folder = ROOT / "src" / "partyserver" / "command" / "templates"
    sizes = {**dict.fromkeys(PROGRAMS, 0), "others": 0}
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            part = path.relative_to(folder).parts[0]
            sizes[part if part in PROGRAMS else "others"] += path.stat().st_size
    assert sizes["others"] < 25_000
    # Whole programs, with their pages.
    assert sizes["agent"] < 45_000
    assert sizes["yjs"] < 55_000


@pytest.mark.parametrize(
    "name", ["", "..", "My App", "-a", "a-", "a_b", "a/b", "../a", "é", "a" * 64]
)
def test_a_bad_name_is_refused(name, tmp_path):
    told = refused(command("init", "--", name, cwd=tmp_path))
    assert told.startswith(
        f"partyserver: {name!r} cannot be the name of a worker, which has 1 to 63"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_bad_name_comes_with_a_better_one(tmp_path):
    assert ": my-app would do\n" in refused(command("init", "My_App!", cwd=tmp_path))
    assert "would do" not in refused(command("init", "FastAPI", cwd=tmp_path))


def test_a_dot_is_the_current_folder(tmp_path):
    folder = tmp_path / "some-name"
    folder.mkdir()
    done = command("init", ".", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("some-name is ready, made from the template chat.")
    assert "\n\n  npm install " in done.stdout
    assert tomllib.loads((folder / "wrangler.toml").read_text())["name"] == "some-name"
    assert list(tmp_path.iterdir()) == [folder]
    told = refused(command("init", ".", cwd=folder))
    assert "the folder . is not empty" in told
    assert told.endswith(". From one folder up you can name the project: partyserver init NAME\n")


def test_the_current_folder_has_a_name_that_will_do(tmp_path):
    folder = tmp_path / "My_App"
    folder.mkdir()
    told = refused(command("init", ".", cwd=folder))
    assert told.startswith("partyserver: 'My_App' cannot be the name of a worker")
    assert ": my-app would do. From one folder up you can name the project" in told
    assert list(folder.iterdir()) == []


def brought_by(requirement, found):
    """The names of all packages that come with it, and that are installed here."""
    requirement = Requirement(requirement)
    name = canonicalize_name(requirement.name)
    if (name, *requirement.extras) in found:
        return
    found.add((name, *requirement.extras))
    with contextlib.suppress(PackageNotFoundError):
        for line in requires(name) or []:
            marker = Requirement(line).marker
            if not marker or any(
                marker.evaluate({"extra": e, "python_version": "3.14", "sys_platform": platform})
                for e in ("", *requirement.extras)
                for platform in ("linux", "win32")
            ):
                brought_by(line, found)


def test_the_name_of_a_package_that_the_project_needs_is_refused(tmp_path):
    dev = tomllib.loads(init.files_of("chat", "my-app")["pyproject.toml"])["dependency-groups"]
    found = set()
    for requirement in ("partyserver[events,http,schedule]", "fastapi", "msgspec", *dev["dev"]):
        brought_by(requirement, found)
    names = {name for name, *_ in found}
    assert {"websockets", "httpx", "pydantic"} < names
    npm = set()
    for template in init.TEMPLATES:
        package = json.loads(init.files_of(template, "my-app")["package.json"])
        npm |= package["devDependencies"].keys()
    assert {"wrangler", "react", "yjs"} < npm
    for name in {*npm, *names}:
        if name.startswith("@") or "." in name:
            continue  # no name of a project
        with pytest.raises(CommandError, match="take another, as my-app"):
            init.check_name(name)
    assert "take another, as my-app" in refused(command("init", "httpx", cwd=tmp_path))


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / ".git").mkdir()
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "the folder full is not empty" in refused(command("init", "full", cwd=tmp_path))
    assert "file is there already" in refused(command("init", "file", cwd=tmp_path))
    assert "link is there already" in refused(command("init", "link", cwd=tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {"full", "file", "link"}
    assert [path.name for path in (tmp_path / "full").iterdir()] == [".git"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["my-app", "link"])
def test_an_empty_folder_is_taken_as_it_is(name, tmp_path):
    """It may be a mount, another's current folder, or in one that cannot be written to."""
    (tmp_path / "my-app").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("my-app")
    before = (tmp_path / "my-app").stat()
    around = tmp_path.stat().st_mtime_ns
    assert command("init", name, cwd=tmp_path).returncode == 0
    after = (tmp_path / "my-app").stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert tmp_path.stat().st_mtime_ns == around, "nothing was made beside it"
    assert (tmp_path / "my-app" / "wrangler.toml").is_file()
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("is_there", [False, True])
def test_nothing_is_left_of_what_could_not_be_written(is_there, tmp_path):
    folder = tmp_path / "my-app"
    if is_there:
        folder.mkdir()
    with pytest.raises(CommandError, match="my-app cannot be made: "):
        init.make(folder, {"a/b/c": "a file", "a/b/c/d": "and no folder"})
    assert list(tmp_path.rglob("*")) == [folder] * is_there
    with pytest.raises(CommandError, match="no/my-app cannot be made: No such file"):
        init.make(tmp_path / "no" / "my-app", {})


def test_an_unknown_template_is_refused(tmp_path):
    done = command("init", "my-app", "--template", "none", cwd=tmp_path)
    assert done.returncode == 2
    assert "'chat'" in done.stderr
    assert list(tmp_path.iterdir()) == []
