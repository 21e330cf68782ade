"""The translation is workerd's own, binding for binding.

Workerd serves projects in JavaScript by their wrangler.json. Its translation of one with the same
bindings is compiled, and so is ours: what workerd reads must be the same. It is not in

- the modules of the worker itself, which are in Python here,
- where the disk services lie: in one folder here, which the command line names, and there in one
  for each kind of binding,
- the address of the socket, which the command line names, too,
- the service "internet", which is written out here, and there is the one that workerd assumes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from partyserver.hosting.migrations import replay

from .translating import Untranslatable, ours, project, services, theirs


def bound(*names):
    return {"durable_objects": {"bindings": [{"name": one, "class_name": one} for one in names]}}


def migrated(*migrations, bindings=()):
    tagged = [{"tag": f"v{number}", **one} for number, one in enumerate(migrations)]
    return {"migrations": tagged, **bound(*bindings)}


def declared(**exported):
    return {"exports": {name: {"type": "durable-object", **exported[name]} for name in exported}}


SQLITE = {"storage": "sqlite"}

SAME = {
    "nothing": {},
    "flags": {"compatibility_flags": ["python_workers", "nodejs_compat"]},
    "vars": {
        "vars": {
            "TEXT": 'a "text"\n\\ \x00\x7f é 👋',
            "EMPTY": "",
            "NUMBER": 3,
            "FRACTION": 1.5,
            "TRUTH": True,
            "NOTHING": None,
            "OBJECT": {"b": [1, {"é": "ü"}], "a": ""},
        }
    },
    "a class": migrated({"new_sqlite_classes": ["A"]}, bindings=["A"]),
    "a class of key-value storage": migrated({"new_classes": ["A"]}, bindings=["A"]),
    "a class without a binding": migrated({"new_sqlite_classes": ["A"]}),
    "classes of two kinds": migrated(
        {"new_classes": ["B"], "new_sqlite_classes": ["C"]},
        {"new_sqlite_classes": ["A"]},
        bindings=["C", "A"],
    ),
    "a class with two bindings": {
        **migrated({"new_sqlite_classes": ["A"]}),
        "durable_objects": {
            "bindings": [{"name": "X", "class_name": "A"}, {"name": "Y", "class_name": "A"}]
        },
    },
    "renamed twice": migrated(
        {"new_classes": ["A"]},
        {"renamed_classes": [{"from": "A", "to": "B"}]},
        {"renamed_classes": [{"from": "B", "to": "C"}]},
        bindings=["C"],
    ),
    "swapped": migrated(
        {"new_classes": ["A"], "new_sqlite_classes": ["B"]},
        {
            "renamed_classes": [
                {"from": "A", "to": "C"},
                {"from": "B", "to": "A"},
                {"from": "C", "to": "B"},
            ]
        },
        bindings=["A", "B"],
    ),
    "deleted": migrated({"new_classes": ["A", "B"]}, {"deleted_classes": ["A"]}, bindings=["B"]),
    "deleted and new": migrated(
        {"new_classes": ["A"]},
        {"deleted_classes": ["A"]},
        {"new_sqlite_classes": ["A"]},
        bindings=["A"],
    ),
    "deleted and new in one": migrated(
        {"new_classes": ["A"]}, {"new_sqlite_classes": ["A"], "deleted_classes": ["A"]}
    ),
    "renamed, and the old name is new": migrated(
        {"new_classes": ["A"]},
        {"renamed_classes": [{"from": "A", "to": "B"}], "new_sqlite_classes": ["A"]},
        {"renamed_classes": [{"from": "A", "to": "C"}], "new_sqlite_classes": ["A"]},
        bindings=["A", "B", "C"],
    ),
    "deleted, and another takes its name": migrated(
        {"new_classes": ["A", "B"]},
        {"deleted_classes": ["B"], "renamed_classes": [{"from": "A", "to": "B"}]},
        {"deleted_classes": ["B"]},
        {"new_sqlite_classes": ["B"]},
        bindings=["B"],
    ),
    "exports": {
        **declared(
            A=SQLITE,
            B={"state": "renamed", "renamed_to": "A"},
            C={"storage": "legacy-kv", "state": "created"},
            D={"state": "deleted"},
        ),
        **bound("A", "C"),
    },
    "kv": {"kv_namespaces": [{"binding": "KV", "id": "abc"}, {"binding": "UNNAMED"}]},
    "a preview's kv": {"kv_namespaces": [{"binding": "KV", "id": "abc", "preview_id": "def"}]},
    "d1": {
        "d1_databases": [
            {"binding": "DB", "database_name": "table", "database_id": "id"},
            {"binding": "NAMELESS", "database_name": "other", "migrations_dir": "migrations"},
        ]
    },
    "a producer": {"queues": {"producers": [{"binding": "QUEUE", "queue": "jobs"}]}},
    "consumers": {
        "queues": {
            "consumers": [
                {
                    "queue": "jobs",
                    "max_batch_size": 5,
                    "max_batch_timeout": 1,
                    "max_retries": 2,
                    "max_concurrency": 3,
                    "retry_delay": 4,
                    "dead_letter_queue": "dead",
                },
                {"queue": "dead", "max_concurrency": None},
            ]
        }
    },
    "crons": {"triggers": {"crons": ["*/5 * * * *", "0 0 * * 1"]}},
    "no crons": {"triggers": {"crons": []}},
    "assets": {"assets": {"directory": "public"}},
    "all of assets": {
        "assets": {
            "directory": "./public",
            "binding": "ASSETS",
            "html_handling": "drop-trailing-slash",
            "not_found_handling": "single-page-application",
            "base_path": "/base",
            "run_worker_first": ["/parties/*", "!/parties/x"],
        }
    },
    "the worker first": {"assets": {"directory": "public", "run_worker_first": True}},
}


@pytest.fixture
def folder(tmp_path):
    public = tmp_path / "public"
    public.mkdir()
    (public / "_headers").write_text("/*\n  X-Frame-Options: DENY\n")
    (public / "_redirects").write_text("/from /to 301\n")
    (public / ".assetsignore").write_text("*.psd\n")
    return tmp_path


@pytest.mark.parametrize("config", SAME.values(), ids=SAME)
def test_the_translation_is_workerds_own(folder, config):
    here = services(ours(folder, project(folder, **config)))
    there = services(theirs(folder, **config))
    network = here.pop("internet")["network"]
    assert (network["allow"], network["tlsOptions"]["trustBrowserCas"]) == (["public"], True)
    # There is always a do-storage here, so that the command line can always name it.
    assert without_disks(here) == without_disks(there)


@pytest.mark.parametrize("config", [SAME["nothing"], SAME["assets"]], ids=["bare", "assets"])
def test_the_socket_leads_to_the_same_service(folder, config):
    [here] = ours(folder, project(folder, **config))["sockets"]
    [there] = theirs(folder, **config)["sockets"]
    del there["address"]
    assert here == there


def test_all_is_stored_in_one_folder_but_for_the_large_values_of_kv(folder):
    kinds = {**SAME["kv"], **SAME["d1"], **SAME["consumers"], **SAME["crons"], **SAME["a class"]}
    found = services(ours(folder, project(folder, **kinds)))
    disks = {name: one["disk"] for name, one in found.items() if "disk" in one}
    assert disks.keys() == {"do-storage", "kv-blobs"}
    # Without a path: the command line has to name it.
    assert all(one["writable"] and "path" not in one for one in disks.values())
    workers = [one["worker"] for one in found.values() if "worker" in one]
    assert len(workers) == 5
    assert {one["durableObjectStorage"]["localDisk"] for one in workers} == {"do-storage"}
    keys = [space["uniqueKey"] for one in workers for space in one["durableObjectNamespaces"]]
    assert len({*keys}) == len(keys) == 5


def test_a_preview_of_a_database_is_not_taken_for_it(folder):
    """Workerd's own translation does so, which is for development."""
    one = {"binding": "DB", "database_id": "real", "preview_database_id": "preview"}
    config = {"d1_databases": [one]}
    [binding] = services(ours(folder, project(folder, **config)))["twin"]["worker"]["bindings"]
    assert "real" in str(binding)
    [binding] = services(theirs(folder, **config))["twin"]["worker"]["bindings"]
    assert "preview" in str(binding)


