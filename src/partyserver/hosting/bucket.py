"""The bucket of a cluster, which is S3's or compatible: whether it can carry one, and whose it is.

workerd keeps the cluster's state there and depends on two things that some servers do not keep: a
write under a condition has one winner, and a write that was cut off is not stored.
"""

from __future__ import annotations

import http.client
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from ..project.errors import CommandError
from .signing import Credentials, encoded_path, encoded_query, signed

#: How many write at once to see whether one alone wins.
RACERS = 16
#: Seconds for one request. Some servers take 5 for those that are made at once.
TIMEOUT = 30.0
#: Seconds. Nodes refuse each other where their clocks are 30 s apart.
LARGEST_SKEW = 15.0

#: Whose the prefix is, below it. workerd's own objects are below `v1/`.
_MARK = "partyserver.json"
_CHECKS = "partyserver-check/"
_FORMAT = 1
#: Answers to a write under a condition that has lost, at once or against another under way.
_LOST = (409, 412)
#: Servers that count writes to one object by the second refuse more of them with these.
_SLOWER = (429, 503)
#: So often it is tried again, a second later, where all were refused so.
_RACES = 10
_REFUSED = ("ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch")


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # by names in lower case
    body: bytes

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """What S3 calls the error, or "" if there is none."""
        return self._first("Code")

    def says(self) -> str:
        told = ": ".join(filter(None, (self.code, self._first("Message"))))
        return f"{self.status} ({told})" if told else str(self.status)

    def all(self, tag: str) -> list[str]:
        found = re.findall(rf"<{tag}>([^<]*)</{tag}>", self.body.decode(errors="replace"))
        return [*map(unescape, found)]

    def _first(self, tag: str) -> str:
        return next(iter(self.all(tag)), "")


