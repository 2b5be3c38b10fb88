"""Cycles per step: within the design's bound, and as the plan predicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.cycles import CASES, measure
from bench.networks import Case, Layer, random_network
from hwgen.build import make_build, write
from quant.spikes import from_dense
from sim.verify import verify

pytestmark = pytest.mark.rtl


# Small and densely recurrent: every cycle of the loop from a layer's update back into its list counts.
LOOPS = (
    Case("four neurons", 12, (Layer(4, (0,), 1, dense_recurrent=True),), 0.7),
    Case("five neurons", 8, (Layer(5, (0,), 3, dense_recurrent=True),), 0.5),
    Case("filter", 8, (Layer(12, (0,), 4, dense_recurrent=True, synapse=True),), 0.5),
    Case("busy", 8, (Layer(30, (0,), 6, dense_recurrent=True), Layer(12, (1, 0), 5, dense_recurrent=True)), 0.9),
)

# The update is what a step waits for, also in words that do not fill their groups, and at a sample's end the read-out.
UPDATES = (
    Case("many classes", 40, (Layer(30, (0,), 30), Layer(35, (1,), 35)), 0.1, units=(6, 8)),
    Case("uneven groups", 60, (Layer(90, (0,), 15), Layer(22, (1,), 11)), 0.1, units=(4, 3)),
)


@pytest.mark.parametrize("case", [*CASES, *LOOPS, *UPDATES], ids=lambda case: case.name)
def test_measured_cycles_keep_the_bound_and_the_prediction(case: Case, tmp_path: Path) -> None:
    result = measure(case, tmp_path / "core")
    assert result.measured <= result.bound
    assert result.predicted == pytest.approx(result.measured, rel=0.02)


@pytest.mark.parametrize(("ports", "lanes"), [(1, 8), (1, 32), (1, 64), (2, 8), (2, 22)])
@pytest.mark.parametrize("events", [16, 40])
def test_the_weight_memory_is_busy(events: int, ports: int, lanes: int, tmp_path: Path) -> None:
    """Of the weight bits that the ports could read in the time, at least nine in ten are needed, from 16 events on."""
    case = Case("busy", 64, (Layer(64, (0,), lanes), Layer(10, (1,), 10)), 0.3, ports=ports)
    model = random_network(case)
    rng = np.random.default_rng(1)
    dense = np.zeros((60, 1, 64), dtype=np.bool_)
    for step in dense[:, 0]:
        step[rng.choice(64, events, replace=False)] = True
    write(make_build(model, case.folding), tmp_path / "core")
    report = verify(tmp_path / "core", from_dense(dense, np.array([60]), np.array([-1])))
    assert report["equal"], report["first_difference"] or "silent"
    needed = events * 64
    assert needed / (report["cycles_per_step_mean"] * lanes * ports) >= 0.9