@pytest.mark.parametrize(
    "config",
    [
        migrated({"renamed_classes": [{"from": "A", "to": "B"}]}),
        migrated({"new_classes": ["A", "B"]}, {"renamed_classes": [{"from": "A", "to": "B"}]}),
        migrated({"new_classes": ["A"], "renamed_classes": [{"from": "A", "to": "C"}]}),
        migrated(
            {"new_classes": ["A"]},
            {"deleted_classes": ["A"], "renamed_classes": [{"from": "A", "to": "C"}]},
        ),
        migrated({"deleted_classes": ["A"]}),
        migrated({"new_classes": ["A"]}, {"new_sqlite_classes": ["A"]}),
        migrated({"transferred_classes": [{"from": "A", "from_script": "x", "to": "B"}]}),
        {"durable_objects": {"bindings": [{"name": "A", "class_name": "A", "script_name": "b"}]}},
        {**declared(A=SQLITE), **migrated({"new_classes": ["B"]})},
        declared(B={"state": "renamed", "renamed_to": "A"}),
        declared(A=SQLITE, B={"state": "renamed", "renamed_to": "C"}, C={"state": "deleted"}),
        declared(
            A=SQLITE,
            B={"state": "renamed", "renamed_to": "A"},
            C={"state": "renamed", "renamed_to": "A"},
        ),
        {"queues": {"consumers": [{"queue": "a"}, {"queue": "a"}]}},
        {"queues": {"producers": [{"binding": "Q", "queue": "a", "delivery_delay": 5}]}},
        {"assets": {"directory": "nowhere"}},
        {"compatibility_date": None},
    ],
)
def test_what_workerd_refuses_is_refused(folder, config):
    with pytest.raises(Exception, match="cannot be hosted as it is"):
        project(folder, **config)
    with pytest.raises(Untranslatable):
        theirs(folder, **config)


