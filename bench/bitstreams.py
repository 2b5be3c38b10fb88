"""`make bitstreams`: a 700-200-20 network, 6-bit random weights, for every board. Prints a table.

Writes build/bitstreams/<board>, a build folder each: on the iCEBreaker the first layer's weights are loaded at run time
into the FPGA's single-port RAMs, as no other memory there is large enough.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from tabulate import tabulate

from bench.networks import Case, Layer, random_network
from bench.options import no_options
from hwgen.boards import boards
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.fpga.bitstream import make_bitstream
from quant.errors import ScsrError

ROOT = Path("build/bitstreams")
CASE = Case("compact", 700, (Layer(200, (0,), 25, self_weight=True), Layer(20, (1,), 4)), 0.02, weight_bits=6)
FOLDINGS: Mapping[str, Folding] = {"ulx3s-85f": CASE.folding, "icebreaker": Folding((10, 4), loaded=(1,))}


def main() -> int:
    no_options(__doc__)
    rows, status = [], 0
    for name in boards.BOARDS:
        try:
            write(make_build(random_network(CASE), FOLDINGS[name]), ROOT / name)
            made = make_bitstream(ROOT / name, name)
        except ScsrError as error:
            print(f"error: {error}", file=sys.stderr)
            status = 2
            continue
        used = ", ".join(f"{resource} {count:,} of {limit:,}" for resource, (count, limit) in made.resources.items())
        rows.append([name, made.clock_mhz, made.fmax_mhz, used])
    print(tabulate(rows, ["board", "clock MHz", "reaches", "resources"]))
    return status


if __name__ == "__main__":
    sys.exit(main())
