"""Which files of a project become modules, and of which kind."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from partyserver.hosting.modules import files_of, modules_of, pattern_of
from partyserver.project.errors import CommandError

from .translating import ROOT


@pytest.fixture
def write(tmp_path):
    def write(*names, content="x"):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    write("src/worker.py")
    return write


def kinds(folder, main="src/worker.py", **config):
    return {file.name: file.kind for file in files_of(config, folder, folder / main)}


OWN = {
    "src/room.py": ("room.py", "python"),
    "src/deep/er/__init__.py": ("deep/er/__init__.py", "python"),
    "src/page.html": ("page.html", "text"),
    "src/notes.txt": ("notes.txt", "text"),
    "src/table.sql": ("table.sql", "text"),
    "src/blob.bin": ("blob.bin", "data"),
    "src/code.wasm": ("code.wasm", "wasm"),
    "python_modules/package/__init__.py": ("python_modules/package/__init__.py", "data"),
    "python_modules/package/native.so": ("python_modules/package/native.so", "data"),
    "python_modules/workers/entry.mjs": ("python_modules/workers/entry.mjs", "esm"),
    "python_modules/workers/_workers.py": ("python_modules/workers/_workers.py", "data"),
    "python_modules/other/script.js": ("python_modules/other/script.js", "data"),
}
OTHERS = [
    "beside.py",
    "src/script.js",
    "src/image.png",
    "src/room.pyc",
    ".wrangler/state.txt",
    "python_modules/package/__pycache__/x.pyc",
]


def test_modules_are_named_by_where_they_lie_below_the_main_one(tmp_path, write):
    write(*OWN, *OTHERS)
    assert kinds(tmp_path) == {"worker.py": "python", **dict(OWN.values())}
    assert next(iter(kinds(tmp_path))) == "worker.py"


RULES = [
    {"type": "Data", "globs": ["*.one"], "fallthrough": True},
    {"type": "Data", "globs": ["deep/*.two", "deep/**/*.three", "**/a[b]?.md"]},
    {"type": "Data", "globs": ["**/*.four"]},
    {"type": "Text", "globs": ["deep/*.sql", "**/*.md", "**/*.bin"], "fallthrough": True},
    {"type": "Text", "globs": ["**/*.py"], "fallthrough": False},
]
BY_RULES = {
    "x.one": "data",
    "deep/x.two": "data",
    "deep/x.three": "data",
    "deep/er/est/x.three": "data",
    "a[b]?.md": "data",
    "page.md": "text",
    "x.bin": "text",
    "deep/x.sql": "text",
    "code.wasm": "wasm",
    "room.py": "text",
    "worker.py": "python",
}
BY_NONE = ["x.two", "deep/x.one", "deep/er/x.two", "x.four", "x.sql", "page.html", "x.txt"]
KINDS = {"python": "python", "text": "text", "buffer": "data", "compiled-wasm": "wasm"}


def test_wrangler_uploads_the_same_by_rules(tmp_path, write):
    write(*(f"src/{name}" for name in [*BY_RULES, *BY_NONE]), content="")
    write(*(name for name in [*OWN, *OTHERS] if not name.startswith("src/")), content="")
    config = {
        "name": "twin",
        "main": "src/worker.py",
        "compatibility_date": "2026-11-17",
        "compatibility_flags": ["python_workers"],
        "rules": RULES,
    }
    (tmp_path / "wrangler.json").write_text(json.dumps(config))
    (tmp_path / "src" / "worker.py").write_text("from workers import WorkerEntrypoint\n")
    env = os.environ | {
        "PATH": f"{ROOT / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}",
        "WRANGLER_SEND_METRICS": "false",
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    }
    done = subprocess.run(
        ["wrangler", "deploy", "--dry-run", "--outdir", "out"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = kinds(tmp_path, rules=RULES)
    own = {name: kind for name, kind in found.items() if not name.startswith("python_modules/")}
    assert own == BY_RULES
    rows = [line.split("│") for line in done.stdout.splitlines() if line.count("│") == 4]
    told = {name.strip(): KINDS.get(kind.strip()) for _, name, kind, _, _ in rows}
    assert {name: told[name] for name in own if name != "worker.py"} | {
        "worker.py": "python"
    } == own
    out = tmp_path / "out"
    uploaded = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert uploaded - {"README.md"} == found.keys()


def test_rules_of_python_replace_wranglers(tmp_path, write):
    write("src/room.py", "src/later.pyx")
    rules = [{"type": "PythonModule", "globs": ["**/*.pyx"]}]
    assert kinds(tmp_path, rules=rules) == {"worker.py": "python", "later.pyx": "python"}


def test_what_else_says_which_modules_there_are(tmp_path, write):
    write("src/room.py", "python_modules/a/b.py", "python_modules/a/b.pyc", "other.py")
    assert kinds(tmp_path, find_additional_modules=False).keys() == {
        "worker.py",
        "python_modules/a/b.py",
    }
    assert kinds(tmp_path, base_dir=".").keys() == {
        "src/worker.py",
        "src/room.py",
        "other.py",
        "python_modules/a/b.py",
    }
    assert "python_modules/a/b.pyc" in kinds(tmp_path, python_modules={"exclude": []})
    assert "python_modules/a/b.py" not in kinds(tmp_path, python_modules={"exclude": ["a/*"]})


@pytest.mark.parametrize("wrong", [1, {}, [1], [{}], [{"type": "Data", "globs": 1}]])
def test_what_is_wrong_in_a_config_stands_for_nothing(tmp_path, write, wrong):
    write("src/notes.txt")
    config = {"rules": wrong, "python_modules": wrong, "base_dir": wrong}
    assert kinds(tmp_path, **config)["notes.txt"] == "text"


def test_the_content_is_that_of_the_files(tmp_path, write):
    write("src/notes.txt", content="né")
    root, modules, warnings = modules_of({}, tmp_path, tmp_path / "src" / "worker.py")
    assert (root, warnings) == (tmp_path / "src", [])
    assert [(one.name, one.content) for one in modules] == [
        ("worker.py", b"x"),
        ("notes.txt", "né".encode()),
    ]


def test_what_cannot_be_a_module_is_told(tmp_path, write):
    def refused(**config):
        with pytest.raises(CommandError) as told:
            modules_of(config, tmp_path, tmp_path / "src" / "worker.py")
        return str(told.value)

    (tmp_path / "src" / "latin.py").write_bytes(b"# caf\xe9")
    assert (
        "latin.py is a module of text, and no UTF-8: unexpected end of data at byte 5" in refused()
    )
    (tmp_path / "src" / "latin.py").unlink()
    (tmp_path / "src" / "gone.py").symlink_to("nowhere")
    assert "gone.py cannot be read: No such file" in refused()
    (tmp_path / "src" / "gone.py").unlink()
    assert "base_dir names" in refused(base_dir="elsewhere")
    write("src/python_modules/x.py")
    assert "where no packages are looked for: they belong into" in refused()


def test_a_virtual_environment_beside_the_worker_is_told(tmp_path, write):
    write("worker.py", ".venv/pyvenv.cfg", ".venv/lib/a.py", ".venv/lib/b.py", "node_modules/c.py")
    _, modules, warnings = modules_of({}, tmp_path, tmp_path / "worker.py")
    assert [warning.split(",")[0].rpartition("/")[2] for warning in warnings] == [
        ".venv goes into the worker",
        "node_modules goes into the worker",
    ]
    assert ".venv/lib/a.py" in [one.name for one in modules]


@pytest.mark.parametrize(
    ("glob", "yes", "no"),
    [
        ("*.py", ["a.py", ".py"], ["a/b.py", "a.pyc"]),
        ("**/*.py", ["a.py", "a/b/c.py"], ["a.pyc"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a", "a"]),
        ("a/**/b", ["a/b", "a/x/y/b"], ["a/xb"]),
        ("a**/b", ["a/b", "ax/b"], ["a/x/b"]),
        ("a?.py", ["a?.py"], ["ab.py"]),
        ("a.[py]", ["a.[py]"], ["a.p"]),
    ],
)
def test_globs(glob, yes, no):
    pattern = pattern_of(glob)
    assert [name for name in [*yes, *no] if pattern.fullmatch(name)] == yes
