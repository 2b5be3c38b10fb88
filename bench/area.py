"""Area and speed that the planner estimates, against synthesis and simulation.

`python -m bench.area` prints the table, on networks that the calibration never saw, and writes build/bench/area.json.
`python -m bench.area --calibrate` fits the estimate's coefficients to syntheses of random networks,
hwgen/core/area.csv.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count as count_from
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tabulate import tabulate
from tqdm import tqdm

from bench import cycles, record
from bench.networks import Case, Layer, random_network
from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.plan import CorePlan
from hwgen.core.planner import make_plan
from hwgen.fpga import targets
from hwgen.fpga.synth import synthesize
from hwgen.fpga.targets import Area

ROOT = Path("build/bench/area")
TARGETS = ("xc7", "ecp5-85k", "ice40up5k", "gowin")
RESOURCES = ("lut", "ff", "bram", "dsp", "spram")
CALIBRATION = 90  # random networks
WORKERS = 2

CASES = (
    *cycles.CASES,
    Case("40-100-20, 8 lanes", 40, (Layer(100, (0,), 8), Layer(20, (1,), 4)), 0.2, 6),
    Case("40-100-20, 20 lanes", 40, (Layer(100, (0,), 20), Layer(20, (1,), 10)), 0.2, 6, (4, 1), 2),
    Case("784-128-10, one lane", 784, (Layer(128, (0,), 1), Layer(10, (1,), 1)), 0.1, 4),
    Case("784-128-10, 32 lanes", 784, (Layer(128, (0,), 32), Layer(10, (1,), 10)), 0.1, 4),
    Case("700-200-20, two events", 700, (Layer(200, (0,), 50), Layer(20, (1,), 20)), 0.02, 6, (5, 1), 2),
    Case("700-200-20, loaded", 700, (Layer(200, (0,), 10), Layer(20, (1,), 4)), 0.02, 6, loaded=(1,)),
)


@dataclass(frozen=True, slots=True)
class Result:
    """Area of a core, and mean cycles per step: estimated and measured."""

    name: str
    target: str
    estimated: Area
    measured: Area
    predicted_cycles: float
    measured_cycles: float

    def pairs(self) -> dict[str, tuple[float, float]]:
        """Every figure, estimated and measured, by its name in the table."""
        found = {key.upper(): (getattr(self.estimated, key), getattr(self.measured, key)) for key in RESOURCES}
        return found | {"cycles per step": (self.predicted_cycles, self.measured_cycles)}


def measure(case: Case, names: Sequence[str], folder: Path) -> Iterator[Result]:
    """Simulate a case, synthesize it for the targets whose RAM blocks it fits; raises as `bench.cycles.measure`."""
    run = cycles.measure(case, folder)
    plan = make_plan(random_network(case), case.folding)
    for name in filter(partial(_memories_fit, plan), names):
        estimated = area.estimate(plan, name)
        yield Result(case.name, name, estimated, _synthesized(folder, name), run.predicted, run.measured)


def _synthesized(folder: Path, target: str) -> Area:
    result = synthesize(folder, target, seeds=0, fits=False)
    return Area(result.lut, result.ff, result.bram, result.dsp, result.spram)


def random_case(seed: int) -> Case:
    """A random network and folding, sizes spread evenly over their logarithms."""
    rng = np.random.default_rng(seed)

    def size(least: float, most: float) -> int:
        return int(np.exp(rng.uniform(np.log(least), np.log(most))) + 1e-9)

    inputs, depth, layers = size(8, 800), int(rng.choice([1, 2, 2, 2, 3, 4])), []
    for position in range(depth):
        neurons = int(rng.integers(2, 32)) if position == depth - 1 else size(8, 300)
        lanes = size(1, min(neurons, 64))
        skips = {source for source in range(position) if rng.random() < 0.25}
        sources = tuple(sorted({position, *skips}, reverse=True))
        features = [bool(rng.random() < share) for share in (0.6, 0.15, 0.2, 0.4)]
        layers.append(Layer(neurons, sources, lanes, *features))
    units = None
    if rng.random() < 0.5:
        units = tuple(int(rng.integers(1, min(layer.lanes, 8) + 1)) for layer in layers)
    return Case(
        f"random {seed}",
        inputs,
        tuple(layers),
        density=0.2,
        weight_bits=int(rng.choice([1, 2, 3, 4, 6, 8])),
        units=units,
        ports=int(rng.choice([1, 1, 2])),
        state_bits=int(rng.integers(8, 21)),
        leak_bits=int(rng.integers(4, 11)),
        shift_leaks=bool(rng.random() < 0.4),
    )


def calibrate(names: Sequence[str], count: int) -> dict[str, dict[str, dict[str, float]]]:
    """Coefficients of `hwgen.core.area.terms`, by the targets' family and by resource, from `count` random networks
    whose memories the device can hold."""
    coefficients = {}
    for name in names:
        seeds = list(islice((seed for seed in count_from() if _memories_fit(_random_plan(seed), name)), count))
        with ProcessPoolExecutor(WORKERS) as pool:
            areas = list(tqdm(pool.map(partial(_calibration_area, target=name), seeds), name, count))
        found = [area.terms(_random_plan(seed)) for seed in seeds]
        coefficients[targets.find(name).family] = {
            resource: _fit(found, np.array([getattr(one, resource) for one in areas])) for resource in ("lut", "ff")
        }
    return coefficients


def _random_plan(seed: int) -> CorePlan:
    case = random_case(seed)
    return make_plan(random_network(case, seed), case.folding)


def _memories_fit(plan: CorePlan, target: str) -> bool:
    """Whether a device has the RAM blocks for a core: others are no use, and take Yosys long."""
    device = targets.find(target)
    return not area.ram_blocks(plan, device.family).beyond(asdict(device.capacity))


def _calibration_area(seed: int, target: str) -> Area:
    case, folder = random_case(seed), ROOT / "calibration" / f"{target}_{seed}"
    write(make_build(random_network(case, seed), case.folding), folder)
    return _synthesized(folder, target)


def _fit(found: Sequence[Mapping[str, float]], measured: npt.NDArray[np.int64]) -> dict[str, float]:
    """Least squares of the relative error over the terms of area; a term with a negative coefficient is dropped."""
    names = list(found[0])
    while True:
        rows = np.array([[terms[name] for name in names] for terms in found]) / measured[:, None]
        weights = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
        if (weights >= 0).all():
            return {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True) if weight}
        del names[int(np.argmin(weights * rows.mean(axis=0)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--target", choices=TARGETS, action="append", help="default: all")
    parser.add_argument("--calibrate", action="store_true", help="fit hwgen/core/area.csv anew")
    arguments = parser.parse_args()
    names = arguments.target or TARGETS
    if arguments.calibrate:
        found = {**area.fitted(), **calibrate(names, CALIBRATION)}
        columns = [(family, resource) for family, resources in found.items() for resource in resources]
        every = dict.fromkeys(term for family, resource in columns for term in found[family][resource])
        with area.COEFFICIENTS.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["term", *map(" ".join, columns)])
            table.writerows([term, *(found[one][two].get(term, "") for one, two in columns)] for term in every)
        return 0
    results = [
        result
        for number, case in enumerate(tqdm(CASES, unit="network"))
        for result in measure(case, names, ROOT / str(number))
    ]
    record.write(ROOT.with_suffix(".json"), [asdict(result) for result in results])
    rows = []
    worst = {target: dict.fromkeys(results[0].pairs(), 0.0) for target in names}
    for result in results:
        pairs, errors = result.pairs(), worst[result.target]
        cells = [" / ".join(f"{round(figure, 1):g}" for figure in pair) for pair in pairs.values()]
        rows.append([result.name, result.target, *cells])
        for name, (estimated, true) in pairs.items():  # there may be no block RAMs and multipliers
            errors[name] = max(errors[name], abs(estimated / true - 1) if true else float(estimated != 0))
    print(tabulate(rows, ["network", "target", *results[0].pairs()]))
    for target, errors in worst.items():
        print(f"largest error, {target}:", ", ".join(f"{name} {100 * error:.1f} %" for name, error in errors.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
