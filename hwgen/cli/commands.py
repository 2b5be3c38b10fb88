"""What `python -m hwgen build` and `synth` do."""

from __future__ import annotations

import argparse
import math

from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.choice import BUDGETS, Goal, choose, describe, lanes_and_units
from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import assumed_events, measured_events
from hwgen.fpga.synth import synthesize, table_line
from quant import spikes
from quant.errors import BuildError
from quant.export import load
from quant.model import IntModel


def build(arguments: argparse.Namespace) -> int:
    model = load(arguments.model)
    safety = Safety(arguments.protect, arguments.watchdog, arguments.self_test)
    folding, description = _folding(arguments, model, safety)
    made = make_build(model, folding, arguments.name, safety)
    write(made, arguments.out)
    plan = made.plan
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


def synth(arguments: argparse.Namespace) -> int:
    result = synthesize(arguments.build, arguments.target, arguments.seeds)
    print(table_line(result))
    return 0


def _budget(text: str) -> dict[str, float]:
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        if name not in BUDGETS or name in limits or not number.isascii() or not number.isdigit() or len(number) > 9:
            names = ", ".join(BUDGETS)
            raise argparse.ArgumentTypeError(f"{text[:60]!r}: give whole numbers of {names}, such as lut=2000,bram=30")
        limits[name] = float(number)
    return limits
