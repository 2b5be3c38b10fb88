"""The command line: `build` makes a build folder from a model, the other commands work on build folders."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from hwgen.boards import boards
from hwgen.core.codes import CODES
from hwgen.fpga import targets
from quant.command import Command, add_out
from quant.foreign import LEAK_BITS, WEIGHT_BITS
from quant.foreign.options import add_options
from quant.readouts import Packets


def main(argv: Sequence[str] | None = None) -> int:
    return Command("python -m hwgen", "Verilog from a trained spiking network.", add_commands).run(argv)


def add_commands(command: Command) -> None:
    """Add the subcommands of this package."""
    build = command.add(
        "build",
        "hwgen.cli.commands:build",
        "render a build folder from a model",
        "--model runs/digits/ckpt.pt --out build/digits",
    )
    build.add_argument(
        "--model", type=Path, required=True, help="checkpoint (.pt), integer model (.safetensors) or NIR file (.nir)"
    )
    build.add_argument("--out", type=Path, required=True, help="build folder to write")
    fold = build.add_argument_group("folding", "given, or chosen for a goal")
    fold.add_argument("--lanes", type=_numbers, help="lanes of each layer, such as 16,4 (default: at most 16)")
    fold.add_argument("--units", type=_numbers, help="neurons of each layer updated per cycle, such as 2,1")
    fold.add_argument("--events-per-cycle", type=int, help="events a layer takes per cycle, 1 or 2")
    fold.add_argument("--target-latency-us", type=float, help="most time from a sample's last event to its answer")
    fold.add_argument("--target-step-us", type=float, help="most time per time step, layers working at once")
    fold.add_argument("--clock-mhz", type=float, default=100.0, help="clock that these times are for (default 100)")
    fold.add_argument("--budget", help="most of each resource, such as lut=2000,bram=30")
    fold.add_argument("--target", default="xc7", help="FPGA whose area is estimated (default xc7; docs/folding.md)")
    fold.add_argument("--rates", type=Path, help="spike file that shows how often layers spike; alone it chooses units")
    build.add_argument(
        "--packets",
        choices=get_args(Packets),
        default="sample",
        help="give the scores at each sample's end, or those so far after every step (default sample)",
    )
    build.add_argument("--loaded-layers", type=_numbers, default=[], help="layers that get their weights at run time")
    safe = build.add_argument_group("safety", "against faults in the field (docs/safety.md)")
    safe.add_argument("--protect", choices=CODES, default="none", help="code of weights and parameters (default none)")
    safe.add_argument(
        "--watchdog", type=int, metavar="CYCLES", help="end a sample whose source sends nothing for this long"
    )
    safe.add_argument("--self-test", action="store_true", help="let the core test itself with a stored sample")
    build.add_argument("--name", help="name of the top module (default: the model's name)")
    elsewhere = add_options(build)
    elsewhere.add_argument("--spikes", type=Path, help="spike file with typical input, which sets the states' widths")
    _add_calibration(elsewhere)
    check = command.add(
        "check",
        "hwgen.cli.foreign:check",
        "say what becomes of every node of a NIR file, and what integers keep of it",
        "--model net.nir --source snntorch --reset zero",
    )
    check.add_argument("--model", type=Path, required=True, help="NIR file (.nir)")
    _add_widths(add_options(check))
    calibrate = command.add(
        "calibrate",
        "hwgen.cli.calibrate:calibrate",
        "find the fewest bits that keep what a NIR file's network can do: a table and a picture",
        "--model net.nir --source snntorch --reset zero --spikes typical.npz --out build/net-widths",
    )
    calibrate.add_argument("--model", type=Path, required=True, help="NIR file (.nir)")
    calibrate.add_argument("--spikes", type=Path, required=True, help="spike file with typical input, best with labels")
    calibrate.add_argument("--out", type=Path, required=True, help="folder for table and picture")
    calibrate.add_argument("--loss", type=float, default=0.5, help="points of accuracy that may be lost (default 0.5)")
    calibrate.add_argument("--target", default="xc7", help="FPGA whose area is estimated (default xc7)")
    add_options(calibrate)
    drift = command.add(
        "drift",
        "hwgen.flow.drift:drift",
        "compare a NIR file's network in integers with itself in real numbers",
        "--model net.nir --source snntorch --reset zero --spikes test.npz --weight-bits 6",
    )
    drift.add_argument("--model", type=Path, required=True, help="NIR file (.nir)")
    drift.add_argument("--spikes", type=Path, required=True, help="spike file to compare on (.npz)")
    drift.add_argument("--typical", type=Path, help="spike file that sets the states' widths (default: --spikes)")
    drift.add_argument("--out", type=Path, help="folder for a picture")
    drift.add_argument("--rtl", action="store_true", help="also build the integers in --out/core and simulate them")
    _add_calibration(add_options(drift))
    synth = command.add(
        "synth",
        "hwgen.cli.commands:synth",
        "measure a build's area and clock on an FPGA with open tools",
        "--build build/digits --target ecp5-85k",
    )
    _add_build(synth)
    _add_target(synth)
    synth.add_argument("--seeds", type=int, default=3, help="seeds to place and route with, 0: area only (default 3)")
    inspect = command.add(
        "inspect",
        "hwgen.cli.inspect:inspect",
        "check a build folder's files against its manifest",
        "--build build/digits",
    )
    _add_build(inspect)
    explore = command.add(
        "explore",
        "hwgen.cli.explore:run",
        "synthesize many foldings: a table and a picture of time against area",
        "--model runs/digits/ckpt.pt --spikes runs/digits/validation.npz --target xc7",
    )
    explore.add_argument("--model", type=Path, nargs="+", required=True, help="one network, or several widths of it")
    _add_target(explore)
    explore.add_argument("--spikes", type=Path, required=True, help="spike file that shows how often layers spike")
    explore.add_argument("--out", type=Path, help="folder for results (default: build/explore/<model>-<target>)")
    explore.add_argument("--points", type=int, default=12, help="foldings of each model, at most (default 12)")
    explore.add_argument("--seeds", type=int, default=1, help="to place and route each point with (default 1)")
    explore.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    explore.add_argument("--scheduler", help="address of a Dask scheduler, whose workers see the folder, too")
    bitstream = command.add(
        "bitstream",
        "hwgen.fpga.bitstream:bitstream",
        "make the file that programs a board from a build folder",
        "--build build/digits --board ulx3s-85f",
    )
    _add_build(bitstream)
    bitstream.add_argument("--board", required=True, help=", ".join(boards.BOARDS))
    bitstream.add_argument("--seed", type=int, help="of place and route (default: 1 to 4 until the clock is met)")
    host = command.add(
        "host",
        "hwgen.boards.host:host",
        "send samples to a board over its serial line, get classes and scores",
        "--port /dev/ttyUSB0 --build build/digits --spikes runs/digits/test.npz --check",
    )
    host.add_argument("--port", required=True, help="serial port, such as /dev/ttyUSB0")
    host.add_argument("--build", type=Path, required=True, help="build folder that the board was programmed from")
    host.add_argument("--spikes", type=Path, required=True, help="spike file (.npz)")
    add_out(host, "file to write the answers to (.npz)", required=False)
    host.add_argument("--samples", type=int, help="first N samples (default: all)")
    host.add_argument("--baud", type=int, default=1_000_000, help="bits per second (default 1,000,000)")
    host.add_argument("--check", action="store_true", help="compare with the golden model; status 1 if it differs")
    project = command.add(
        "project",
        "hwgen.fpga.project:project",
        "write scripts that take a build folder into a vendor's tool",
        "--build build/digits --tool vivado --part xc7a35ticsg324-1L",
    )
    _add_build(project)
    project.add_argument("--tool", required=True, help="vivado, quartus, gowin, radiant")
    project.add_argument("--part", help="device, as the tool names it")
    project.add_argument("--clock-mhz", type=int, default=100, help="clock (default 100)")


def _add_calibration(group: argparse._ArgumentGroup) -> None:
    """Add how real numbers become integers."""
    group.add_argument("--state-bits", type=int, help="most bits of a state (default: what typical input asks for)")
    _add_widths(group)


def _add_widths(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--weight-bits", type=_numbers, help=f"of all layers, or of each (default {WEIGHT_BITS})")
    group.add_argument("--leak-bits", type=int, help=f"width of the leaks (default {LEAK_BITS})")
    group.add_argument(
        "--fraction-bits",
        type=int,
        help="by how many bits states are finer than weights (default 4, if they fit)",
    )


def _add_build(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--build", type=Path, required=True, help="build folder")


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", required=True, help=", ".join(targets.TARGETS))


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.removeprefix("-").isdigit() and len(part) < 10 for part in parts):
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: give whole numbers with commas between, such as 16,4")
    return [int(part) for part in parts]


if __name__ == "__main__":
    sys.exit(main())
