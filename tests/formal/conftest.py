"""Proofs run where they are asked for: `make formal`."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("-m"):
        return
    formal = [item for item in items if item.get_closest_marker("formal")]
    config.hook.pytest_deselected(items=formal)
    items[:] = [item for item in items if item not in formal]
