"""What wrangler uploads of a worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..hosting.modules import files_of, root_of, strays
from .findings import Upload


def upload_of(config: Mapping[str, Any], folder: Path, main: Path) -> Upload:
    """`folder` is that of the config."""
    files = [*files_of(config, folder, main)]
    size = 0
    for file in files:
        with suppress(OSError):
            size += file.path.stat().st_size
    return Upload(len(files), size, strays(root_of(config, folder, main), files))
