"""What must be true of a bucket before a cluster starts on it."""

from __future__ import annotations

import json
import socket
import threading
from dataclasses import replace
from uuid import uuid4

import pytest
from partyserver.hosting.bucket import RACERS, Bucket
from partyserver.hosting.signing import Credentials
from partyserver.project.errors import CommandError

from ..cluster.bucket import NAME, Faults, serving

SECRET = "wJalrXUtnFEMI-a-secret"


@pytest.fixture(scope="module")
def server():
    with serving() as (endpoint, app):
        yield endpoint, app


@pytest.fixture
def app(server):
    server[1].faults = Faults()
    return server[1]


@pytest.fixture
def bucket(server, app):
    endpoint, _ = server
    return Bucket(endpoint, "us-east-1", NAME, uuid4().hex, Credentials("me", SECRET))


def keys_of(bucket):
    listed = bucket.request("GET", None, query={"list-type": "2", "prefix": f"{bucket.prefix}/"})
    return [key.removeprefix(f"{bucket.prefix}/") for key in listed.all("Key")]


def refusal(bucket, worker="chat"):
    with pytest.raises(CommandError) as caught:
        bucket.check(worker)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_a_good_bucket_is_marked_with_the_worker_and_nothing_else_stays(bucket):
    bucket.check("chat")
    assert keys_of(bucket) == ["partyserver.json"]
    mark = json.loads(bucket.request("GET", "partyserver.json").body)
    assert mark == {"worker": "chat", "format": 1}


def test_a_race_that_is_not_answered_holds_up_no_end_of_the_process(bucket, monkeypatch):
    daemons = []
    exchanged = Bucket._exchanged

    def heard(self, connection, method, *arguments):
        if method == "PUT":
            daemons.append(threading.current_thread().daemon)
        return exchanged(self, connection, method, *arguments)

    monkeypatch.setattr(Bucket, "_exchanged", heard)
    bucket.check("chat")
    assert daemons.count(True) == 2 * RACERS


def test_the_same_worker_comes_again_where_workerd_has_written(bucket):
    bucket.check("chat")
    bucket.request("PUT", "v1/nodes/1.json", b"{}")
    bucket.check("chat")
    assert keys_of(bucket) == ["partyserver.json", "v1/nodes/1.json"]


def test_another_worker_is_refused(bucket):
    bucket.check("chat")
    told = refusal(bucket, "game")
    assert f"{bucket} belongs to the worker 'chat', and this one is 'game'" in told
    assert keys_of(bucket) == ["partyserver.json"]


def test_a_prefix_that_holds_something_else_is_refused(bucket):
    bucket.request("PUT", "photos/1.jpg", b"...")
    assert f"holds something else already, such as {bucket.prefix}/photos/1.jpg" in refusal(bucket)
    assert keys_of(bucket) == ["photos/1.jpg"]


def test_a_neighbour_whose_name_begins_alike_is_not_in_the_prefix(bucket):
    replace(bucket, prefix=f"{bucket.prefix}2").request("PUT", "photos/1.jpg", b"...")
    bucket.check("chat")


@pytest.mark.parametrize("mark", [b"", b"[]", b'{"worker": "chat"}', b'{"format": 2}', b"\xff"])
def test_a_mark_of_something_else_is_refused(bucket, mark):
    bucket.request("PUT", "partyserver.json", mark)
    assert "is not what this version writes there" in refusal(bucket)


def test_what_another_node_checks_at_the_same_time_is_no_foreign_object(bucket):
    bucket.request("PUT", "partyserver-check/1", b"")
    bucket.check("chat")


def test_of_two_workers_that_come_at_once_one_is_refused(bucket, app, monkeypatch):
    checked = Bucket._check_conditional_writes

    def overtaken(self):
        checked(self)
        monkeypatch.undo()
        self.check("game")

    monkeypatch.setattr(Bucket, "_check_conditional_writes", overtaken)
    assert "belongs to the worker 'game'" in refusal(bucket)


