"""Cycles per time step at full rate: measured in simulation, against the plan's prediction and the design's bound.

The bound is 1.10 * max over layers of (groups * max(events, lanes, 8)) + 32: one event per cycle and lane, one neuron
update per cycle, and little more. Writes build/bench/cycles.json and prints a table.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from tabulate import tabulate

from bench import record
from bench.networks import Case, Layer, random_network
from bench.options import no_options
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.core.plan import CorePlan
from hwgen.core.rates import cycles_per_step, measured_events
from hwgen.core.timing import Events
from hwgen.engines.folded.plan import FoldedLayer
from quant import vectors
from sim import verify

ROOT = Path("build/bench/cycles")


@dataclass(frozen=True, slots=True)
class Result:
    """Mean cycles per step, and the mean number of events into each layer per step."""

    name: str
    events: tuple[float, ...]
    measured: float
    predicted: float
    bound: float


CASES = (
    Case("78-128-10, skip", 78, (Layer(128, (0,), 16, self_weight=True), Layer(10, (1, 0), 10)), 0.15),
    Case("the same, a lane per neuron", 78, (Layer(128, (0,), 128, self_weight=True), Layer(10, (1, 0), 10)), 0.15),
    Case("the same, one lane", 78, (Layer(128, (0,), 1, self_weight=True), Layer(10, (1, 0), 1)), 0.15),
    Case("700-200-20", 700, (Layer(200, (0,), 25, self_weight=True), Layer(20, (1,), 20)), 0.02, 6),
    Case("700-200-20, dense input", 700, (Layer(200, (0,), 25), Layer(20, (1,), 20)), 0.3, 6),
    Case("dense recurrent, one group", 100, (Layer(100, (0,), 100, dense_recurrent=True), Layer(10, (1,), 10)), 0.5),
    Case(
        "dense recurrent read-out, filter",
        60,
        (Layer(40, (0,), 5, self_weight=True), Layer(20, (1, 0), 20, dense_recurrent=True, synapse=True)),
        0.3,
    ),
    Case(
        "five layers, three skips",
        40,
        (
            Layer(40, (0,), 10),
            Layer(30, (1,), 5),
            Layer(50, (2, 0), 10),
            Layer(20, (3, 1, 0), 20),
            Layer(10, (4, 0), 10),
        ),
        0.3,
    ),
    Case("fewer neurons than pipeline stages", 12, (Layer(8, (0,), 3, synapse=True), Layer(6, (1, 0), 2)), 0.5),
)


def measure(case: Case, folder: Path) -> Result:
    """Measure one case; raises what `simulated` does."""
    plan, events, cycles = simulated(case, case.folding, 40, folder)
    incoming = incoming_events(plan, events)
    slowest = max(layer.groups * max(count, layer.lanes, 8) for layer, count in incoming)
    return Result(
        case.name,
        events=tuple(round(count, 1) for _, count in incoming),
        measured=cycles,
        predicted=round(cycles_per_step(plan, events), 2),
        bound=round(1.10 * slowest + 32, 2),
    )


def simulated(case: Case, folding: Folding, steps: int, folder: Path) -> tuple[CorePlan, Events, float]:
    """Build and simulate a case: its plan, how often its layers spike, and the mean cycles per step.

    Raises:
        RuntimeError: if hardware and golden model differ or the output was silent; such figures would mean nothing.
    """
    model = random_network(case)
    write(build := make_build(model, folding), folder)
    samples = vectors.random_samples(model, 8, steps, case.density, seed=1)
    report = verify.verify(folder, samples)
    if not report["equal"]:
        raise RuntimeError(f"{case.name}: {report['first_difference'] or 'silent'}")
    return build.plan, measured_events(model, samples), report["cycles_per_step_mean"]


def incoming_events(plan: CorePlan, events: Events) -> list[tuple[FoldedLayer, float]]:
    """The layers, which are folded all, and the mean number of events into each per step."""
    return [(layer, float(np.mean(events.into(layer)))) for layer in plan.layers if isinstance(layer, FoldedLayer)]


def main() -> int:
    no_options(__doc__)
    results = [measure(case, ROOT / str(number)) for number, case in enumerate(CASES)]
    record.write(ROOT.with_suffix(".json"), [asdict(result) for result in results])
    rows = [[one.name, ", ".join(map(str, one.events)), one.measured, one.predicted, one.bound] for one in results]
    print(tabulate(rows, ["network", "events per step", "measured", "predicted", "bound"], floatfmt=".2f"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
