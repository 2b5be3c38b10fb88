"""Random networks, as many as asked for: `make fuzz SEED=0 N=50`. A failure's seed reproduces it."""

from __future__ import annotations

from pathlib import Path

import pytest
from models import Limits
from test_networks import check_model, random_case

pytestmark = [pytest.mark.rtl, pytest.mark.slow]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    first, count = metafunc.config.getoption("--fuzz-seed"), metafunc.config.getoption("--fuzz-count")
    metafunc.parametrize("seed", range(first, first + count))


def test_random_network(seed: int, tmp_path: Path) -> None:
    limits = Limits(layers=5, inputs=700, neurons=200) if seed % 5 == 0 else Limits(layers=5, inputs=40, neurons=24)
    assert check_model(tmp_path / "core", *random_case(seed, limits), seed)
