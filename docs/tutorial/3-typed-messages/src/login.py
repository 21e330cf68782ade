"""Who somebody is: a form asks for a name and a code, and a signed cookie remembers the name."""

import hmac
import time
from http.cookies import SimpleCookie
from typing import Protocol, TypedDict

import jwt
from partyserver import ClientError, parse_json
from workers import Request, Response

LIFETIME = 12 * 60 * 60  # seconds


class Secrets(Protocol):
    """Set with `wrangler secret put`, and in .dev.vars on your own machine."""

    TOKEN_SECRET: str
    MEMBER_CODE: str


class Login(TypedDict):
    name: str


async def log_in(request: Request, env: Secrets) -> Response:
    try:
        form = parse_json(await request.text())
        name, code = str(form["name"]).strip(), str(form["code"])
    except (ValueError, KeyError, TypeError):
        return refused("Send a name and a code.", 400)
    if not 1 <= len(name) <= 32:
        return refused("A name has 1 to 32 characters.", 400)
    if not is_equal(code, env.MEMBER_CODE):
        return refused("That is not the code.", 401)

    login = Login(name=name)
    claims = {**login, "exp": int(time.time()) + LIFETIME}
    token = jwt.encode(claims, env.TOKEN_SECRET, "HS256")
    secure = "; Secure" if request.url.startswith("https:") else ""  # `wrangler dev` has no https
    cookie = f"session={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={LIFETIME}{secure}"
    return Response.from_json({**login}, headers={"Set-Cookie": cookie})


def login_of(request: Request, env: Secrets) -> Login:
    cookie = SimpleCookie(request.headers.get("cookie") or "").get("session")
    try:
        claims = jwt.decode(
            cookie.value if cookie else "",
            env.TOKEN_SECRET,
            algorithms=["HS256"],  # never what the token itself says
            options={"require": ["exp", "name"]},
        )
    except jwt.InvalidTokenError:
        raise ClientError("Log in first.", status=401, code="login") from None
    return Login(name=claims["name"])


def is_equal(code: str, secret: str) -> bool:
    """In a time that tells nothing about the secret."""
    return hmac.compare_digest(code.encode(), secret.encode())


def refused(error: str, status: int) -> Response:
    return Response.from_json({"error": error}, status=status)
