"""The TypeScript of the page for those who come from the Agents SDK is right, too."""

from __future__ import annotations

import subprocess
import sys

from .typescript import PAGES, blocks, compiled

PAGE = PAGES / "agents-sdk.md"
COMMAND = PAGES / "command.md"

#: What stands around a fragment.
METHOD = """
import {{ Agent }} from "agents";
export class Example extends Agent<Env> {{
  async answer() {{}}
  async example() {{
{code}
  }}
}}
"""

#: As `wrangler types` makes it.
ENVIRONMENT = """
interface Env extends Cloudflare.Env {
  Counter: DurableObjectNamespace<import("./block1").Counter>;
}
"""


def printed(folder, code):
    """What `partyserver types` prints for an example."""
    (folder / "worker.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "partyserver", "types", "worker.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_servers_and_clients_of_the_page_compile(tmp_path):
    (tmp_path / "env.d.ts").write_text(ENVIRONMENT)
    # The test needs vitest, which is not there.
    found = [code for code in blocks(PAGE, "ts") if "cloudflare:test" not in code]
    for number, code in enumerate(found, 1):
        is_module = code.startswith("import ")
        text = code if is_module else METHOD.format(code=code)
        (tmp_path / f"block{number}.ts").write_text(text)
    [teller] = [code for code in blocks(PAGE, "python") if "class Teller(" in code]
    (tmp_path / "worker.ts").write_text(printed(tmp_path, teller))
    done = compiled(tmp_path, "env.d.ts", *(f"block{n}.ts" for n in range(1, len(found) + 1)))
    assert done.returncode == 0, done.stdout


def test_the_page_of_the_command_has_what_it_prints(tmp_path):
    [worker] = blocks(COMMAND, "python")
    types, client = blocks(COMMAND, "ts")
    text = printed(tmp_path, worker)
    assert text.split("\n\n", 1)[1] == types
    (tmp_path / "worker.ts").write_text(text)
    (tmp_path / "client.ts").write_text(client)
    done = compiled(tmp_path, "client.ts")
    assert done.returncode == 0, done.stdout
