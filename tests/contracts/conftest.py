"""The contract tests run tests/worker/ on the real runtime."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).parent.parent / "worker" / "wrangler.toml"


@pytest.fixture
def party_config():
    return WORKER


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With evictions, do not run what they leave alone: a room that has its sockets in memory.

    What such a room does between two requests is that of one that hibernates.
    """
    if not config.getoption("party_chaos"):
        return
    folder = Path(__file__).parent

    def is_left_alone(item: pytest.Item) -> bool:
        mode = getattr(item, "callspec", None) and item.callspec.params.get("mode")  # type: ignore[attr-defined]
        return item.path.parent == folder and mode == "in memory"

    alone = [item for item in items if is_left_alone(item)]
    config.hook.pytest_deselected(items=alone)
    items[:] = [item for item in items if not is_left_alone(item)]
