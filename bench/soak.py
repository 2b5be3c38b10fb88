"""One core for a million time steps: random stalls on both streams, malformed beats, samples of all lengths.

Nothing is reset on the way. Every spike, score, class and flag is compared with the golden model's. Writes
bench/results/soak.json, with the wall time of the simulation and its comparison.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tabulate import tabulate

from bench import record
from bench.networks import Case, Layer, random_network
from bench.record import RESULTS, commit
from hwgen.core.build import make_build, write
from quant import vectors
from sim.verify import Stress, verify

ROOT = Path("build/bench/soak")
LONGEST = 2000  # steps of a sample
STRESS = Stress(stall_percent=30, malformed=True, seed=1)

CASE = Case(
    "every kind of link",
    40,
    (
        Layer(32, (0,), 8, self_weight=True),
        Layer(24, (1,), 6, dense_recurrent=True, synapse=True, subtract=True),
        Layer(10, (2, 1, 0), 5, self_weight=True),
    ),
    density=0.1,
    ports=2,
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_000_000, help="at least so many time steps (default 1,000,000)")
    steps, begun = parser.parse_args().steps, commit()
    model = random_network(CASE)
    write(make_build(model, CASE.folding), ROOT)
    count = -(-steps * 21 // (LONGEST * 10))  # lengths are even from 1 to LONGEST; 5 % more than needed on average
    samples = vectors.random_samples(model, count, LONGEST, CASE.density, seed=1)
    start = time.monotonic()
    report = verify(ROOT, samples, stress=STRESS)
    found = {
        "command": f"python -m bench.soak --steps {steps}",
        "commit": begun,
        **{key: report[key] for key in ("equal", "samples", "steps", "layer_spikes", "output_spikes", "total_cycles")},
        "stall_percent": STRESS.stall_percent,
        "mismatches": record.mismatches(report),
        "first_difference": report["first_difference"],
        "seconds": round(time.monotonic() - start),
    }
    record.write(RESULTS / "soak.json", found)
    print(tabulate(found.items(), tablefmt="plain"))
    return 0 if report["equal"] and report["steps"] >= steps else 1


if __name__ == "__main__":
    sys.exit(main())
