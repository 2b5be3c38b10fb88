"""`python -m hwgen build`: an integer model or a checkpoint in, a build folder out.

`python -m hwgen synth`: a build folder's area and clock on an FPGA.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hwgen import bitstream, host, project, targets
from hwgen.build import make_build, write
from hwgen.planner import Folding
from hwgen.synth import synthesize, table_line
from quant.command import Command
from quant.errors import BuildError
from quant.export import load


def main() -> int:
    command = Command("python -m hwgen", "Verilog from a trained spiking network.")
    build = command.add("build", _build, "render a build folder from a model")
    build.add_argument("--model", type=Path, required=True, help="checkpoint (.pt) or integer model (.safetensors)")
    build.add_argument("--out", type=Path, required=True, help="build folder to write")
    build.add_argument("--lanes", type=_numbers, help="lanes of each layer, such as 16,4 (default: at most 16)")
    build.add_argument("--units", type=_numbers, help="neurons of each layer updated per cycle, such as 2,1")
    build.add_argument("--events-per-cycle", type=int, default=1, help="events a layer takes per cycle, 1 or 2")
    build.add_argument("--loaded-layers", type=_numbers, default=[], help="layers that get their weights at run time")
    build.add_argument("--name", help="name of the top module (default: the model's name)")
    synth = command.add("synth", _synth, "measure a build's area and clock on an FPGA with open tools")
    synth.add_argument("--build", type=Path, required=True, help="build folder")
    synth.add_argument("--target", required=True, help=", ".join(targets.TARGETS))
    synth.add_argument("--seeds", type=int, default=3, help="seeds to place and route with, 0: area only (default 3)")
    bitstream.add_command(command)
    host.add_command(command)
    project.add_command(command)
    return command.run()


def _build(arguments: argparse.Namespace) -> int:
    folding = Folding(arguments.lanes, arguments.units, arguments.events_per_cycle, arguments.loaded_layers)
    build = make_build(load(arguments.model), folding, arguments.name)
    write(build, arguments.out)
    plan = build.plan
    lanes = ",".join(str(layer.lanes) for layer in plan.layers)
    bits = sum(memory.bits for memory in plan.memories)
    print(f"{arguments.out}: top module {plan.top}, {len(plan.layers)} layers, lanes {lanes}, {bits:,} bits of ROM")
    return 0


def _synth(arguments: argparse.Namespace) -> int:
    result = synthesize(arguments.build, arguments.target, arguments.seeds)
    print(table_line(result))
    return 0


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.removeprefix("-").isdigit() and len(part) < 10 for part in parts):
        raise BuildError(f"--lanes {text[:40]!r}: give whole numbers with commas between, such as 16,4")
    return [int(part) for part in parts]


if __name__ == "__main__":
    sys.exit(main())
