"""A note has two links: one to edit it, and one to read it. There are no accounts.

A link has the note's name and a key. The keys are made from the name by a secret, so nothing is
stored, and who has the one key cannot make the other.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from typing import Literal

Right = Literal["edit", "read"]

#: Bytes. A key of 18 has 24 characters.
KEY_SIZE = 18
SHORTEST_SECRET = 32

#: While nobody else can reach the worker, it does without a secret.
DEVELOPMENT_SECRET = "everybody knows this secret, which is for localhost alone"
LOCAL = {"localhost", "127.0.0.1", "::1"}

#: A proxy may say that it is localhost that is asked for.
UNSAFE = (
    "NOTES_SECRET is missing: links are signed by a secret that everybody knows. "
    "Let nobody else reach this worker, not even by a proxy or a tunnel."
)

#: It is told to a page as the reason of a close, which has 123 bytes at most.
MISSING = (
    f"NOTES_SECRET is missing, or has less than {SHORTEST_SECRET} characters: "
    "npx wrangler secret put NOTES_SECRET"
)


def secret_for(host: str, secret: str | None) -> str | None:
    """The secret that signs the links of a host; None where there is none, or it is too short."""
    if secret is None and host in LOCAL:
        return DEVELOPMENT_SECRET
    return secret if secret is not None and len(secret) >= SHORTEST_SECRET else None


def make_name() -> str:
    """The name of a new note, which nobody can guess."""
    return secrets.token_urlsafe(12)


def make_key(secret: str, name: str, right: Right) -> str:
    digest = hmac.digest(secret.encode(), f"{right} {name}".encode(), "sha256")
    return urlsafe_b64encode(digest[:KEY_SIZE]).decode()


def right_of(secret: str, name: str, key: str) -> Right | None:
    """What somebody with this key may do with the note."""
    rights: tuple[Right, ...] = ("edit", "read")
    for right in rights:
        if hmac.compare_digest(make_key(secret, name, right).encode(), key.encode()):
            return right
    return None
