"""What a wrangler config becomes, and what of it is refused."""

from __future__ import annotations

import datetime
import json
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from partyserver.command import config as configs
from partyserver.hosting import keys
from partyserver.hosting.plan import (
    Assets,
    Consumer,
    Database,
    DurableObject,
    KvNamespace,
    Plan,
    Producer,
    Service,
    Variable,
)
from partyserver.hosting.wrangler import TAKEN, plan_of
from partyserver.project.errors import CommandError

from .translating import ROOT, project

SCHEMA = json.loads((ROOT / "node_modules/wrangler/config-schema.json").read_text())
EXAMPLES = [ROOT / "wrangler.toml", *sorted(ROOT.glob("fixtures/*/wrangler.toml"))]
DEFINITIONS = SCHEMA["definitions"]


def refused(folder, **config):
    """The lines about what is wrong, without the first."""
    with pytest.raises(CommandError) as told:
        project(folder, **config)
    first, *lines = str(told.value).split("\n")
    assert first == "The wrangler config cannot be hosted as it is:"
    return [line.removeprefix("  ") for line in lines]


def test_a_whole_config_becomes_a_plan(tmp_path):
    (tmp_path / "public").mkdir()
    plan = project(
        tmp_path,
        compatibility_flags=["python_workers"],
        vars={"TEXT": "x", "DATE": datetime.date(2026, 1, 2), "LIST": [1, {"a": None}]},
        secrets={"required": ["TOKEN"]},
        durable_objects={
            "bindings": [
                {"name": "Chat", "class_name": "Chat"},
                {"name": "Same", "class_name": "Chat", "script_name": "twin"},
            ]
        },
        migrations=[{"tag": "v1", "new_sqlite_classes": ["Chat"], "new_classes": ["Old"]}],
        kv_namespaces=[{"binding": "KV", "id": "id", "preview_id": "x"}, {"binding": "KV2"}],
        d1_databases=[{"binding": "DB", "database_id": "id"}],
        queues={
            "producers": [{"binding": "QUEUE", "queue": "jobs", "delivery_delay": 0}],
            "consumers": [{"queue": "jobs", "type": "worker", "max_retries": 0}],
        },
        triggers={"crons": ["* * * * *"]},
        services=[
            {"binding": "SELF", "service": "twin"},
            {"binding": "ADMIN", "service": "twin", "entrypoint": "Admin", "props": {"a": [1]}},
        ],
        assets={"directory": "public", "binding": "ASSETS", "run_worker_first": ["/a"]},
        account_id="x",
        routes=["example.com/*"],
    )
    assert plan == Plan(
        name="twin",
        compatibility_date="2026-11-17",
        compatibility_flags=("python_workers",),
        main="worker.py",
        modules=plan.modules,
        vars=(
            Variable("TEXT", "x"),
            Variable("DATE", "2026-01-02"),
            Variable("LIST", [1, {"a": None}]),
        ),
        secrets=("TOKEN",),
        durable_objects=(
            DurableObject("Chat", "twin-Chat", True, ("Chat", "Same")),
            DurableObject("Old", "twin-Old", False),
        ),
        kv=(KvNamespace("KV", "id"), KvNamespace("KV2", "KV2")),
        d1=(Database("DB", "id"),),
        producers=(Producer("QUEUE", "jobs"),),
        consumers=(Consumer("jobs", max_retries=0),),
        crons=("* * * * *",),
        assets=Assets(str(tmp_path / "public"), "ASSETS", run_worker_first=("/a",)),
        services=(Service("SELF"), Service("ADMIN", "Admin", {"a": [1]})),
        warnings=(),
    )
    assert [module.name for module in plan.modules] == ["worker.py"]
    assert [*plan.bindings()] == [
        *("Chat", "Same", "TEXT", "DATE", "LIST", "KV", "KV2", "DB", "QUEUE"),
        *("SELF", "ADMIN", "ASSETS"),
    ]


def test_secrets_may_be_named_besides_the_config(tmp_path):
    (tmp_path / "worker.py").write_text("")
    data = {
        "name": "twin",
        "main": "worker.py",
        "compatibility_date": "2026-11-17",
        "compatibility_flags": ["python_workers"],
        "secrets": {"required": ["A", "B"]},
    }
    assert plan_of(data, tmp_path, secrets=("B", "C")).secrets == ("A", "B", "C")


def test_a_date_of_toml_is_one(tmp_path):
    plan = project(tmp_path, compatibility_date=datetime.date(2026, 11, 17))
    assert plan.compatibility_date == "2026-11-17"


