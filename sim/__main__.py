"""`python -m sim verify`: hold a build folder's hardware against the golden model; `run`, `board`: either alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from quant.command import Command, add_out


def main(argv: Sequence[str] | None = None) -> int:
    return Command("python -m sim", "Simulation of generated hardware.", add_commands).run(argv)


def add_commands(command: Command) -> None:
    """Add the subcommands of this package."""
    check = command.add(
        "verify",
        "sim.commands:verify",
        "compare every spike and score with the golden model",
        "--build build/digits --spikes runs/digits/test.npz",
    )
    check.add_argument("--build", type=Path, required=True, help="build folder")
    check.add_argument("--spikes", type=Path, required=True, help="spike file (.npz)")
    check.add_argument("--engine", choices=("cpp", "cocotb"), default="cpp", help="C++ harness (default) or cocotb")
    _add_samples(check, "(default: all; cocotb: 3)")
    check.add_argument("--wave", type=Path, help="cpp: write the waves of all signals to this file (.vcd or .fst)")
    check.add_argument("--force", action="store_true", help="replace a file at --wave")
    check.add_argument("--stall-percent", type=int, default=0, help="cpp: how often source and sink pause (default 0)")
    check.add_argument("--netlist", metavar="TARGET", help="cpp: the netlist that `synth` left, not the Verilog")
    check.add_argument("--allow-changed", action="store_true", help="judge a folder that was changed by hand, too")
    run = command.add(
        "run",
        "sim.commands:run",
        "write the golden model's spikes and scores of every layer, without simulating hardware",
        "--build build/digits --spikes runs/digits/test.npz --out answers.npz",
    )
    run.add_argument("--build", type=Path, required=True, help="build folder")
    run.add_argument("--spikes", type=Path, required=True, help="spike file (.npz)")
    _add_samples(run, "(default: all)")
    add_out(run, "file to write, as tb/vectors.npz of a build (.npz; docs/formats.md)")
    board = command.add(
        "board",
        "sim.commands:board",
        "simulate the core behind its serial line, on a port for the command `host`",
        "--build build/digits",
    )
    board.add_argument("--build", type=Path, required=True, help="build folder")
    board.add_argument("--bit-cycles", type=int, default=8, help="length of a bit in cycles (default 8)")


def _add_samples(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--first", type=int, default=0, help="number of the first sample (default 0)")
    parser.add_argument("--samples", type=int, help=f"how many samples from there on {default}")


if __name__ == "__main__":
    sys.exit(main())
