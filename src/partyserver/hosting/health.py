"""Whether a worker answers: a small service of workerd's, on a socket of its own.

It asks the worker for a method that no worker has. That goes through Python, and runs no code of
the user's, wakes no room, and costs requests of clients nothing, for it stands in no one's way.
"""

from __future__ import annotations

from typing import Any

SERVICE = "partyserver-health"
#: The socket: `--socket-fd health=N`.
SOCKET = "health"

_METHOD = "__partyserver_health__"
#: `test` is what `workerd test` runs when a snapshot is made: it runs nothing.
_SOURCE = f"""\
export default {{
  async fetch(request, env) {{
    try {{
      await env.WORKER.{_METHOD}();
    }} catch (error) {{
      if (!(error instanceof TypeError) || !error.message.includes("{_METHOD}")) {{
        return new Response(`the worker does not answer: ${{error.message}}\\n`, {{ status: 503 }});
      }}
    }}
    return new Response("ok\\n");
  }},
  test() {{}},
}};
"""


def add_to(structure: dict[str, Any], worker: str) -> None:
    """Add the service and its socket to the structure of a workerd config."""
    structure["services"].append(
        {
            "name": SERVICE,
            "worker": {
                "modules": [{"name": "health.js", "esModule": _SOURCE}],
                "compatibilityDate": "2026-01-01",
                "bindings": [{"name": "WORKER", "service": {"name": worker}}],
            },
        }
    )
    structure["sockets"].append({"name": SOCKET, "http": {}, "service": SERVICE})
