"""What a node of a cluster is told, and what it may be given."""

from __future__ import annotations

import argparse
import socket

import pytest
from partyserver.command import main
from partyserver.hosting import cluster
from partyserver.hosting.bucket import Bucket
from partyserver.hosting.plan import Cluster
from partyserver.hosting.signing import Credentials
from partyserver.project.errors import CommandError

from ..cluster.bucket import NAME, Faults, serving
from ..cluster.harness import CONFIG
from ..ports import reserved

KEY = "k" * 32
SECRET = "wJalrXUtnFEMI-a-secret"
ENVIRONMENT = {
    "PARTY_CLUSTER_KEY": KEY,
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "me",
    "AWS_SECRET_ACCESS_KEY": SECRET,
}
NODE = ("--cluster", "s3://rooms/chat", "--peer", "10.0.0.1:7000")


def parsed(*arguments, environment=ENVIRONMENT, **changed):
    parser = argparse.ArgumentParser()
    cluster.add_arguments(parser)
    environment = {**environment, **changed}
    given = {name: value for name, value in environment.items() if value is not None}
    return cluster.node_of(parser.parse_args(arguments), given)


def refusal(*arguments, **changed):
    with pytest.raises(CommandError) as caught:
        parsed(*arguments, **changed)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_without_a_cluster_there_is_none_and_nothing_is_asked_of_the_environment():
    assert parsed(environment={}) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("--peer", "10.0.0.1:7000"),
        ("--advertise", "10.0.0.1:7000"),
        ("--unsafe-time-divisor", "1"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_what_is_for_a_node_is_refused_without_a_cluster(arguments):
    assert refusal(*arguments) == (
        f"{arguments[0]} is for a node of a cluster: give --cluster, too"
    )


def test_a_node_has_its_config_from_the_arguments_and_the_environment():
    node = parsed(*NODE)
    assert node.part() == Cluster(
        bucket="s3://rooms/chat",
        key=KEY,
        address="10.0.0.1:7000",
        options=(("aws_endpoint", "http://127.0.0.1:9000"), ("aws_region", "eu-west-1")),
    )
    assert (node.bucket.name, node.bucket.prefix) == ("rooms", "chat")
    assert node.bucket.credentials.secret == SECRET


def test_a_node_may_listen_elsewhere_and_shorten_its_lease_in_tests():
    arguments = ("--advertise", "node-1.internal:7000", "--unsafe-time-divisor", "10")
    part = parsed("--cluster", "s3://rooms/a/b", "--peer", "0.0.0.0:7000", *arguments).part()
    assert part.address == "0.0.0.0:7000"
    assert part.advertise == "node-1.internal:7000"
    assert part.time_divisor == 10


def test_neither_the_key_nor_the_credentials_are_in_a_representation():
    assert KEY not in repr(parsed(*NODE))
    assert KEY not in repr(parsed(*NODE).part())
    assert SECRET not in repr(parsed(*NODE))


def test_all_that_is_missing_is_said_at_once():
    with pytest.raises(CommandError) as caught:
        parsed("--cluster", "s3://rooms/chat", environment={})
    lines = str(caught.value).splitlines()
    assert [line.partition(" is")[0].partition(" are")[0] for line in lines] == [
        "PARTY_CLUSTER_KEY",
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "--peer",
    ]


@pytest.mark.parametrize(
    "place",
    ["rooms/chat", "gs://rooms/chat", "s3://", "s3:///chat", "s3://Rooms/chat", "s3://r/chat"],
)
def test_a_cluster_is_a_bucket_of_s3(place):
    assert "is no s3://BUCKET/PREFIX" in refusal("--cluster", place, *NODE[2:])


@pytest.mark.parametrize(
    "prefix", ["", "/", "//", "/a//b", "/../a", "/a/.", "/a b", "/é", "/a?b", "//a"]
)
def test_a_cluster_needs_a_prefix(prefix):
    assert "needs a prefix" in refusal("--cluster", f"s3://rooms{prefix}", *NODE[2:])


def test_a_slash_at_the_end_of_a_prefix_is_as_none():
    assert parsed("--cluster", "s3://rooms/chat/", *NODE[2:]) == parsed(*NODE)


@pytest.mark.parametrize("key", ["k" * 31, " " * 40, "", "k" * 31 + "\n"])
def test_the_key_has_32_characters(key):
    assert "`openssl rand -hex 32`" in refusal(*NODE, PARTY_CLUSTER_KEY=key)


def test_a_line_end_does_not_belong_to_the_key():
    assert parsed(*NODE, PARTY_CLUSTER_KEY=f"{KEY}\n").key == KEY


def test_the_key_is_in_no_message():
    assert "the start of it" not in refusal(*NODE, PARTY_CLUSTER_KEY="the start of it")


def test_without_an_endpoint_the_bucket_is_amazons():
    assert parsed(*NODE, AWS_ENDPOINT_URL=None).bucket.endpoint == (
        "https://s3.eu-west-1.amazonaws.com"
    )


def test_with_an_endpoint_a_region_may_be_left_out():
    assert parsed(*NODE, AWS_REGION=None).bucket.region == "us-east-1"


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9000", "ftp://127.0.0.1", "http://", "http://a:99999", "http://[a"]
)
def test_an_endpoint_is_an_address_of_http(url):
    assert "is no http:// or https:// address" in refusal(*NODE, AWS_ENDPOINT_URL=url)


@pytest.mark.parametrize("of", ["ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"])
def test_a_line_end_does_not_belong_to_a_credential_and_workerd_gets_none(of):
    node = parsed(*NODE, **{f"AWS_{of}": "given\r\n"})
    assert node.environ[f"AWS_{of}"] == "given"


