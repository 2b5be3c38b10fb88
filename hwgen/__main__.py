"""The command line: `build` makes a build folder from a model, the other commands work on build folders."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from hwgen.boards import host
from hwgen.cli import explore, inspect
from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.choice import BUDGETS, Goal, choose, describe, lanes_and_units
from hwgen.core.codes import CODES
from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import assumed_events, measured_events
from hwgen.fpga import bitstream, project, targets
from hwgen.fpga.synth import synthesize, table_line
from quant import spikes
from quant.command import Command
from quant.errors import BuildError
from quant.export import load
from quant.model import IntModel


def main() -> int:
    command = Command("python -m hwgen", "Verilog from a trained spiking network.")
    build = command.add("build", _build, "render a build folder from a model")
    build.add_argument("--model", type=Path, required=True, help="checkpoint (.pt) or integer model (.safetensors)")
    build.add_argument("--out", type=Path, required=True, help="build folder to write")
    fold = build.add_argument_group("folding", "given, or chosen for a goal")
    fold.add_argument("--lanes", type=_numbers, help="lanes of each layer, such as 16,4 (default: at most 16)")
    fold.add_argument("--units", type=_numbers, help="neurons of each layer updated per cycle, such as 2,1")
    fold.add_argument("--events-per-cycle", type=int, help="events a layer takes per cycle, 1 or 2")
    fold.add_argument("--target-latency-us", type=float, help="most time from a sample's last event to its answer")
    fold.add_argument("--target-step-us", type=float, help="most time per time step, layers working at once")
    fold.add_argument("--clock-mhz", type=float, default=100.0, help="clock that these times are for (default 100)")
    fold.add_argument("--budget", type=_budget, help="most of each resource, such as lut=2000,bram=30")
    known = ", ".join(area.calibrated())
    fold.add_argument("--target", default="xc7", help=f"FPGA whose area is estimated: {known} (default xc7)")
    fold.add_argument("--rates", type=Path, help="spike file that shows how often layers spike; also for --lanes alone")
    build.add_argument("--loaded-layers", type=_numbers, default=[], help="layers that get their weights at run time")
    safe = build.add_argument_group("safety", "against faults in the field (docs/safety.md)")
    safe.add_argument("--protect", choices=CODES, default="none", help="code of weights and parameters (default none)")
    safe.add_argument(
        "--watchdog", type=int, metavar="CYCLES", help="end a sample whose source sends nothing for this long"
    )
    safe.add_argument("--self-test", action="store_true", help="let the core test itself with a stored sample")
    build.add_argument("--name", help="name of the top module (default: the model's name)")
    synth = command.add("synth", _synth, "measure a build's area and clock on an FPGA with open tools")
    synth.add_argument("--build", type=Path, required=True, help="build folder")
    synth.add_argument("--target", required=True, help=", ".join(targets.TARGETS))
    synth.add_argument("--seeds", type=int, default=3, help="seeds to place and route with, 0: area only (default 3)")
    inspect.add_command(command)
    explore.add_command(command)
    bitstream.add_command(command)
    host.add_command(command)
    project.add_command(command)
    return command.run()


def _build(arguments: argparse.Namespace) -> int:
    model = load(arguments.model)
    safety = Safety(arguments.protect, arguments.watchdog, arguments.self_test)
    folding, description = _folding(arguments, model, safety)
    build = make_build(model, folding, arguments.name, safety)
    for name in write(build, arguments.out):
        print(f"{arguments.out}: removed with the earlier build: {name}")
    plan = build.plan
    lanes = ",".join(str(lanes) for lanes in lanes_and_units(model, plan.layers)[0])
    bits = sum(memory.bits for memory in plan.memories)
    print(f"{arguments.out}: top module {plan.top}, {len(plan.layers)} layers, lanes {lanes}, {bits:,} bits of memory")
    if description:
        print(description)
    return 0


def _folding(arguments: argparse.Namespace, model: IntModel, safety: Safety) -> tuple[Folding, str]:
    """The folding that is given or chosen, and what is to be said about one that was chosen.

    A goal chooses all of it; rates alone choose the units, for the lanes that are given or the default.
    """
    ports, clock_mhz, loaded = arguments.events_per_cycle, arguments.clock_mhz, arguments.loaded_layers
    wanted = {name: getattr(arguments, name) for name in ("target_step_us", "target_latency_us", "budget")}
    given = [_option(name) for name, value in wanted.items() if value is not None]
    for name in ("target_step_us", "target_latency_us", "clock_mhz"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < math.inf:
            raise BuildError(f"{_option(name)} is {value}; it must be more than 0")
    area.coefficients(arguments.target)
    lanes = None
    if not given:
        ports = 1 if ports is None else ports
        if arguments.rates is None:
            return Folding(arguments.lanes, arguments.units, ports, loaded), ""
        lanes, _ = lanes_and_units(model, make_plan(model, Folding(arguments.lanes)).layers)
    elif arguments.lanes is not None:
        raise BuildError(f"{given[0]} chooses the lanes; leave out --lanes")
    if arguments.units is not None:
        raise BuildError(f"{(*given, '--rates')[0]} chooses the units; leave out --units")
    times = (arguments.target_step_us, arguments.target_latency_us)
    interval, latency = (None if time is None else time * clock_mhz for time in times)
    events = assumed_events(model) if arguments.rates is None else measured_events(model, spikes.read(arguments.rates))
    goal = Goal(interval, latency, arguments.budget)
    choice = choose(model, events, goal, arguments.target, ports, loaded, lanes, safety)
    return choice.folding, describe(choice, arguments.target, clock_mhz)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _synth(arguments: argparse.Namespace) -> int:
    result = synthesize(arguments.build, arguments.target, arguments.seeds)
    print(table_line(result))
    return 0


def _numbers(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.removeprefix("-").isdigit() and len(part) < 10 for part in parts):
        raise argparse.ArgumentTypeError(f"{text[:40]!r}: give whole numbers with commas between, such as 16,4")
    return [int(part) for part in parts]


def _budget(text: str) -> dict[str, float]:
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        if name not in BUDGETS or name in limits or not number.isascii() or not number.isdigit() or len(number) > 9:
            names = ", ".join(BUDGETS)
            raise argparse.ArgumentTypeError(f"{text[:60]!r}: give whole numbers of {names}, such as lut=2000,bram=30")
        limits[name] = float(number)
    return limits


if __name__ == "__main__":
    sys.exit(main())