def test_each_key_that_wrangler_has_is_mapped_refused_or_ignored():
    known = [keys.MAPPED, keys.IGNORED, keys.REFUSED.keys()]
    assert DEFINITIONS["RawConfig"]["properties"].keys() == {*keys.MAPPED, *keys.IGNORED} | {
        *keys.REFUSED
    }
    assert sum(map(len, known)) == len(DEFINITIONS["RawConfig"]["properties"])


@pytest.mark.parametrize("key", sorted(keys.REFUSED))
def test_what_workerd_has_not_is_refused_by_name(tmp_path, key):
    value = {"binding": "X"} if key != "tail_consumers" else [{"service": "x"}]
    [line] = refused(tmp_path, **{key: value})
    assert line.startswith(f"{key}: ")
    assert line == f"{key}: {keys.REFUSED[key]}"
    # What is empty asks for nothing.
    assert project(tmp_path, **{key: []}) == project(tmp_path)


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    assert refused(
        tmp_path,
        name="Not A Name",
        main="main.js",
        compatibility_date="today",
        r2_buckets=[{"binding": "FILES", "bucket_name": "files"}],
        ai={"binding": "AI"},
        durable_objects={
            "bindings": [
                {"name": "A", "class_name": "A", "script_name": "other"},
                {"name": "B", "class_name": "B"},
            ]
        },
        services=[{"binding": "S", "service": "other"}],
        queues={"producers": [{"binding": "Q", "queue": "q", "delivery_delay": 60}]},
        vars={"S": 1},
        novelties=[{"binding": "X"}],
    ) == [
        "name: the worker needs one, of a to z, 0 to 9, - and _: its data lies under it",
        "durable_objects: A is a class of another worker, other (script_name), and workerd has "
        "this one alone: define the class in this worker, or call the other over HTTP",
        "durable_objects: B is bound, and no migration makes it: add one with "
        'new_sqlite_classes = ["B"]',
        f"r2_buckets: {keys.REFUSED['r2_buckets']}",
        f"ai: {keys.REFUSED['ai']}",
        "novelties: it has bindings of a kind that is not known here: remove them",
        'compatibility_date: it must be a date, as "2026-11-17"',
        "queues: Q: workerd knows no delivery_delay of a queue: give delaySeconds with each "
        "message that is sent",
        "services: S is another worker, other, and workerd has this one alone: move what it does "
        "into this worker, or call it over HTTP",
        "the binding S is there twice: rename one of them",
        "main: main.js is not in Python",
    ]


