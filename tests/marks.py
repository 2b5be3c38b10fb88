"""Marks that tests share."""

from __future__ import annotations

from typing import Any

import pytest


def later(*values: Any) -> list[Any]:
    """Values of a parameter whose tests wait for `make check`."""
    return [pytest.param(value, marks=pytest.mark.check) for value in values]
