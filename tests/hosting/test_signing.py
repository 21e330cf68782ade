"""Requests to S3 are signed as AWS's own examples are.

They are of "Signature Calculations for the Authorization Header: Transferring Payload in a Single
Chunk":
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from partyserver.hosting.signing import Credentials, encoded_path, encoded_query, signed

CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
NOW = datetime(2013, 5, 24, tzinfo=UTC)


def headers_of(method, path, query, headers, body, credentials=CREDENTIALS, now=NOW):
    return signed(
        method,
        encoded_path(path),
        query,
        {"Host": "examplebucket.s3.amazonaws.com", **headers},
        body,
        credentials=credentials,
        region="us-east-1",
        now=now,
    )


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        (
            ("GET", "/test.txt", {}, {"Range": "bytes=0-9"}, b""),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
        ),
        (
            (
                *("PUT", "/test$file.text", {}),
                {
                    "Date": "Fri, 24 May 2013 00:00:00 GMT",
                    "x-amz-storage-class": "REDUCED_REDUNDANCY",
                },
                b"Welcome to Amazon S3.",
            ),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        (
            ("GET", "/", {"lifecycle": ""}, {}, b""),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
        ),
        (
            ("GET", "/", {"max-keys": "2", "prefix": "J"}, {}, b""),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
        ),
    ],
    ids=["get object", "put object", "get bucket lifecycle", "list objects"],
)
def test_the_published_examples_have_their_signatures(request_, signature):
    authorization = headers_of(*request_)["Authorization"]
    assert authorization.endswith(f",Signature={signature}")
    assert authorization.startswith(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
    )


def test_a_query_is_signed_in_the_order_in_which_it_is_sent():
    assert encoded_query({"prefix": "a/ b+é", "list-type": "2"}) == (
        "list-type=2&prefix=a%2F%20b%2B%C3%A9"
    )


def test_a_session_token_is_sent_and_signed():
    with_token = Credentials(CREDENTIALS.key_id, CREDENTIALS.secret, "session")
    headers = headers_of("GET", "/", {}, {}, b"", with_token)
    assert headers["x-amz-security-token"] == "session"
    assert "x-amz-security-token" in headers["Authorization"].partition("SignedHeaders=")[2]


def test_the_time_is_signed_in_utc():
    elsewhere = NOW.astimezone(timezone(timedelta(hours=5)))
    assert headers_of("GET", "/", {}, {}, b"", now=elsewhere) == headers_of("GET", "/", {}, {}, b"")


def test_secrets_are_in_no_representation():
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "the secret", "the token")
    assert "AKIAIOSFODNN7EXAMPLE" in repr(credentials)
    assert "secret'" not in repr(credentials)
    assert "the token" not in repr(credentials)