@pytest.mark.parametrize("busy", [RACERS - 1, RACERS, 2 * RACERS + 3])
def test_a_server_that_asks_for_fewer_writes_a_second_is_given_time(bucket, app, busy):
    """As R2, which takes one write a second to one object."""
    app.faults.busy = busy
    bucket.check("chat")
    assert keys_of(bucket) == ["partyserver.json"]


def test_a_server_that_stays_busy_is_told(bucket, app, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    app.faults.busy = 1_000_000
    assert "answers 429 (TooManyRequests) to what should write to it" in refusal(bucket)


def test_a_server_that_ignores_conditions_is_refused(bucket, app):
    app.faults.ignores_conditions = True
    told = refusal(bucket)
    assert f"does not keep the conditions of writes: of {RACERS} at once with If-None-Match" in told
    assert f"{RACERS} were accepted" in told
    assert keys_of(bucket) == []


def test_a_server_that_ignores_conditions_of_what_is_there_is_refused(bucket, app):
    app.faults.ignores_matches = True
    assert f"with If-Match, {RACERS} were accepted" in refusal(bucket)
    assert keys_of(bucket) == []


def test_a_server_that_stores_what_was_cut_off_is_refused(bucket, app):
    app.faults.stores_what_was_cut_off = True
    told = refusal(bucket)
    assert "stores writes that were cut off: of 5 bytes it got 0, and has kept 0" in told
    assert "option http-buffer-request" in told
    assert keys_of(bucket) == []


def error(code, message=""):
    return f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@pytest.mark.parametrize(
    ("status", "headers", "body", "told"),
    [
        (
            "403 Forbidden",
            {},
            error("SignatureDoesNotMatch"),
            "AWS_SECRET_ACCESS_KEY to valid ones",
        ),
        (
            "403 Forbidden",
            {},
            error("InvalidAccessKeyId"),
            "refuses the credentials (InvalidAccess",
        ),
        (
            *("403 No", {}, error("AccessDenied", "No &amp; no")),
            "does not let the credentials read from it, 403 (AccessDenied: No & no): they need to",
        ),
        ("401 Unauthorized", {}, "", "does not let the credentials read from it, 401: they need"),
        (
            *("301 Moved", {"x-amz-bucket-region": "eu-west-1"}, error("PermanentRedirect")),
            "is not in the region us-east-1 but in eu-west-1: set AWS_REGION",
        ),
        (
            *(
                "400 Bad",
                {"x-amz-bucket-region": "eu-west-1"},
                error("AuthorizationHeaderMalformed"),
            ),
            "is not in the region us-east-1 but in eu-west-1: set AWS_REGION",
        ),
        ("307 Temporary", {}, "", "is not in the region us-east-1: set AWS_REGION"),
        ("500 Oops", {}, error("InternalError"), "answers 500 (InternalError) to what should read"),
        ("200 OK", {"date": "Fri, 24 May 2013 00:00:00 GMT"}, "", "s apart, and the nodes of a"),
    ],
)
def test_what_the_server_refuses_is_said_with_what_to_do(bucket, app, status, headers, body, told):
    app.faults.answers = (status, [*headers.items()], body)
    assert told in refusal(bucket)


def test_a_bucket_that_is_not_there_is_named(bucket):
    told = refusal(replace(bucket, name="nowhere"))
    assert f"There is no bucket nowhere at {bucket.endpoint}: create it" in told


def test_a_server_that_is_not_there_is_named(bucket):
    with socket.socket() as taken:  # and does not listen
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        told = refusal(replace(bucket, endpoint=endpoint))
    assert f"does not answer at {endpoint} ([Errno" in told
    assert "AWS_ENDPOINT_URL" in told


def test_a_server_that_speaks_something_else_is_named(bucket):
    told = refusal(replace(bucket, endpoint=bucket.endpoint.replace("http:", "https:")))
    assert "does not answer at https://" in told


def test_the_bucket_is_below_the_endpoints_path(bucket, app):
    assert replace(bucket, endpoint=f"{bucket.endpoint}/s3/").request("GET", "key").status == 404
    assert app.faults.requests == [f"GET /s3/{NAME}/{bucket.prefix}/key"]


def test_no_secret_is_in_a_representation(bucket):
    assert SECRET not in repr(bucket)
