"""What a user asks of a build, and the build that answers it."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from pathlib import Path

from hwgen.core import area
from hwgen.core.build import Build, make_build
from hwgen.core.choice import BUDGETS, Goal, choose, describe, lanes_and_units
from hwgen.core.estimate import DEFAULT_TARGET
from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import assumed_events, measured_events
from hwgen.core.timing import Events
from quant import spikes
from quant.errors import BuildError, brief
from quant.model import IntModel
from quant.readouts import Packets
from quant.spikes import SpikeSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Options of a build. A goal (a time, a budget) chooses the whole folding; rates alone choose the units.

    Attributes:
        lanes, units: of each layer, how many neurons are computed, and updated, at once.
        events_per_cycle: events that a layer takes per cycle, 1 or 2.
        target_step_us, target_latency_us: most time per time step, and from a sample's last event to its answer.
        clock_mhz: the clock that these times are for.
        budget: most of each resource: lut, ff, bram, dsp.
        target: the family of FPGAs whose area is estimated.
        rates: samples, or a spike file, that show how often layers spike.
        loaded_layers: layers, counted from 1, that get their weights at run time.
        protect, watchdog, self_test: safety (docs/safety.md).
        packets: when the core gives one: at each sample's end, or after every step.
        name: of the top module; None: the model's.
    """

    lanes: Sequence[int] | None = None
    units: Sequence[int] | None = None
    events_per_cycle: int | None = None
    target_step_us: float | None = None
    target_latency_us: float | None = None
    clock_mhz: float = 100.0
    budget: Mapping[str, float] | None = None
    target: str = DEFAULT_TARGET
    rates: SpikeSet | str | Path | None = None
    loaded_layers: Sequence[int] = ()
    protect: str = "none"
    watchdog: int | None = None
    self_test: bool = False
    packets: Packets = "sample"
    name: str | None = None


def fulfil(model: IntModel, request: Request) -> tuple[Build, str]:
    """The build that is asked for, and what is to be said about a folding that was chosen for it.

    Raises:
        BuildError: if options contradict each other, or no folding fulfils them.
        SpikeFileError: if the rates break their format or do not fit the model.
    """
    lanes, units, loaded = (_whole(name, getattr(request, name)) for name in ("lanes", "units", "loaded_layers"))
    request = replace(request, lanes=lanes, units=units, loaded_layers=loaded or ())
    cycles = int(request.watchdog) if isinstance(request.watchdog, Integral) else request.watchdog
    safety = Safety(request.protect, cycles, request.self_test)
    events = _events(model, request.rates)
    folding, description = _folding(model, request, safety, events)
    build = make_build(model, folding, request.name, safety, events, request.target, request.packets)
    return build, description


def _whole(name: str, given: Sequence[int] | None) -> list[int] | None:
    """Python's own whole numbers, of whatever kind they were."""
    try:
        return None if given is None else [operator.index(one) for one in given]
    except TypeError:
        raise BuildError(f"{_option(name)} is {brief(given)}; give whole numbers, one after another") from None


def _events(model: IntModel, rates: SpikeSet | str | Path | None) -> Events | None:
    if rates is None:
        return None
    return measured_events(model, rates if isinstance(rates, SpikeSet) else spikes.read(Path(rates)))


def _folding(model: IntModel, request: Request, safety: Safety, events: Events | None) -> tuple[Folding, str]:
    ports, clock_mhz, loaded = request.events_per_cycle, request.clock_mhz, list(request.loaded_layers)
    wanted = {name: getattr(request, name) for name in ("target_step_us", "target_latency_us", "budget")}
    given = [_option(name) for name, value in wanted.items() if value is not None]
    for name in ("target_step_us", "target_latency_us", "clock_mhz"):
        value = getattr(request, name)
        if value is not None and not 0 < value < math.inf:
            raise BuildError(f"{_option(name)} is {value}; it must be more than 0")
    for name in request.budget or ():
        if name not in BUDGETS:
            raise BuildError(f"--budget names {name[:40]!r}; allowed are {', '.join(BUDGETS)}")
    area.coefficients(request.target)
    lanes = None
    if not given:
        ports = 1 if ports is None else ports
        if events is None:
            return Folding(request.lanes, request.units, ports, loaded), ""
        lanes, _ = lanes_and_units(model, make_plan(model, Folding(request.lanes)).layers)
    elif request.lanes is not None:
        raise BuildError(f"{given[0]} chooses the lanes; leave out --lanes")
    if request.units is not None:
        raise BuildError(f"{(*given, '--rates')[0]} chooses the units; leave out --units")
    times = (request.target_step_us, request.target_latency_us)
    interval, latency = (None if time is None else time * clock_mhz for time in times)
    goal = Goal(interval, latency, request.budget)
    seen = events or assumed_events(model)
    choice = choose(model, seen, goal, request.target, ports, loaded, lanes, safety, request.packets)
    return choice.folding, describe(choice, request.target, clock_mhz)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
