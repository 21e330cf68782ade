"""An app's response headers, made ready for the platform."""

from __future__ import annotations

from collections.abc import Iterable

#: They belong to one connection of the network, which is the platform's and not the app's.
#: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def outgoing(pairs: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """Header pairs as text, in their order and with repetitions, without the hop-by-hop ones."""
    decoded = [
        (bytes(name).decode("latin-1").lower(), _text(bytes(value))) for name, value in pairs
    ]
    return [(name, value) for name, value in decoded if name not in HOP_BY_HOP]


def content_length(pairs: Iterable[tuple[str, str]]) -> int | None:
    value = next((value for name, value in pairs if name == "content-length"), "")
    return int(value) if value.isascii() and value.isdigit() else None


def _text(value: bytes) -> str:
    # The platform encodes header values as UTF-8: what is that already goes out unchanged.
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
