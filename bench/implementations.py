"""The demo's network as netlists of two FPGA families and behind a serial line, on the whole test set.

Needs what `make demo` leaves. Yosys maps the core for 7 series and ECP5, and `sim verify --netlist` holds both netlists
against the golden model; the host program sends the test set through the simulated board. Prints a table.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from tabulate import tabulate

from bench.demo import CHECKPOINT, SPIKES, is_missing, run
from bench.options import no_options
from sim.board import simulated_board

ROOT = Path("build/implementations")
CORE = ROOT / "core"
TARGETS = ("xc7", "ecp5-85k")
BIT_CYCLES = 4  # as fast as the bridge takes bytes: the line then is not what the simulation waits for


def main() -> int:
    no_options(__doc__)
    if is_missing():
        return 2
    shutil.rmtree(ROOT, ignore_errors=True)
    status = run("hwgen", "build", "--model", CHECKPOINT, "--out", CORE)
    for target in TARGETS:
        status = status or run("hwgen", "synth", "--build", CORE, "--target", target, "--seeds", 0)
        status = status or run("sim", "verify", "--build", CORE, "--spikes", SPIKES, "--netlist", target)
    if status:
        return status
    with simulated_board(CORE, bit_cycles=BIT_CYCLES) as port:
        status = run("hwgen", "host", "--port", port, "--build", CORE, "--spikes", SPIKES, "--check")
    reports = [json.loads((CORE / "synth" / target / "verify.json").read_text(encoding="utf-8")) for target in TARGETS]
    keys = ("samples", "output_spikes", "mismatching_scores", "accuracy_rtl")
    rows = [[target, *(report[key] for key in keys)] for target, report in zip(TARGETS, reports, strict=True)]
    print(f"\n{tabulate(rows, ['netlist', 'samples', 'output spikes', 'wrong scores', 'accuracy'], floatfmt='.4f')}")
    return status


if __name__ == "__main__":
    sys.exit(main())
