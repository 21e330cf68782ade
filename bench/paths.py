"""Where things lie in the checkout."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
BENCH = ROOT / "bench"
VARIANTS = BENCH / "variants"
RESULTS = BENCH / "results"
#: Generated worker configs, bundles and snapshots; git-ignored.
WORK = ROOT / ".cache" / "bench"
LIBRARY = ROOT / "src" / "partyserver"
SDK = ROOT / ".cache" / "sdk"
#: The build for the runtime's Python, which the chat has.
MSGSPEC = ROOT / "python_modules" / "msgspec"
#: What the Agents SDK's server imports, beside `agents` itself; `make bench` installs the packages.
AGENTS_SDK = BENCH / "agents-sdk"
_NODE_BIN = ROOT / "node_modules" / ".bin"
ESBUILD = _NODE_BIN / "esbuild"
#: The one that npm has brought along, else the system's.
NODE = shutil.which("node", path=f"{_NODE_BIN}{os.pathsep}{os.environ['PATH']}") or "node"
WORKERD = ROOT / "tools" / "workerd.sh"
