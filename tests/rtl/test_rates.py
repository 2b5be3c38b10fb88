"""Cycles per step: within the design's bound, and as the plan predicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.cycles import CASES, measure
from bench.networks import Case, Layer

pytestmark = pytest.mark.rtl


# Small and densely recurrent: every cycle of the loop from a layer's update back into its list counts.
LOOPS = (
    Case("four neurons", 12, (Layer(4, (0,), 1, dense_recurrent=True),), 0.7),
    Case("five neurons", 8, (Layer(5, (0,), 3, dense_recurrent=True),), 0.5),
    Case("filter", 8, (Layer(12, (0,), 4, dense_recurrent=True, synapse=True),), 0.5),
    Case("busy", 8, (Layer(30, (0,), 6, dense_recurrent=True), Layer(12, (1, 0), 5, dense_recurrent=True)), 0.9),
)


@pytest.mark.parametrize("case", [*CASES, *LOOPS], ids=lambda case: case.name)
def test_measured_cycles_keep_the_bound_and_the_prediction(case: Case, tmp_path: Path) -> None:
    result = measure(case, tmp_path / "core")
    assert result.measured <= result.bound
    assert result.predicted == pytest.approx(result.measured, rel=0.05)
