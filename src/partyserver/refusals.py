"""Answers to requests that are refused, in words that the client may read."""

from __future__ import annotations

from typing import Any

from workers import Response

from .errors import ClientError
from .rules import failures
from .rules.closing import POLICY_VIOLATION, fitting_reason
from .runtime import requests, sockets


def refuse_upgrade(request: Any, frame: str | None, code: int, reason: str) -> Response:
    """Accept an upgrade, send a frame, and close: browsers show no answer but of a WebSocket.

    None sends no frame, to who could not read it.
    """
    client, socket = sockets.socket_pair()
    sockets.accept_in_memory(socket)
    if frame is not None:
        socket.send(frame)
    socket.close(code, reason)
    return requests.switching_protocols(request, client)


def refuse_client(
    request: Any, error: ClientError, *, upgrading: bool, code: int = POLICY_VIOLATION
) -> Response:
    """What a hook has to tell the client, as the answer to its request.

    `code` is that of the close, if the client asks for a WebSocket.
    """
    if upgrading:
        frame = failures.client_frame(error)
        return refuse_upgrade(request, frame, code, fitting_reason(error.message))
    return Response(
        failures.client_json(error),
        status=error.status,
        headers={"content-type": "application/json"},
    )
