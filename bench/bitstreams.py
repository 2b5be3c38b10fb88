"""`make bitstreams`: one small network, random weights, for every board. Writes build/bitstreams and prints a table."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from hwgen import boards
from hwgen.bitstream import make_bitstream
from hwgen.build import make_build, write
from hwgen.planner import Folding
from quant.errors import ScsrError
from quant.model import IntLayer, IntModel

ROOT = Path("build/bitstreams")
SIZES = (40, 32, 10)
FOLDING = Folding((4, 2))
WEIGHT_BITS = 4


def main() -> int:
    write(make_build(_network(), FOLDING, "compact"), ROOT)
    print(f"{'board':12} {'clock MHz':>9} {'reaches':>8}  resources")
    status = 0
    for name in boards.BOARDS:
        try:
            made = make_bitstream(ROOT, name)
        except ScsrError as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2
            continue
        used = ", ".join(f"{resource} {count}" for resource, (count, _) in made.resources.items())
        print(f"{name:12} {made.clock_mhz:9} {made.fmax_mhz:8}  {used}")
    return status


def _network() -> IntModel:
    """40-32-10 with a skip connection and self-recurrence, 4-bit weights."""
    rng = np.random.default_rng(1)
    inputs, hidden, classes = SIZES
    limit = 1 << (WEIGHT_BITS - 1)

    def weights(*shape: int) -> np.ndarray:
        return rng.integers(-limit, limit, shape, dtype=np.int8)

    first = IntLayer(
        neurons=hidden,
        weight={0: weights(hidden, inputs)},
        leak=np.full(hidden, 12, dtype=np.int8),
        threshold=np.full(hidden, 12, dtype=np.int8),
        weight_bits=WEIGHT_BITS,
        leak_bits=4,
        state_bits=10,
        reset="zero",
        self_weight=weights(hidden),
    )
    last = IntLayer(
        neurons=classes,
        weight={0: weights(classes, inputs), 1: weights(classes, hidden)},
        leak=np.full(classes, 14, dtype=np.int8),
        threshold=np.full(classes, 16, dtype=np.int8),
        weight_bits=WEIGHT_BITS,
        leak_bits=4,
        state_bits=10,
        reset="subtract",
    )
    return IntModel("compact", inputs, (first, last), "spike_count")


if __name__ == "__main__":
    sys.exit(main())
