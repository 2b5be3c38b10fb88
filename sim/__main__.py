"""`python -m sim verify`: hold a build folder's hardware against the golden model; `board`: give it a serial port."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from quant import spikes
from quant.command import Command
from quant.errors import ScsrError, SpikeFileError
from sim.board import simulated_board
from sim.verify import COCOTB_DEFAULT_SAMPLES, ENGINES, Stress, run


def main() -> int:
    command = Command("python -m sim", "Simulation of generated hardware.")
    verify = command.add("verify", _verify, "compare every spike and score with the golden model")
    verify.add_argument("--build", type=Path, required=True, help="build folder")
    verify.add_argument("--spikes", type=Path, required=True, help="spike file (.npz)")
    verify.add_argument("--engine", choices=list(ENGINES), default="cpp", help="C++ harness (default) or cocotb")
    verify.add_argument("--samples", type=int, help=f"first N samples (default: all; cocotb: {COCOTB_DEFAULT_SAMPLES})")
    verify.add_argument("--stall-percent", type=int, default=0, help="cpp: how often source and sink pause (default 0)")
    verify.add_argument("--netlist", metavar="TARGET", help="cpp: the netlist of `hwgen synth` instead of the Verilog")
    verify.add_argument("--allow-changed", action="store_true", help="judge a folder that was changed by hand, too")
    board = command.add("board", _board, "simulate the core behind its serial line, on a port for `hwgen host`")
    board.add_argument("--build", type=Path, required=True, help="build folder")
    board.add_argument("--bit-cycles", type=int, default=8, help="length of a bit in cycles (default 8)")
    return command.run()


def _verify(arguments: argparse.Namespace) -> int:
    samples = spikes.read(arguments.spikes)
    if not len(samples):
        raise SpikeFileError(f"{arguments.spikes} holds no samples; verification needs at least one")
    if arguments.stall_percent and arguments.engine != "cpp":
        raise ScsrError("--stall-percent is for --engine cpp; cocotb always runs its own cases, stalls among them")
    if arguments.netlist and arguments.engine != "cpp":
        raise ScsrError("--netlist is for --engine cpp; cocotb looks at spikes inside, which a netlist does not show")
    count = arguments.samples
    if count is None:
        count = len(samples) if arguments.engine == "cpp" else min(COCOTB_DEFAULT_SAMPLES, len(samples))
    if not 1 <= count <= len(samples):
        raise ScsrError(f"--samples is {count}; {arguments.spikes} holds {len(samples)}, allowed is 1..{len(samples)}")
    if not 0 <= arguments.stall_percent <= 95:
        raise ScsrError(f"--stall-percent is {arguments.stall_percent}; allowed is 0..95")
    return run(
        arguments.build,
        samples.head(count),
        engine=arguments.engine,
        stress=Stress(stall_percent=arguments.stall_percent),
        netlist=arguments.netlist,
        allow_changed=arguments.allow_changed,
    )


def _board(arguments: argparse.Namespace) -> int:
    with simulated_board(arguments.build, bit_cycles=arguments.bit_cycles) as port:
        print(f"{port}: the simulated board's serial port; end with Ctrl-C", flush=True)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
