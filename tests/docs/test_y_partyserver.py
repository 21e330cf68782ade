"""The TypeScript of the page for those who come from y-partyserver is right, too."""

from __future__ import annotations

from .typescript import PAGES, blocks, compiled

PAGE = PAGES / "y-partyserver.md"

#: As `wrangler types` makes it.
ENVIRONMENT = """
interface Env extends Cloudflare.Env {
  Notes: DurableObjectNamespace<import("./worker").Notes>;
}
"""


def test_the_server_of_the_page_compiles(tmp_path):
    (tmp_path / "env.d.ts").write_text(ENVIRONMENT)
    [worker] = blocks(PAGE, "ts")
    (tmp_path / "worker.ts").write_text(worker)
    # A worker has no DOM, whose `fetch` takes other bodies.
    done = compiled(tmp_path, "--lib", "es2024", "env.d.ts", "worker.ts")
    assert done.returncode == 0, done.stdout