@dataclass(frozen=True)
class Bucket:
    """A bucket, and the prefix in it that one cluster has to itself, without slashes around it.

    `endpoint` is the server's URL; the bucket is the first part of the path.
    """

    endpoint: str
    region: str
    name: str
    prefix: str
    credentials: Credentials

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"

    def check(self, worker: str) -> None:
        """See that a cluster of this worker can live here, and mark the prefix as its own.

        It takes about fifty small requests, and removes what it has written but for the mark.

        Raises:
            CommandError: it cannot, why, and what to do.
        """
        owner = self._owner()
        self._refuse_others(owner, worker)
        self._check_cut_off_writes()
        self._check_conditional_writes()
        if owner is None:
            self._mark(worker)

    def _owner(self) -> str | None:
        """The worker that the prefix is marked with; None where there is nothing yet."""
        answer = self.request("GET", _MARK)
        self._check_clock(answer)
        if answer.status == 404 and answer.code != "NoSuchBucket":
            query = {"list-type": "2", "prefix": f"{self.prefix}/", "max-keys": "100"}
            listed = self._expect(self.request("GET", None, query=query), "list it")
            own = (f"{self.prefix}/{_CHECKS}", f"{self.prefix}/{_MARK}")
            others = [key for key in listed.all("Key") if not key.startswith(own)]
            if not others:
                return None
            answer = self.request("GET", _MARK)  # another node may have come in between
            if answer.status == 404:
                raise CommandError(
                    f"{self} holds something else already, such as {others[0]}: "
                    "give --cluster a prefix that is empty"
                )
        self._expect(answer, "read from it")
        with suppress(ValueError):
            mark = json.loads(answer.body)
            if isinstance(mark, dict) and mark.get("format") == _FORMAT:
                return str(mark.get("worker"))
        raise CommandError(
            f"{self}/{_MARK} is not what this version writes there: the prefix belongs to "
            "something else, or to another version of partyserver; give --cluster another prefix"
        )

    def _refuse_others(self, owner: str | None, worker: str) -> None:
        if owner not in (None, worker):
            raise CommandError(
                f"{self} belongs to the worker {owner!r}, and this one is {worker!r}, whose rooms "
                "would start empty there: give --cluster a prefix of its own"
            )

    def _mark(self, worker: str) -> None:
        mark = json.dumps({"worker": worker, "format": _FORMAT}).encode()
        answer = self.request("PUT", _MARK, mark, {"If-None-Match": "*"})
        if answer.status in _LOST:
            self._refuse_others(self._owner(), worker)
        else:
            self._expect(answer, "write to it")

    def _check_clock(self, answer: Answer) -> None:
        with suppress(KeyError, ValueError):
            there = parsedate_to_datetime(answer.headers["date"]).replace(tzinfo=UTC)
            skew = abs((datetime.now(UTC) - there).total_seconds())
            if skew > LARGEST_SKEW:
                raise CommandError(
                    f"This machine's clock and that of {self.endpoint} are {skew:.0f} s apart, and "
                    "the nodes of a cluster refuse each other at 30 s: let both be set by NTP"
                )

    def _check_conditional_writes(self) -> None:
        with self._probe() as key:
            first = self._race(key, {"If-None-Match": "*"})
            self._race(key, {"If-Match": first.headers.get("etag", "")})

    def _race(self, key: str, condition: Mapping[str, str]) -> Answer:
        """Let many write one object at once, under a condition that only one of them can meet."""
        for _ in range(_RACES):
            won, lost = self._raced(key, condition)
            if won or not any(answer.status in _SLOWER for answer in lost):
                break
            time.sleep(1)
        for answer in lost:
            if answer.status not in _LOST and not (won and answer.status in _SLOWER):
                self._expect(answer, "write to it")
        if len(won) == 1:
            stored = self._expect(self.request("GET", key), "read from it")
            if stored.body == won[0][1]:
                return won[0][0]
        raise CommandError(
            f"{self.endpoint} does not keep the conditions of writes: of {RACERS} at once with "
            f"{''.join(condition)}, {len(won)} were accepted, where it must be one whose content "
            "stays; a room could be on two nodes at once, and lose what it has acknowledged. Take "
            "another server: Amazon S3, Cloudflare R2, MinIO and SeaweedFS have such writes"
        )

    def _raced(
        self, key: str, condition: Mapping[str, str]
    ) -> tuple[list[tuple[Answer, bytes]], list[Answer]]:
        """What was accepted, with what was written; and the answers of the others."""
        bodies = [f"{secrets.token_hex(8)} {number}".encode() for number in range(RACERS)]
        together = threading.Barrier(RACERS, timeout=TIMEOUT)
        with ExitStack() as stack:
            opened = [stack.enter_context(self._opened()) for _ in bodies]

            def write(connection: http.client.HTTPConnection, body: bytes) -> Answer:
                together.wait()
                return self._exchanged(connection, "PUT", key, body, condition)

            answers = _at_once(write, opened, bodies)
        won = [(answer, body) for answer, body in zip(answers, bodies, strict=True) if answer.is_ok]
        return won, [answer for answer in answers if not answer.is_ok]

    def _check_cut_off_writes(self) -> None:
        """A server must not store what has not come whole: no room could start from it."""
        body = b"whole"
        for sent in (0, 1):
            with self._probe() as key:
                self._cut_off(key, body, sent)
                answer = self.request("GET", key)
                if answer.status != 404:
                    kept = len(self._expect(answer, "read from it").body)
                    raise CommandError(
                        f"{self.endpoint} stores writes that were cut off: of {len(body)} bytes it "
                        f"got {sent}, and has kept {kept}; a room could not start again after a "
                        "node died while writing. Put a proxy before it that waits for whole "
                        "requests (haproxy: option http-buffer-request), or take another server"
                    )

    def _cut_off(self, key: str, body: bytes, sent: int) -> None:
        """Send a part of a write's body, end the stream there, and wait until the server has it."""
        path, headers = self._signed("PUT", key, body, {"Content-Length": str(len(body))}, {})
        with self._opened() as connection:
            connection.putrequest("PUT", path, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body[:sent] or None)
            assert connection.sock is not None
            with suppress(OSError):  # it may have closed already
                connection.sock.shutdown(socket.SHUT_WR)
                while connection.sock.recv(65536):
                    pass

    @contextmanager
    def _probe(self) -> Iterator[str]:
        key = f"{_CHECKS}{secrets.token_hex(16)}"
        try:
            yield key
        finally:
            with suppress(CommandError):
                self.request("DELETE", key)

    def _expect(self, answer: Answer, purpose: str) -> Answer:
        """The answer, if it is a good one.

        Raises:
            CommandError: what the server refuses, and what to do.
        """
        if answer.is_ok:
            return answer
        code = answer.code
        region = answer.headers.get("x-amz-bucket-region")
        if answer.status in (301, 307) or (region and region != self.region):
            raise CommandError(
                f"The bucket {self.name} is not in the region {self.region}"
                f"{f' but in {region}' if region else ''}: set AWS_REGION to its own"
            )
        if code == "NoSuchBucket":
            raise CommandError(
                f"There is no bucket {self.name} at {self.endpoint}: create it, or set --cluster "
                "and AWS_ENDPOINT_URL to where it is"
            )
        if code in _REFUSED:
            raise CommandError(
                f"{self.endpoint} refuses the credentials ({code}): set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY to valid ones"
            )
        if answer.status in (401, 403):
            raise CommandError(
                f"{self.endpoint} does not let the credentials {purpose}, {answer.says()}: they "
                f"need to list the bucket, and to read, write and delete in {self.prefix}/"
            )
        raise CommandError(
            f"{self.endpoint} answers {answer.says()} to what should {purpose}, {self}: its own "
            "log may say why"
        )

    def request(
        self,
        method: str,
        key: str | None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request for an object below the prefix, or for the bucket where `key` is None.

        Raises:
            CommandError: there is no answer.
        """
        with self._opened() as connection:
            return self._exchanged(connection, method, key, body, headers or {}, query or {})

    def _exchanged(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        key: str | None,
        body: bytes,
        headers: Mapping[str, str],
        query: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        path, headers = self._signed(method, key, body, headers, query)
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())

    def _signed(
        self,
        method: str,
        key: str | None,
        body: bytes,
        headers: Mapping[str, str],
        query: Mapping[str, str],
    ) -> tuple[str, dict[str, str]]:
        """What is asked for, with its query, and the headers."""
        place = urlsplit(self.endpoint)
        parts = [self.name] if key is None else [self.name, self.prefix, key]
        path = encoded_path("/".join([place.path.rstrip("/"), *parts]))
        headers = signed(
            method,
            path,
            query,
            {"Host": place.netloc.rpartition("@")[2], **headers},
            body,
            credentials=self.credentials,
            region=self.region,
            now=datetime.now(UTC),
        )
        return path + (f"?{encoded_query(query)}" if query else ""), headers

    @contextmanager
    def _opened(self) -> Iterator[http.client.HTTPConnection]:
        """A connection, whose failures are told to the user."""
        place = urlsplit(self.endpoint)
        encrypted, plain = http.client.HTTPSConnection, http.client.HTTPConnection
        kind = encrypted if place.scheme == "https" else plain
        connection = kind(place.hostname or "", place.port, timeout=TIMEOUT)
        try:
            connection.connect()
            yield connection
        except (OSError, http.client.HTTPException) as error:
            told = str(error) or type(error).__name__
            raise CommandError(
                f"The bucket's server does not answer at {self.endpoint} ({told}): see that it "
                "runs, that this machine reaches it, and that AWS_ENDPOINT_URL is right"
            ) from None
        finally:
            connection.close()


def _at_once(write: Callable[..., Answer], *arguments: Sequence[Any]) -> list[Answer]:
    """What it returns for each, called for all at the same time.

    The threads are daemons, unlike those of a pool: a process that is to end does not wait for a
    server that does not answer.
    """

    def run(future: Future[Answer], *each: Any) -> None:
        try:
            future.set_result(write(*each))
        except BaseException as error:
            future.set_exception(error)

    futures: list[Future[Answer]] = []
    for each in zip(*arguments, strict=True):
        futures.append(Future())
        threading.Thread(target=run, args=(futures[-1], *each), daemon=True).start()
    return [future.result() for future in futures]