NAMES = st.sampled_from("ABC")
MIGRATIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "deleted_classes": st.lists(NAMES, max_size=2),
            "renamed_classes": st.lists(
                st.builds(lambda old, new: {"from": old, "to": new}, NAMES, NAMES), max_size=2
            ),
            "new_classes": st.lists(NAMES, max_size=2),
            "new_sqlite_classes": st.lists(NAMES, max_size=2),
        },
    ),
    max_size=6,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(migrations=MIGRATIONS)
def test_migrations_leave_what_workerd_has_them_leave(tmp_path, migrations):
    config = migrated(*migrations)
    classes = replay(config["migrations"])
    if classes.problems:
        with pytest.raises(Untranslatable, match="migrations: "):
            theirs(tmp_path, **config)
        return
    found = namespaces(theirs(tmp_path, **config))
    assert {name: (f"twin-{key}", sqlite) for name, (key, sqlite) in classes.live.items()} == {
        one["className"]: (one["uniqueKey"], one["enableSql"]) for one in found
    }


def test_a_bound_class_without_a_migration_is_refused(folder):
    """Workerd would make one without SQL, and Cloudflare refuses it."""
    with pytest.raises(Exception, match=r"A is bound, and no migration makes it"):
        project(folder, **bound("A"))
    assert not namespaces(theirs(folder, **bound("A")))[0]["enableSql"]


def namespaces(config):
    return services(config)["twin"]["worker"].get("durableObjectNamespaces", [])


def without_disks(found):
    return {name: comparable(one) for name, one in found.items() if "disk" not in one}


def comparable(service):
    """A service without what differs, and with its lists in one order."""
    if "assets" in service:
        assets = service["assets"]
        path = Path(assets["path"]).resolve()
        return {**assets, "path": path, "config": json.loads(assets["config"])}
    worker = {**service["worker"]}
    if not any("bundled" in module for module in worker["modules"]):
        del worker["modules"]  # the project's own
    worker["bindings"] = {one["name"]: plain(one) for one in worker["bindings"]}
    spaces = worker.get("durableObjectNamespaces", ())
    worker["durableObjectNamespaces"] = {one["className"]: one for one in spaces}
    if "localDisk" in worker["durableObjectStorage"]:
        worker["durableObjectStorage"] = "on the disk"
    return worker


def plain(value):
    """A binding with its JSON read, and the folder of large values under one name."""
    if isinstance(value, dict):
        return {key: json.loads(one) if key == "json" else plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [*map(plain, value)]
    return "kv-blobs" if value == "twin-kv-blobs" else value
