"""Cycles per step: within the design's bound, and as the plan predicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cycles import CASES, Case, measure

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_measured_cycles_keep_the_bound_and_the_prediction(case: Case, tmp_path: Path) -> None:
    result = measure(case, tmp_path / "core")
    assert result.measured <= result.bound
    assert result.predicted == pytest.approx(result.measured, rel=0.05)
