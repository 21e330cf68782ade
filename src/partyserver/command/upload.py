"""What wrangler uploads of a worker."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..hosting.modules import files_of, root_of, strays
from .findings import Upload


def upload_of(config: Mapping[str, Any], folder: Path, main: Path) -> Upload:
    """`folder` is that of the config."""
    files = [*files_of(config, folder, main)]
    packing, size, compressed = zlib.compressobj(), 0, 0
    for file in files:
        try:
            content = file.path.read_bytes()
        except OSError:
            continue
        size += len(content)
        compressed += len(packing.compress(content))
    counts = strays(root_of(config, folder, main), files)
    return Upload(len(files), size, compressed + len(packing.flush()), counts)
