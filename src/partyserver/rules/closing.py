"""The WebSocket close handshake: which codes go out, and which errors are only its noise."""

from __future__ import annotations

#: The RFC 6455 codes that report a missing or broken Close frame and never travel in one.
NO_STATUS = 1005
ABNORMAL = 1006
TLS_FAILURE = 1015
#: Reserved by the RFC, and refused by the platform.
RESERVED = 1004

POLICY_VIOLATION = 1008
MESSAGE_TOO_BIG = 1009
INTERNAL_ERROR = 1011
TRY_AGAIN_LATER = 1013
#: Ours: another connection took this one's id (`duplicate_ids="replace"`).
REPLACED = 4409

MAX_REASON_BYTES = 123

#: WebSocket.readyState
OPEN = 1


def check_close(code: int, reason: str) -> None:
    """Raise `ValueError` for a code or a reason that may not be sent."""
    if type(code) is not int or not (code == 1000 or 3000 <= code <= 4999):
        raise ValueError(f"a close code is 1000 or 3000 to 4999, not {code!r}")
    if not isinstance(reason, str):
        raise ValueError(f"a close reason is a str, not {type(reason).__name__}")
    try:
        size = len(reason.encode())
    except UnicodeEncodeError:
        raise ValueError(
            "the close reason is cut inside a character (it holds half a surrogate pair)"
        ) from None
    if size > MAX_REASON_BYTES:
        raise ValueError(f"a close reason has at most {MAX_REASON_BYTES} UTF-8 bytes, not {size}")


def fitting_reason(text: str) -> str:
    """The beginning of a text that fits into a close frame."""
    return text.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore")


def answer_to_close(
    code: int, reason: str, *, was_clean: bool = False
) -> tuple[int, str] | tuple[()] | None:
    """How a peer's close is answered: what to pass to `close`, or None to leave it alone.

    A frame without a code (1005), or with one that may not be sent, is answered with one
    without a code. For 1006 and 1015 there is no peer left, and a frame to it fails later,
    where nothing can catch it; with `was_clean` there was a frame that said so.
    """
    if code in (ABNORMAL, TLS_FAILURE) and not was_clean:
        return None
    if code in (NO_STATUS, RESERVED, ABNORMAL, TLS_FAILURE) or not 1000 <= code <= 4999:
        return ()
    # Broken UTF-8 has grown on its way: each byte of it arrives as three.
    fits = len(reason.encode(errors="surrogatepass")) <= MAX_REASON_BYTES
    return code, reason if fits else ""


def is_teardown_noise(ready_state: int, message: str, *, retryable: bool) -> bool:
    """Whether an error is just a closing socket going away.

    The platform reports a peer that vanished during or after the close handshake as an
    error; on an open connection the same error is real.
    """
    if ready_state <= OPEN:
        return False
    lost = ("network connection lost", "websocket peer disconnected")
    return retryable or any(text in message.lower() for text in lost)
