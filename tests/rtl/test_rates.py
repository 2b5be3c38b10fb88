"""Cycles per step: within the design's bound, and as the plan predicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from marks import later

from bench.cycles import CASES, measure
from bench.networks import Case, Layer, random_network
from hwgen.core.build import make_build, write
from hwgen.core.plan import Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import cycles_per_step, measured_events
from hwgen.core.timing import INPUT_CYCLES, answer_cycles, latency_cycles
from quant import vectors
from quant.neurons import Inhibition
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


# Small ones that no other is like.
QUICK = ("78-128-10, skip", "five layers, three skips", "fewer neurons than pipeline stages", "filter", "uneven groups")
ALL = [case if case.name in QUICK else later(case)[0] for case in (*CASES, *LOOPS, *UPDATES)]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_measured_cycles_keep_the_bound_and_the_prediction(case: Case, tmp_path: Path) -> None:
    result = measure(case, tmp_path / "core")
    assert result.measured <= result.bound
    assert result.predicted == pytest.approx(result.measured, rel=0.02)


# Two or three words in the read-out, which then empties between steps; packets longer than steps.
SHORT = (
    Case("two words", 9, (Layer(13, (0,), 13),), 0.5, units=(7,)),
    Case("one by one", 20, (Layer(30, (0,), 10), Layer(25, (1,), 25)), 0.3, units=(2, 1)),
)


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        (1, "none"),
        (3, "none"),
        pytest.param(1, "secded", marks=pytest.mark.check),
        pytest.param(3, "parity", marks=pytest.mark.check),
    ],
)
@pytest.mark.parametrize("case", [SHORT[0], *later(SHORT[1])], ids=lambda case: case.name)
def test_cycles_of_short_samples_are_predicted(case: Case, steps: int, code: str, tmp_path: Path) -> None:
    model, safety = random_network(case), Safety(code)
    write(make_build(model, case.folding, safety=safety), tmp_path / "core")
    samples = vectors.random_samples(model, 60, steps, case.density, seed=1)
    report = verify(tmp_path / "core", samples)
    assert report["equal"], report["first_difference"] or "silent"
    predicted = cycles_per_step(make_plan(model, case.folding, safety=safety), measured_events(model, samples))
    assert predicted == pytest.approx(report["cycles_per_step_mean"], rel=0.03)


@pytest.mark.parametrize(
    "case",
    [SHORT[0], *later(SHORT[1], *UPDATES, LOOPS[0])],
    ids=lambda case: case.name,
)
def test_cycles_with_a_packet_per_step_are_predicted(case: Case, tmp_path: Path) -> None:
    model = random_network(case)
    build = make_build(model, case.folding, packets="step")
    write(build, tmp_path / "core")
    samples = vectors.random_samples(model, 20, 12, case.density, seed=1)
    report = verify(tmp_path / "core", samples)
    assert report["equal"], report["first_difference"] or "silent"
    assert report["cycles_per_step_mean"] > build.plan.last.neurons
    predicted = cycles_per_step(build.plan, measured_events(model, samples))
    assert predicted == pytest.approx(report["cycles_per_step_mean"], rel=0.02)


@pytest.mark.parametrize("case", [UPDATES[1], *later(LOOPS[3])], ids=lambda case: case.name)
def test_cycles_with_lateral_inhibition_are_predicted(case: Case, tmp_path: Path) -> None:
    """A step waits until all words of the step before have left the update."""
    model = random_network(case)
    layers = [
        replace(
            one, neuron=replace(one.neuron, parts=(*one.neuron.parts, Inhibition(np.ones(one.neurons, dtype=np.int8))))
        )
        for one in model.layers
    ]
    model = replace(model, layers=tuple(layers))
    build = make_build(model, case.folding)
    write(build, tmp_path / "core")
    samples = vectors.random_samples(model, 10, 30, case.density, seed=1)
    report = verify(tmp_path / "core", samples)
    assert report["equal"], report["first_difference"] or "silent"
    predicted = cycles_per_step(build.plan, measured_events(model, samples))
    assert predicted == pytest.approx(report["cycles_per_step_mean"], rel=0.03)


@pytest.mark.parametrize("units", [*later((20, 10), (1, 1)), (5, 2)])
def test_the_latency_of_an_answer_is_predicted(units: tuple[int, int], tmp_path: Path) -> None:
    case = Case("latency", 40, (Layer(60, (0,), 20), Layer(10, (1,), 10)), 0.3, units=units)
    model = random_network(case)
    samples = vectors.random_samples(model, 1, 1, 0.5, seed=0)
    write(make_build(model, case.folding), tmp_path / "core")
    report = verify(tmp_path / "core", samples)
    assert report["equal"], report["first_difference"] or "silent"
    events, (first, last) = measured_events(model, samples), make_plan(model, case.folding).layers
    predicted = INPUT_CYCLES + latency_cycles(first, events.into(first)[0], events.counts[1][0])
    predicted += answer_cycles(last, events.into(last)[0])
    assert predicted == pytest.approx(report["latency_cycles_mean"], abs=4)


@pytest.mark.parametrize(
    ("ports", "lanes"),
    [(2, 22), *(pytest.param(*one, marks=pytest.mark.check) for one in ((1, 8), (1, 32), (1, 64), (2, 8)))],
)
@pytest.mark.parametrize("events", [16, *later(40)])
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
