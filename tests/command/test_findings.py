"""The rules of `partyserver doctor`: what each finds, what it says to do, what it leaves alone."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from partyserver.command.findings import (
    Project,
    Upload,
    Vendored,
    findings,
    foreign_builds,
    migrated_classes,
)

CONFIG = {
    "compatibility_date": "2026-11-17",
    "compatibility_flags": ["python_workers"],
    "durable_objects": {"bindings": [{"name": "Chat", "class_name": "Chat"}]},
    "migrations": [{"tag": "v1", "new_sqlite_classes": ["Chat"]}],
    "build": {"command": "PATH=.venv/bin:$PATH partyserver check"},
}
GOOD = Project(
    config_name="wrangler.toml",
    config=CONFIG,
    main="src/worker.py",
    names=["Chat", "Default", "Server"],
    rooms=["Chat"],
    node="24.21.0",
    wrangler="4.164.0",
    vendored=Vendored(
        {"partyserver": "0.1.0", "workers-runtime-sdk": "1.9.5", "pydantic-core": "2.50.4"},
        ["partyserver", "workers", "pydantic_core"],
        ["pydantic_core/_pydantic_core.cpython-314-wasm32-emscripten.so", "a/b.abi3.so", "c.so"],
    ),
    today="2026-11-26",
    installed="0.1.0",
    dependencies=["partyserver", "pydantic-core"],
    upload=Upload(70, 500_000),
)


def errors(**changes):
    """What would fail in the good project with these changes."""
    return [finding.text for finding in findings(replace(GOOD, **changes)) if finding.fails]


def notes(**changes):
    return [finding.text for finding in findings(replace(GOOD, **changes)) if not finding.fails]


def config(**changes):
    return {key: value for key, value in {**CONFIG, **changes}.items() if value is not None}


def test_nothing_is_said_of_a_good_project():
    assert findings(GOOD) == []
    assert findings(replace(GOOD, installed=None, upload=None, dependencies=[], names=None)) == []


@pytest.mark.parametrize(
    ("changes", "told", "todo"),
    [
        ({"node": None}, "Node.js is missing", "install 22.12 or newer"),
        ({"node": "22.11.3"}, "Node.js is 22.11.3, and too old", "install 22.12 or newer"),
        ({"node": "9.99.0"}, "Node.js is 9.99.0, and too old", "`npm install node`"),
        ({"wrangler": None}, "wrangler is not installed", "`npm install --save-dev wrangler`"),
        ({"wrangler": "4.99.0"}, "wrangler is 4.99.0", "`npm install --save-dev wrangler@latest`"),
        ({"wrangler": "3.200.0-beta.1"}, "needs 4.164 or newer", "wrangler@latest"),
        ({"trouble": "there is no main"}, "there is no main", ""),
        (
            {"has_requirements": True},
            "requirements.txt lies beside",
            "dependencies in pyproject.toml",
        ),
        ({"vendored": None}, "there is no python_modules/", "`uv run pywrangler sync`"),
        (
            {"vendored": Vendored({"partyserver": "0.1.0"}, ["partyserver"]), "dependencies": []},
            "workers is not in python_modules/",
            "`uv run pywrangler sync`",
        ),
        ({"dependencies": ["fastapi"]}, "fastapi is not in python_modules/", "pywrangler sync"),
        ({"installed": "0.2.0"}, "partyserver is 0.1.0 in python_modules/, and 0.2.0", "`uv sync`"),
        (
            {"upload": Upload(1352, 15_000_000, {".venv": 900, "node_modules": 400})},
            ".venv (900 modules) and node_modules (400 modules) included, 1352 modules, 14.3 MB",
            'move src/worker.py into a folder of its own, and set main = "src/worker.py"',
        ),
        ({"upload": Upload(9, 65 * 2**20)}, "the worker has 65.0 MB, and the", "64.0 MB at most"),
    ],
)
def test_what_fails_is_told_with_what_to_do(changes, told, todo):
    [error] = [text for text in errors(**changes) if told in text]
    assert todo in error
    assert "\n" not in error


def test_the_oldest_tools_will_do():
    assert errors(node="22.12.0") == errors(wrangler="5.0.0") == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"compatibility_date": None},
            'compatibility_date is missing in wrangler.toml: set it to "20',
        ),
        ({"compatibility_date": "2026-13-01"}, "compatibility_date is '2026-13-01'"),
        ({"compatibility_date": 2026}, "compatibility_date is missing"),
        (
            {"compatibility_date": "2026-09-07"},
            "in Python 3.14, for which partyserver is made, since",
        ),
        ({"compatibility_date": "2026-11-27"}, "Cloudflare takes none that is to come: set it to"),
        ({"compatibility_flags": None}, 'no "python_workers" in wrangler.toml: add it'),
        ({"compatibility_flags": ["nodejs_compat"]}, 'no "python_workers"'),
        (
            {"compatibility_flags": ["python_workers", "experimental"]},
            '"experimental" in wrangler.toml, with which nobody can deploy: remove it',
        ),
    ],
)
def test_the_compatibility_is_looked_at(changes, told):
    [error] = errors(config=config(**changes))
    assert told in error


def test_an_older_date_will_do_with_the_flag_for_the_new_python():
    flags = ["python_workers", "python_workers_314"]
    assert errors(config=config(compatibility_date="2026-05-01", compatibility_flags=flags)) == []


def test_a_date_that_the_library_is_tested_with_is_none_to_come():
    assert errors(today="2026-01-01") == []
    assert errors(today="2027-01-01", config=config(compatibility_date="2027-01-01")) == []


def test_dates_may_stand_without_quotes():
    assert errors(config=config(compatibility_date=datetime.date(2026, 11, 17))) == []


def test_a_class_needs_a_binding_and_a_migration():
    [binding, migration] = errors(
        config=config(durable_objects=None, migrations=None), names=["Chat"], rooms=["Chat"]
    )
    assert "the class Chat of src/worker.py has no binding" in binding
    assert 'add one to durable_objects.bindings in wrangler.toml, with the name "Chat"' in binding
    assert "the class Chat is in no migration" in migration
    assert 'with the tag "v1" and new_sqlite_classes = ["Chat"]' in migration

    [one, two] = errors(names=["Chat", "Poll"], rooms=["Chat", "Poll"])
    assert "the class Poll of src/worker.py has no binding" in one
    assert '"v2" and new_sqlite_classes = ["Poll"]' in two


def test_a_binding_needs_a_class():
    [error] = errors(names=["Default"], rooms=[])
    assert (
        "the binding Chat in wrangler.toml is for the class Chat, which src/worker.py has not"
        in error
    )


def test_classes_of_other_workers_and_other_objects_are_left_alone():
    others = {
        "bindings": [
            {"name": "Chat", "class_name": "Chat"},
            {"name": "Other", "class_name": "Other", "script_name": "other-worker"},
        ]
    }
    assert errors(config=config(durable_objects=others)) == []


@pytest.mark.parametrize(
    ("binding", "found"),
    [
        ({"script_name": "other-worker"}, []),  # a class of both
        ({"script_name": "own"}, ["the class Poll is in no migration"]),
        ({"script_name": ""}, ["the class Poll is in no migration"]),
    ],
)
def test_a_binding_may_name_its_worker(binding, found):
    bindings = [{"name": "Chat", "class_name": "Chat"}, {"class_name": "Poll", **binding}]
    changed = config(durable_objects={"bindings": bindings}, name="own")
    told = errors(config=changed, names=["Chat", "Poll"], rooms=["Chat", "Poll"])
    assert [text.partition(",")[0] for text in told] == found


def test_a_class_that_is_bound_in_an_environment_alone_is_noted():
    changed = config(
        durable_objects=None,
        migrations=None,
        env={"live": {"durable_objects": CONFIG["durable_objects"]}, "none": {}, "odd": 1},
    )
    assert errors(config=changed) == []
    [note] = notes(config=changed)
    assert "the class Chat of src/worker.py has a binding in live alone" in note
    assert "`partyserver doctor -e live`" in note


def test_a_binding_of_a_plain_object_needs_its_migration_too():
    bindings = {"bindings": [{"name": "Chat", "class_name": "Chat"}, {"class_name": "Plain"}]}
    [error] = errors(config=config(durable_objects=bindings), names=["Chat", "Plain"])
    assert "the class Plain is in no migration" in error


@pytest.mark.parametrize(
    "nonsense", [1, "x", [1], {"bindings": 1}, {"bindings": [1, {"class_name": 2}]}]
)
def test_nonsense_in_the_config_breaks_no_rule(nonsense):
    broken = config(durable_objects=nonsense, migrations=nonsense, exports=nonsense, build=nonsense)
    assert any("no binding" in error for error in errors(config=broken))


def test_migrations_are_followed_in_their_order():
    assert migrated_classes(
        {
            "migrations": [
                {"new_classes": ["A", "B"], "new_sqlite_classes": ["C", "D"]},
                {"renamed_classes": [{"from": "A", "to": "E"}, {"from": "C", "to": "F"}]},
                {"deleted_classes": ["B", "D", "none"]},
                {"transferred_classes": [{"from": "X", "from_script": "x", "to": "G"}]},
            ],
            "exports": {
                "H": {"type": "durable-object", "storage": "sqlite"},
                "I": {"type": "durable-object", "storage": "legacy-kv"},
                "J": {"type": "worker"},
            },
        }
    ) == {"E": False, "F": True, "G": True, "H": True, "I": False}


def test_a_class_without_sqlite_is_noted():
    old = [{"tag": "v1", "new_classes": ["Chat"]}]
    assert errors(config=config(migrations=old)) == []
    [note] = notes(config=config(migrations=old))
    assert "Chat is among new_classes in wrangler.toml, and has no SQLite" in note


def test_a_class_without_sqlite_that_needs_it_is_an_error():
    old = [{"tag": "v1", "new_classes": ["Chat"]}]
    [error] = errors(config=config(migrations=old), needs={"Chat": "its migrations need"})
    assert "has no SQLite, which its migrations need: new_sqlite_classes gives it one" in error


def test_without_the_check_as_build_command_it_is_noted():
    for build in (None, {"command": "make"}):
        [note] = notes(config=config(build=build))
        assert "`partyserver check` as the command of [build] in wrangler.toml" in note


def test_missing_metadata_is_noted():
    assert errors(vendored=Vendored({}, ["partyserver", "workers"])) == []
    [note] = notes(vendored=Vendored({}, ["partyserver", "workers"]))
    assert ".dist-info" in note


def test_builds_for_something_else_are_found():
    builds = [
        "numpy/core/_a.cpython-314-x86_64-linux-gnu.so",
        "numpy/core/_b.cpython-314-x86_64-linux-gnu.so",
        "old/_c.cpython-313-wasm32-emscripten.so",
        "win.cp314-win_amd64.pyd",
        "mac/_d.cpython-314-darwin.so",
        "good/_e.cpython-314-wasm32-emscripten.so",
        "stable/_f.abi3.so",
    ]
    assert list(foreign_builds(builds)) == ["numpy", "old", "win", "mac"]
    [error] = errors(vendored=replace(GOOD.vendored, builds=builds[:2]))
    assert error.startswith("numpy in python_modules/ is not built for the runtime (numpy/core/_a.")
    assert "`uv run pywrangler sync --force`" in error


def test_a_worker_in_the_root_is_noted_before_it_hurts():
    [note] = notes(is_in_root=True, main="worker.py")
    assert 'move worker.py into a folder of its own, and set main = "src/worker.py"' in note