WRONG = [
    ({"name": None}, "name: the worker needs one"),
    *(({"name": name}, f"name: {name} is what a service") for name in TAKEN),
    ({"main": None}, 'main: the worker\'s module is missing: main = "src/worker.py"'),
    ({"main": "gone.py"}, "main: there is no file"),
    ({"compatibility_date": "2026-1-1"}, "compatibility_date: it must be a date"),
    ({"compatibility_date": 20261117}, "compatibility_date: it must be a date"),
    ({"compatibility_flags": []}, 'compatibility_flags: a worker in Python needs "python_wo'),
    ({"compatibility_flags": "python_workers"}, "compatibility_flags: it must be a list of str"),
    ({"vars": []}, "vars: it must be an object"),
    ({"vars": {"A": float("nan")}}, "vars: A has a value that cannot be handed over"),
    ({"vars": {"A": "\ud800"}}, "vars: A has a value that cannot be handed over"),
    ({"secrets": {"required": "A"}}, "secrets: required: it must be a list of strings"),
    ({"durable_objects": {"bindings": {}}}, "durable_objects: bindings: it must be a list of obj"),
    ({"durable_objects": {"bindings": [{"name": "A"}]}}, "durable_objects: A: class_name is miss"),
    ({"migrations": {"tag": "v1"}}, "migrations: it must be a list of objects"),
    ({"migrations": [{"new_classes": "A"}]}, "migrations: new_classes must be a list of names"),
    ({"migrations": [{"new_classes": ["A b"]}]}, "migrations: 'A b' cannot be the name of a cl"),
    ({"migrations": [{"renamed_classes": [{"from": "A"}]}]}, "migrations: renamed_classes must"),
    ({"migrations": [{"renamed_classes": "A"}]}, "migrations: renamed_classes must be a list as"),
    ({"migrations": [{"transferred_classes": [{}]}]}, "migrations: transferred_classes brings"),
    ({"exports": []}, "exports: it must be an object"),
    ({"exports": {"A": {"type": "x"}}}, "exports: A is of no known type"),
    ({"exports": {"A": {"type": "workflow", "name": "a"}}}, "exports: A is a workflow: keep the"),
    ({"exports": {"A": {"type": "durable-object"}}}, "exports: A must have a storage, or be"),
    (
        {"exports": {"A": {"type": "durable-object", "storage": "sqlite", "container": "c"}}},
        "exports: A: run the container beside the worker",
    ),
    (
        {"exports": {"A": {"type": "durable-object", "state": "expecting-transfer"}}},
        "exports: A must have a storage, or be renamed or deleted: workerd takes no objects from",
    ),
    ({"kv_namespaces": [{}]}, "kv_namespaces: binding is missing"),
    ({"kv_namespaces": [{"binding": ""}]}, "kv_namespaces: binding must be a string, and not em"),
    ({"kv_namespaces": [{"binding": "A", "remote": True}]}, "kv_namespaces: A: what lies at Clo"),
    ({"d1_databases": [{"binding": "A", "database_id": 1}]}, "d1_databases: A: database_id must"),
    ({"queues": {"producers": [{"binding": "A"}]}}, "queues: A: queue is missing"),
    (
        {"queues": {"consumers": [{"queue": "a", "type": "http_pull"}]}},
        "queues: the consumer of a: its type must be worker",
    ),
    *(
        (
            {"queues": {"consumers": [{"queue": "a", "max_retries": wrong}]}},
            "queues: the consumer of a: max_retries must be a whole number",
        )
        for wrong in (-1, 1.5, "1", True, 101, 10**30)
    ),
    *(
        (
            {"queues": {"consumers": [{"queue": "a", key: wrong}]}},
            f"queues: the consumer of a: {key} must be a whole number from {least} to {most}",
        )
        for key, least, most in (
            ("max_batch_size", 1, 100),
            ("max_batch_timeout", 0, 60),
            ("max_concurrency", 1, 250),
            ("retry_delay", 0, 86_400),
        )
        for wrong in (least - 1, most + 1, [], {}, float("inf"))
    ),
    *(({"rules": wrong}, "rules: it must be a list of objects") for wrong in (5, "x", {"a": 1})),
    *(
        ({"rules": [wrong]}, "rules: each must have a type, one of PythonModule, Text, Data")
        for wrong in (5, {}, {"type": "x"}, {"type": []}, None)
    ),
    *(
        ({"rules": [{"type": "Text", "globs": wrong}]}, "rules: Text: globs must be a list of str")
        for wrong in (None, 5, "*.md", [5])
    ),
    (
        {"rules": [{"type": "Text", "globs": [], "fallthrough": "yes"}]},
        "rules: Text: fallthrough must be true or false",
    ),
    *(({"base_dir": wrong}, "base_dir: it must be the path") for wrong in (5, [], "a\0")),
    ({"find_additional_modules": "no"}, "find_additional_modules: it must be true or false"),
    ({"python_modules": ["a"]}, "python_modules: it must be an object"),
    *(
        ({"python_modules": {"exclude": wrong}}, "python_modules: exclude: it must be a list of")
        for wrong in (5, "x", [5])
    ),
    ({"main": "a\0.py"}, "main: a\0.py is not in Python"),
    ({"assets": {"directory": "gone\0"}}, "assets: there is no folder"),
    ({"triggers": {"crons": "* * * * *"}}, "triggers: crons: it must be a list of strings"),
    *(
        ({"triggers": {"crons": [wrong]}}, f"triggers: {wrong!r} is no cron expression")
        for wrong in ("nonsense", "* * * *", "* * * * * *", "", "@daily", "a b c d ä")
    ),
    ({"triggers": {"events": [{}]}}, "triggers: events: "),
    ({"services": [{"binding": "A", "service": "twin", "environment": "x"}]}, "services: A is an"),
    ({"assets": {"binding": "A"}}, "assets: directory is missing"),
    ({"assets": {"directory": "gone"}}, "assets: there is no folder"),
    (
        {"assets": {"directory": "public", "html_handling": "x"}},
        "assets: html_handling must be",
    ),
    (
        {"assets": {"directory": "public", "run_worker_first": "/a"}},
        "assets: run_worker_first: it",
    ),
]


@pytest.mark.parametrize(("config", "told"), WRONG)
def test_what_is_wrong_is_told(tmp_path, config, told):
    [line] = refused(tmp_path, **config)
    assert line.startswith(told)


