# What the fixture and the documentation's examples use of PyJWT. Its own types lean on those of
# `cryptography`, which HS256 has no use for.

from collections.abc import Sequence
from typing import Any, TypedDict

class InvalidTokenError(Exception): ...
class ExpiredSignatureError(InvalidTokenError): ...

class Options(TypedDict, total=False):
    require: list[str]

def encode(
    payload: dict[str, Any], key: str | bytes | None, algorithm: str | None = ...
) -> str: ...
def decode(
    jwt: str | bytes,
    key: str | bytes,
    algorithms: Sequence[str] | None = None,
    options: Options | None = None,
    *,
    audience: str | None = None,
    issuer: str | None = None,
) -> dict[str, Any]: ...
