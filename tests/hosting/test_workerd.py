"""The worker of tests/hosting/worker, on one workerd, with one binding of each kind."""

from __future__ import annotations

import json
import subprocess
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from partyserver.hosting import workerd, wrangler
from partyserver.hosting.plan import Cluster, KvNamespace, Producer
from partyserver.project.errors import CommandError

from .translating import ROOT, WORKERD, ours, project, services

FOLDER = Path(__file__).parent
BUNDLE = ROOT / ".cache" / "pyodide-bundle-compiled"
PASSWORD = "'\"\\\n\x00\x7f👋"


class Hosted:
    def __init__(self, ports):
        self.ports = ports

    def get(self, path, *, socket="http", method="GET"):
        """The status, the headers and the text of an answer."""
        request = Request(f"http://127.0.0.1:{self.ports[socket]}{path}", method=method)
        try:
            response = urlopen(request, timeout=60)
        except HTTPError as error:
            response = error
        with response:
            return response.status, response.headers, response.read().decode()

    def act(self, name):
        status, _, text = self.get(f"/worker/{name}")
        assert status == 200, text
        return json.loads(text)

    def until(self, name, expected):
        deadline = time.monotonic() + 60
        while (found := self.act(name)) != expected:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosted")
    plan = wrangler.plan_of(tomllib.loads((FOLDER / "wrangler.toml").read_text()), FOLDER)
    structure = workerd.structure_of(plan, secrets={"PASSWORD": PASSWORD}, development=True)
    # A clock that the test moves.
    cron = next(one for one in structure["services"] if one["name"] == "hosted-cron")
    cron["worker"]["bindings"].append({"name": "TEST_CLOCK", "json": "true"})
    structure["sockets"].append({"name": "cron", "http": {}, "service": "hosted-cron"})
    (folder / "config.capnp").write_text(workerd.text_of(structure))
    folders = workerd.folders(plan)
    for name in folders.values():
        (folder / name).mkdir()
    process = subprocess.Popen(
        [
            *(WORKERD, "serve", "--experimental", "--control-fd=1", folder / "config.capnp"),
            f"--pyodide-bundle-disk-cache-dir={BUNDLE}",
            *(f"--socket-addr={one['name']}=127.0.0.1:0" for one in structure["sockets"]),
            *(f"--directory-path={one}={folder / name}" for one, name in folders.items()),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ports = {}
        for line in process.stdout:
            told = json.loads(line)
            ports[told["socket"]] = told["port"]
            if len(ports) == len(structure["sockets"]):
                break
        else:
            pytest.fail("workerd has ended")
        yield Hosted(ports)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_variables_and_secrets_come_as_they_are(hosted):
    assert hosted.act("variables") == {
        "GREETING": 'Grüße, "you"\n\\ 👋',
        "LIMITS": {"rooms": 3, "names": ["a", "b"]},
        "PASSWORD": PASSWORD,
    }


def test_two_classes_of_rooms_one_of_which_is_renamed(hosted):
    assert hosted.act("rooms") == [["of Counter"], ["of Renamed"]]


def test_kv(hosted):
    assert hosted.act("entries") == ["value", 100_000, None]


def test_d1(hosted):
    assert hosted.act("database") == "from Python"


def test_a_queue(hosted):
    assert hosted.act("send") == "sent"
    hosted.until("jobs", ["job 0", "job 1", "job 2"])


def test_a_cron_trigger(hosted):
    def clock(milliseconds):
        path = f"/clock?advance={milliseconds}"
        return json.loads(hosted.get(path, socket="cron", method="POST")[2])

    while True:  # until the clock stands right before the occurrence, and not behind it
        planned = clock(0)
        at = planned["at"]["hosted"]
        if clock(at - planned["now"] - 200)["at"]["hosted"] == at:
            break
    hosted.until("crons", ["30 3 * * *"])


def test_services_are_the_worker_itself_and_its_entrypoints(hosted):
    assert hosted.act("services") == ["Hello you!", 42, PASSWORD]


def test_assets(hosted):
    status, headers, text = hosted.get("/")
    assert (status, text) == (200, (FOLDER / "public" / "index.html").read_text())
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-served-by"] == "assets"  # by _headers
    status, _, text = hosted.get("/nowhere")
    assert (status, text) == (404, (FOLDER / "public" / "404.html").read_text())
    # run_worker_first, and what the worker finds by its binding.
    assert hosted.get("/worker/asset.txt")[::2] == (404, "no such action")
    assert hosted.act("asset") == "an asset\n"


def test_modules_of_text(hosted):
    assert hosted.act("module") == "a module of text"


@pytest.mark.parametrize("vars", [{"A": "a\ud800b"}, {"a\ud800b": "A"}])
def test_text_that_is_none_is_told(tmp_path, vars):
    with pytest.raises(CommandError, match="surrogate"):
        workerd.config_of(project(tmp_path, vars=vars), secrets={}, development=False)


def test_a_secret_with_another_bindings_name_is_refused(tmp_path):
    plan = replace(project(tmp_path), kv=(KvNamespace("T", "id"),))
    with pytest.raises(CommandError, match="T is a secret and another binding at once"):
        workerd.config_of(plan, secrets={"T": "hush"}, development=False)


def test_a_secret_without_a_value_is_told(tmp_path):
    plan = replace(project(tmp_path), secrets=("PASSWORD", "TOKEN"))
    with pytest.raises(CommandError, match="needs TOKEN, and there is no value"):
        workerd.config_of(plan, secrets={"PASSWORD": ""}, development=False)


def test_a_secret_goes_before_a_variable_of_its_name(tmp_path):
    plan = project(tmp_path, vars={"KEY": "public", "OTHER": "x"})
    found = ours(tmp_path, plan, secrets={"KEY": "secret"})
    bindings = services(found)["twin"]["worker"]["bindings"]
    assert [(one["name"], one["text"]) for one in bindings] == [("OTHER", "x"), ("KEY", "secret")]


def test_a_bundle_for_development_needs_flags(tmp_path):
    plan = project(tmp_path, compatibility_flags=["python_workers", "experimental"])

    def flags(development):
        found = ours(tmp_path, plan, development=development)
        return services(found)["twin"]["worker"]["compatibilityFlags"]

    assert flags(False) == ["python_workers", "experimental"]
    assert flags(True) == ["python_workers", "experimental", "python_workers_development"]


def test_what_a_worker_may_connect_to(tmp_path):
    found = ours(tmp_path, project(tmp_path), network=("public", "private"))
    assert services(found)["internet"]["network"]["allow"] == ["public", "private"]


def test_a_cluster(tmp_path):
    plan = replace(
        project(tmp_path, triggers={"crons": ["* * * * *"]}),
        kv=(KvNamespace("KV", "id"),),
        producers=(Producer("QUEUE", "jobs"),),
    )
    cluster = Cluster(
        bucket="s3://bucket/prefix",
        key="k" * 32,
        address="127.0.0.1:7000",
        advertise="10.0.0.1:7000",
        options=(("aws_region", "auto"), ("aws_endpoint", "http://127.0.0.1:1")),
        time_divisor=10,
    )
    found = ours(tmp_path, plan, cluster=cluster)
    told = found["cluster"]
    assert told["bucket"] == "s3://bucket/prefix"
    assert told["bucketOptions"] == ["aws_region=auto", "aws_endpoint=http://127.0.0.1:1"]
    assert (told["address"], told["advertise"]) == ("127.0.0.1:7000", "10.0.0.1:7000")
    assert (told["key"], told["unsafeTimeDivisor"]) == ("k" * 32, 10)
    by_name = services(found)
    assert by_name["kv-blobs"]["bucket"] == {"path": "kv-blobs"}
    for name in ("twin-kv", "twin-queues"):
        assert {"name": "CLUSTERED", "json": "true"} in by_name[name]["worker"]["bindings"]
    assert workerd.folders(plan, cluster) == {"do-storage": "objects"}
    assert workerd.folders(plan) == {"do-storage": "objects", "kv-blobs": "blobs"}
    # Alone, it has none of this.
    alone = ours(tmp_path, plan)
    assert "cluster" not in alone
    assert "CLUSTERED" not in str(alone)