#: Where a config has something: each is set to each of the wrong shapes.
PLACES: list[tuple] = [
    *((key,) for key in sorted(keys.MAPPED)),
    *(("durable_objects", key) for key in ("bindings", "code_update_strategy")),
    *(("durable_objects", "bindings", 0, key) for key in ("name", "class_name", "script_name")),
    *(("exports", "A", key) for key in ("type", "storage", "state", "renamed_to", "container")),
    *(("migrations", 0, key) for key in ("tag", "new_classes", "new_sqlite_classes")),
    *(("migrations", 0, key) for key in ("renamed_classes", "deleted_classes")),
    *(("migrations", 0, "renamed_classes", 0, key) for key in ("from", "to")),
    *(("kv_namespaces", 0, key) for key in ("binding", "id", "remote")),
    *(("d1_databases", 0, key) for key in ("binding", "database_id", "remote")),
    *(("queues", key) for key in ("producers", "consumers")),
    *(("queues", "producers", 0, key) for key in ("binding", "queue", "delivery_delay")),
    *(("queues", "consumers", 0, key) for key in ("queue", "type", "dead_letter_queue")),
    *(("triggers", key) for key in ("crons", "events")),
    *(("services", 0, key) for key in ("binding", "service", "entrypoint", "props")),
    *(("assets", key) for key in ("directory", "binding", "base_path", "run_worker_first")),
    *(("assets", key) for key in ("html_handling", "not_found_handling")),
    *(("rules", 0, key) for key in ("type", "globs", "fallthrough")),
    *(("secrets", "required"), ("python_modules", "exclude"), ("vars", "A")),
]
SHAPES = [5, -1, 1.5, float("nan"), True, "", "x\0y", "\ud800", [], [5], [None], {}, {"a": [5]}]


def told(folder, config, key):
    """Whether a config is a plan, or is refused with the name of a key."""
    try:
        return isinstance(project(folder, **config), Plan)
    except CommandError as error:
        return key in str(error)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_wrong_shape_is_told_and_is_no_traceback(tmp_path, place):
    (tmp_path / "public").mkdir()
    for shape in SHAPES:
        value: Any = shape
        for key in reversed(place):
            value = [value] if key == 0 else {key: value}
        if place[0] == "assets" and len(place) > 1:
            value["assets"].setdefault("directory", "public")
        assert told(tmp_path, value, place[0])


@pytest.mark.parametrize("where", [".", "..", "/", "public/.."])
def test_the_project_itself_is_not_served(tmp_path, where):
    [line] = refused(tmp_path, assets={"directory": where})
    assert "holds the wrangler config, so that all of the project would be served" in line


def test_a_worker_may_be_exported(tmp_path):
    """It says what wrangler caches, which has no meaning here."""
    exports = {"Admin": {"type": "worker", "cache": {"enabled": True}}}
    assert project(tmp_path, exports=exports) == project(tmp_path)


def test_what_is_not_known_is_told_as_a_warning(tmp_path):
    plan = project(
        tmp_path,
        novelty="x",
        nothing=None,
        kv_namespaces=[{"binding": "KV", "ttl": 1}],
        services=[{"binding": "S", "service": "twin", "weight": 1}],
    )
    assert plan.warnings == (
        "the wrangler config has novelty, which is not known here",
        "kv_namespaces: KV: the wrangler config has ttl, which is not known here",
        "services: S: the wrangler config has weight, which is not known here",
    )


@pytest.mark.parametrize(
    ("key", "known"),
    [
        ("kv_namespaces", {"binding": "X"}),
        ("d1_databases", {"binding": "X"}),
        ("services", {"binding": "X", "service": "twin"}),
        ("queues.producers", {"binding": "X", "queue": "x"}),
        ("queues.consumers", {"queue": "x"}),
        ("assets", {"directory": "public"}),
        ("durable_objects.bindings", {"name": "X", "class_name": "X"}),
    ],
)
def test_all_that_a_binding_may_have_is_known(tmp_path, key, known):
    """By wrangler's own schema."""
    section, _, part = key.partition(".")
    schema = resolved(DEFINITIONS["RawConfig"]["properties"][section])
    schema = resolved(schema["properties"][part]) if part else schema
    listed = resolved(schema["items"]) if "items" in schema else schema
    internal = {"database_internal_env"}
    entry = dict.fromkeys(listed["properties"].keys() - internal) | known
    value = [entry] if "items" in schema else entry
    config = {section: {part: value} if part else value}
    if section == "durable_objects":
        config["migrations"] = [{"tag": "v1", "new_classes": ["X"]}]
    assert project(tmp_path, **config).warnings == ()


def resolved(schema):
    reference = schema.get("$ref")
    return DEFINITIONS[reference.rpartition("/")[2]] if reference else schema


# What an environment inherits


def test_what_is_not_inherited_is_what_wrangler_says():
    properties = DEFINITIONS["RawConfig"]["properties"]
    noted = {
        key
        for key, schema in properties.items()
        if "is not automatically inherited" in schema.get("description", "")
    }
    # The schema has nothing to say of these. Wrangler's code treats them in the same way.
    assert noted | {"durable_objects", "k2", "version_metadata"} == configs.NOT_INHERITED


