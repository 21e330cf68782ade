"""The code in the documentation compiles, and imports names that exist."""

import ast
import re
import sys
from pathlib import Path

import partyserver
import partyserver.asgi
import partyserver.events
import partyserver.testing
import partyserver.yjs.store
import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"
SOURCE = DOCS.parent / "src" / "partyserver"
#: Those that need the runtime are not imported here.
SYSTEMS = {"agents", "logs", "partykit", "partyflare"}
PUBLIC = {
    "partyserver": {*partyserver.__all__, *SYSTEMS},
    "partyserver.testing": {*partyserver.testing.__all__},
    "partyserver.partyflare": {"Party"},
    "partyserver.schedule": {"Retry", "Schedule", "Scheduled"},
    "partyserver.asgi": {*partyserver.asgi.__all__},
    "partyserver.events": {*partyserver.events.__all__},
    "partyserver.presence": {"Presence"},
    "partyserver.history": {"History", "HistoryOptions"},
    "partyserver.yjs": {*partyserver.yjs.__all__},
    "partyserver.yjs.store": {*partyserver.yjs.store.__all__},
}
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)

EXAMPLES = [
    pytest.param(code, id=f"{page.relative_to(DOCS / 'pages')}:{number}")
    for page in sorted((DOCS / "pages").rglob("*.md"))
    if "reference" not in page.parts
    for number, code in enumerate(BLOCK.findall(page.read_text()), 1)
]


def parsed(code):
    if sys.version_info < (3, 14):  # a t-string has the grammar of an f-string
        code = re.sub(r'\bt(?=")', "f", code)
    return compile(code, "example", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_compiles_and_imports_public_names(code):
    for node in ast.walk(parsed(code)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("partyserver"):
            assert {name.name for name in node.names} <= PUBLIC[node.module]


def test_a_hook_in_an_example_is_one_that_exists():
    names = ["hooks.py", "presence.py", "partykit/server.py", "agents/hooks.py", "yjs/mixin.py"]
    sources = [SOURCE / name for name in names]
    hooks = {hook for source in sources for hook in re.findall(r"def (on_\w+)", source.read_text())}
    for example in EXAMPLES:
        [code] = example.values
        for node in ast.walk(parsed(code)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert not node.name.startswith("on_") or node.name in hooks, example.id
