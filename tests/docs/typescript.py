"""Compiles what the pages show of TypeScript."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE_MODULES = ROOT / "node_modules"
PAGES = ROOT / "docs" / "pages"


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def compiled(folder, *files_and_options):
    (folder / "node_modules").symlink_to(NODE_MODULES)
    options = ["--strict", "--noEmit", "--ignoreConfig", "--target", "es2022", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--types", "@cloudflare/workers-types"]
    # The packages' own types name packages that need not be there.
    return subprocess.run(
        [NODE_MODULES / ".bin" / "tsc", *options, "--skipLibCheck", *files_and_options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=600,
    )