TOML = """
name = "twin"
main = "worker.py"
compatibility_date = "2026-11-17"
compatibility_flags = ["python_workers"]
triggers.crons = ["0 0 * * *"]
assets.directory = "public"
rules = [{ type = "Text", globs = ["*.md"] }]
vars = { A = "top" }
secrets.required = ["TOKEN"]
kv_namespaces = [{ binding = "KV", id = "top" }]
d1_databases = [{ binding = "DB", database_id = "top" }]
queues.producers = [{ binding = "QUEUE", queue = "top" }]
services = [{ binding = "SELF", service = "twin" }]
durable_objects.bindings = [{ name = "Chat", class_name = "Chat" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["Chat"] }]

[env.bare]

[env.full]
name = "another"
main = "live.py"
compatibility_date = "2026-10-01"
triggers.crons = []
vars = { B = "own" }
kv_namespaces = [{ binding = "KV", id = "own" }]
"""


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    (tmp_path / "wrangler.toml").write_text(TOML)
    (tmp_path / "public").mkdir()
    for name in ("worker.py", "live.py", "notes.md"):
        (tmp_path / name).write_text("")

    def chosen(env):
        options = type("", (), {"config": tmp_path / "wrangler.toml", "env": env})()
        return configs.chosen(options)

    return chosen


def parts(config):
    plan = plan_of(config.data, config.path.parent)
    return {one.name: getattr(plan, one.name) for one in fields(plan) if getattr(plan, one.name)}


def test_an_environment_inherits_what_wrangler_lets_it(chosen):
    bare = parts(chosen("bare"))
    assert bare.keys() == {
        *("name", "main", "modules", "compatibility_date", "compatibility_flags"),
        *("durable_objects", "crons", "assets"),
    }
    assert (bare["name"], bare["crons"]) == ("twin-bare", ("0 0 * * *",))
    # The class is there, and nothing is bound to it.
    assert bare["durable_objects"] == (DurableObject("Chat", "twin-bare-Chat", True),)
    assert "notes.md" in [module.name for module in bare["modules"]]


READ = """
import { unstable_readConfig as read } from "wrangler";

const [config] = process.argv.slice(-1);
const found = ["bare", "full"].map((env) => read({ config, env }, { hideWarnings: true }));
console.log(JSON.stringify(found));
"""


def test_wrangler_reads_the_same_of_an_environment(chosen):
    def something(key, value):
        found = value[key] if isinstance(value.get(key), dict | list) else {}
        lists = found.values() if isinstance(found, dict) else [found]
        return any(lists)

    done = subprocess.run(
        [
            *(ROOT / "node_modules/.bin/node", "--input-type=module", "-e", READ),
            chosen("bare").path,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    for env, theirs in zip(("bare", "full"), json.loads(done.stdout), strict=True):
        ours = chosen(env).data
        for key in ("name", "compatibility_date", "compatibility_flags"):
            assert ours[key] == theirs[key]
        for key in ("vars", "secrets", "kv_namespaces", "d1_databases", "queues", "services"):
            assert something(key, ours) == something(key, theirs), key
        for key in ("durable_objects", "migrations", "triggers", "assets", "rules"):
            assert something(key, ours) == something(key, theirs), key


def test_what_an_environment_says_goes_before(chosen):
    full = parts(chosen("full"))
    assert (full["name"], full["main"]) == ("another", "live.py")
    assert full["compatibility_date"] == "2026-10-01"
    assert "crons" not in full
    assert full["vars"] == (Variable("B", "own"),)
    assert full["kv"] == (KvNamespace("KV", "own"),)
    assert full["durable_objects"][0].unique_key == "another-Chat"


def test_what_an_environment_lacks_is_told(chosen):
    assert chosen("full").warnings == tuple(
        f"{key} is not inherited by environments: [env.full] has none"
        for key in ("secrets", "d1_databases", "queues", "services", "durable_objects")
    )
    assert chosen(None).warnings == ()


def test_null_in_an_environment_is_nothing(tmp_path):
    path = Path(tmp_path, "wrangler.json")
    env = {"main": None, "vars": None}
    path.write_text(json.dumps({"main": "a.py", "vars": {"A": 1}, "env": {"x": env}}))
    options = type("", (), {"config": path, "env": "x"})()
    assert configs.chosen(options).data == {"main": "a.py"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_can_be_hosted(path):
    plan = plan_of(configs.read(path).data, path.parent)
    assert plan.durable_objects
    assert plan.warnings == ()