@pytest.mark.parametrize("value", ["hush\nhush", "hush\x00", "hush\udcff", "hüsh"])
@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "PARTY_CLUSTER_KEY"])
def test_other_characters_are_refused_and_not_shown(name, value):
    told = refusal(*NODE, **{name: value})
    assert told == f"{name} has characters in it that are none of such a secret's"


def test_an_endpoint_with_credentials_is_refused_and_not_repeated():
    told = refusal(*NODE, AWS_ENDPOINT_URL=f"http://me:{SECRET}@127.0.0.1:9000")
    assert "credentials come by AWS_ACCESS_KEY_ID" in told


def test_credentials_may_come_from_a_file(tmp_path):
    path = tmp_path / "credentials"
    path.write_text("AWS_ACCESS_KEY_ID=you\nAWS_SECRET_ACCESS_KEY = s=1\nAWS_SESSION_TOKEN=t\n\n")
    found = parsed(*NODE, AWS_CREDENTIALS_FILE=str(path)).bucket.credentials
    assert (found.key_id, found.secret, found.token) == ("you", "s=1", "t")
    assert parsed(*NODE, AWS_CREDENTIALS_FILE=str(path)).environ == {}  # workerd reads it itself


def test_a_file_of_credentials_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "credentials"
    path.write_bytes(b"AWS_ACCESS_KEY_ID=\xff")
    told = refusal(*NODE, AWS_CREDENTIALS_FILE=str(path))
    assert f"names {path}, which cannot be read: it is no UTF-8" in told


def test_a_file_of_credentials_that_is_not_there_is_named(tmp_path):
    told = refusal(*NODE, AWS_CREDENTIALS_FILE=str(tmp_path / "none"))
    assert f"names {tmp_path / 'none'}, which cannot be read: No such file" in told


@pytest.mark.parametrize("address", ["10.0.0.1", ":7000", "10.0.0.1:", "a:0", "a:65536", "::1:80"])
@pytest.mark.parametrize("option", ["--peer", "--advertise"])
def test_an_address_is_a_host_and_a_port(option, address):
    assert f"{option} {address!r} is no HOST:PORT" in refusal(*NODE, option, address)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "100.64.0.1:1", "[fd00::1]:1", "node-1:1"])
def test_a_private_address_is_taken(address):
    assert parsed(*NODE[:2], "--peer", address).part().address == address


@pytest.mark.parametrize("address", ["8.8.8.8:7000", "[2a00::1]:7000"])
@pytest.mark.parametrize("option", ["--peer", "--advertise"])
def test_a_public_address_is_refused(option, address):
    assert "is a public address" in refusal(*NODE, option, address)


@pytest.mark.parametrize("address", ["0.0.0.0:7000", "[::]:7000"])
def test_a_wildcard_needs_an_address_for_others(address):
    assert "give --advertise HOST:PORT, too" in refusal(*NODE[:2], "--peer", address)
    assert "no address that others could reach" in refusal(*NODE, "--advertise", address)


@pytest.mark.parametrize("divisor", ["0", "-1", "1001"])
def test_a_divisor_is_one_that_workerd_takes(divisor):
    assert "is not from 1 to 1000" in refusal(*NODE, "--unsafe-time-divisor", divisor)


@pytest.fixture(scope="module")
def server():
    with serving() as (endpoint, app):
        yield endpoint, app


@pytest.fixture
def refused_serve(server, tmp_path, monkeypatch, capsys):
    """Run `partyserver serve` as a node that is refused before anything of it starts; why."""
    endpoint, app = server
    app.faults = Faults()
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)

    def run(peer, *arguments, prefix="refused"):
        project = ["-c", str(CONFIG), "--data", str(tmp_path / "data"), "--port", "0"]
        node = ["--cluster", f"s3://{NAME}/{prefix}", "--peer", f"127.0.0.1:{peer}"]
        assert main(["serve", *project, *node, *arguments]) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert SECRET not in told.err
        assert KEY not in told.err
        return told.err

    return run


@pytest.fixture
def port():
    """One that nobody else takes, and at which `serve` can try to listen."""
    with reserved() as free:
        yield free


def test_serve_refuses_a_peer_port_that_is_taken(refused_serve):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        told = refused_serve(taken.getsockname()[1])
    assert "is in use: stop what uses it, or name another with --peer" in told


def test_serve_refuses_a_grace_that_is_too_short_for_handing_rooms_over(refused_serve, port):
    assert "--grace 8 is too short for a node of a cluster" in refused_serve(port, "--grace", "8")


def test_serve_refuses_a_bad_bucket_before_it_starts_anything(refused_serve, server, port):
    server[1].faults.ignores_conditions = True
    assert "does not keep the conditions of writes" in refused_serve(port)


def test_serve_refuses_the_bucket_of_another_worker(refused_serve, server, port):
    credentials = Credentials("me", SECRET)
    Bucket(server[0], "eu-west-1", NAME, "theirs", credentials).check("chat")
    assert "belongs to the worker 'chat'" in refused_serve(port, prefix="theirs")


def test_serve_refuses_one_processs_disk_for_a_node(refused_serve, tmp_path, port):
    folder = tmp_path / "data" / "objects" / "ledgers-Ledger"
    folder.mkdir(parents=True)
    (folder / f"{'0' * 64}.sqlite").touch()
    (tmp_path / "data" / "worker.json").write_text('{"format": 1, "worker": "ledgers"}')
    assert "a cluster cannot take them over" in refused_serve(port)
