"""Choosing a folding: the least area that is fast enough, or the most speed that a budget allows.

Every layer offers its foldings, with their estimated area (area.py) and their cycles under the events that it sees
(timing.py). Layers work at once, so that each must keep up by itself; a step's way through the core is the sum of their
latencies.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from hwgen import engines
from hwgen.core import area
from hwgen.core.folding import PORTS, Folding
from hwgen.core.plan import NO_SAFETY, CorePlan, Node, Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import cycles_per_step, typical
from hwgen.core.timing import INPUT_CYCLES, Events, answer_cycles, interval_cycles, latency_cycles
from hwgen.fpga import targets
from hwgen.fpga.targets import Area
from quant.errors import BuildError
from quant.model import IntModel
from quant.readouts import Packets

BUDGETS = ("lut", "ff", "bram", "dsp")

_TIGHTER = 0.97  # what a target shrinks by while the whole pipeline's prediction misses it
_ATTEMPTS = 20
_NEARLY_AS_FAST = 1.3
_LOADED_LANES = 32  # most that are tried for a layer that could be loaded
_RELAXATIONS = 4  # cheaper options tried for each layer once the pipeline keeps the target


@dataclass(frozen=True, slots=True)
class Goal:
    """What a folding shall reach.

    Attributes:
        interval: most cycles per time step, on the mean; None: no such limit.
        latency: most cycles from a sample's last event in to its packet's last beat, on the mean; None: no such limit.
        budget: most of each resource that is named. Where there are no limits of time, the fastest folding within it is
            wanted; with them, the smallest.
    """

    interval: float | None = None
    latency: float | None = None
    budget: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A folding, and what is expected of it: area, mean cycles per time step, mean cycles from a sample's last event to
    its packet's last beat."""

    folding: Folding
    area: Area
    interval: float
    latency: float


@dataclass(frozen=True, slots=True)
class _Option:
    """One layer's folding."""

    layer: Node
    area: Area
    interval: float
    latency: float
    cost: float


def choose(
    model: IntModel,
    events: Events,
    goal: Goal,
    target: str,
    ports: int | None = None,
    loaded: Sequence[int] = (),
    lanes: Sequence[int] | None = None,
    safety: Safety = NO_SAFETY,
    packets: Packets = "sample",
) -> Choice:
    """The folding that reaches a goal at least cost, or the fastest within its budget.

    Args:
        model: the network.
        events: how often the network spikes (`hwgen.core.rates`).
        goal: what to reach.
        target: FPGA whose area counts.
        ports: events per cycle; None: whichever is better.
        loaded: layers whose weights are loaded at run time.
        lanes: of each layer, where they are given; None: they are chosen, too.
        safety: of the core; the check bits that it stores are counted, and the cycles of their guards, but no logic.
        packets: when the core gives one.

    Raises:
        BuildError: if no folding reaches the goal, saying how near one comes.
        ScsrError: at a target without estimates.
    """
    counts = PORTS if ports is None else (ports,)
    tried = [_Search(model, events, goal, target, count, loaded, lanes, safety, packets) for count in counts]
    found = [choice for search in tried if (choice := search.run()) is not None]
    if not found:
        raise BuildError(min(search.shortfall() for search in tried)[1])
    timed = goal.interval is not None or goal.latency is not None
    return min(found, key=lambda choice: tried[0].cost(choice.area) if timed else choice.interval)


def describe(choice: Choice, target: str, clock_mhz: float) -> str:
    """The choice in two lines."""
    found, folding = choice.area, choice.folding
    lanes, units = (",".join(map(str, numbers or ())) for numbers in (folding.lanes, folding.units))
    spram = f", {found.spram:g} SPRAM" if found.spram else ""
    most = f"up to {folding.ports} events" if folding.ports > 1 else "1 event"
    return (
        f"lanes {lanes}, units {units}, {most} per cycle; estimated for {target}: {found.lut:,.0f} LUT, "
        f"{found.ff:,.0f} FF, {found.bram:g} BRAM, {found.dsp:g} DSP{spram}\n"
        f"predicted: {choice.interval:.1f} cycles per time step, {choice.interval / clock_mhz:.2f} µs at "
        f"{clock_mhz:g} MHz; {choice.latency:.0f} cycles from a sample's last event to its answer, "
        f"{choice.latency / clock_mhz:.2f} µs"
    )


class _Search:
    """The foldings with one number of events per cycle."""

    def __init__(
        self,
        model: IntModel,
        events: Events,
        goal: Goal,
        target: str,
        ports: int,
        loaded: Sequence[int],
        lanes: Sequence[int] | None,
        safety: Safety,
        packets: Packets,
    ) -> None:
        self._model, self._events, self._goal, self._ports, self._loaded = model, events, goal, ports, loaded
        self._target, self._lanes, self._safety, self._packets = target, lanes, safety, packets
        capacity = asdict(targets.find(target).capacity)
        self._limits = {**capacity, **(goal.budget or {})} if goal != Goal() else {}  # what is asked for has to fit
        self._shared = goal.budget or capacity
        plan = make_plan(model, Folding(lanes or [1] * len(model.layers), None, ports, loaded), safety=safety)
        self._last = plan.last.index
        self._read = {layer.index: plan.source(layer.index) is not None for layer in plan.layers}
        self._fixed = area.estimate(plan, target) + sum((self._area(layer).times(-1) for layer in plan.layers), Area())
        self._path = _deepest_path(plan)
        self._options = {layer.index: list(self._layer_options(layer)) for layer in plan.layers}

    def cost(self, found: Area) -> float:
        """Shares of the budget, or of the device, that an area takes, added up."""
        shares: list[float] = [
            value / limit for name, value in asdict(found).items() if (limit := self._shared.get(name))
        ]
        return sum(shares)

    def run(self) -> Choice | None:
        """The best folding, or None where there is none."""
        interval, latency = self._goal.interval, self._goal.latency
        if interval is None:
            picked = self._fastest() if latency is None else self._cheapest(None, latency)
            return self._choice(picked) if picked else None
        limit = interval
        for _ in range(_ATTEMPTS):
            picked = self._cheapest(limit, latency)
            if picked is None:
                picked = self._fastest()  # the last hope
                break
            if self._choice(picked).interval <= interval:
                break
            limit *= _TIGHTER
        if not picked or self._choice(picked).interval > interval:
            return None
        return None if latency and self._latency(picked) > latency else self._relaxed(picked, interval)

    def _relaxed(self, picked: dict[int, _Option], interval: float) -> Choice:
        """The same, with cheaper options where the whole pipeline still keeps the interval: what was tightened for one
        layer's sake is given back by the others."""
        for index, options in self._options.items():
            cheaper = [option for option in options if option.cost < picked[index].cost]
            near = sorted(cheaper, key=lambda option: option.interval)[:_RELAXATIONS]
            for option in sorted(near, key=lambda option: option.cost):
                trial = {**picked, index: option}
                latency_kept = self._goal.latency is None or self._latency(trial) <= self._goal.latency
                if latency_kept and self._fits(trial) and self._choice(trial).interval <= interval:
                    picked = trial
                    break
        return self._choice(picked)

    def shortfall(self) -> tuple[float, str]:
        """How far the nearest folding is from the goal, as a share, and in words."""
        goal = self._goal
        smallest = self._choice({layer: min(o, key=lambda o: o.cost) for layer, o in self._options.items()})
        worst = smallest.area.beyond(self._limits)
        if worst:
            needs = ", ".join(f"{name} {needed:,.6g} of {limit:,.6g}" for name, (needed, limit) in worst.items())
            share = max((needed / max(limit, 1e-9) for needed, limit in worst.values()), default=0.0)
            named = not worst.keys().isdisjoint(goal.budget or ())
            where, remedy = ("--budget", "raise it, or ") if named else (f"--target {self._target}", "")
            loading = self._loading() if "bram" in worst else ""
            return share, f"{where}: a small folding needs {needs}; {remedy}{loading}use fewer weight bits"
        picked = self._fastest()
        fastest = self._choice(picked) if picked else smallest
        within = " within the budget" if goal.budget else ""
        if goal.latency is None or (goal.interval is not None and fastest.interval > goal.interval):
            every = ", or leave out --packets step" if self._packets == "step" else ""
            return fastest.interval, (
                f"no folding found takes at most {goal.interval:,.6g} cycles per time step{within}; the fastest takes "
                f"{fastest.interval:,.1f}: relax the target{every}, or raise --clock-mhz"
                f"{' or --budget' if within else ''}"
            )
        shortest = self._shortest(fastest.latency)
        return shortest, (
            f"no folding found has a latency of at most {goal.latency:,.6g} cycles{within}; one takes {shortest:,.1f}: "
            f"relax the target, or raise --clock-mhz{' or --budget' if within else ''}"
        )

    def _shortest(self, known: float) -> float:
        """The least latency that fits, by bisection, given one that does."""
        impossible = 0.0
        while known - impossible > max(1.0, 0.01 * known):
            middle = (known + impossible) / 2
            picked = self._cheapest(None, middle)
            known, impossible = (self._latency(picked), impossible) if picked else (known, middle)
        return known

    def _loading(self) -> str:
        """The option that puts weights into RAM which cannot hold contents at power-on, where that would help."""
        lanes = [min(self._model.size(index), _LOADED_LANES) for index in range(1, len(self._model.layers) + 1)]
        layers = [] if self._loaded else area.loadable(self._model, lanes, targets.find(self._target))[0]
        return f"give --loaded-layers {','.join(map(str, layers))}, whose weights SPRAM holds, or " if layers else ""

    def _layer_options(self, layer: Node) -> Iterator[_Option]:
        # Steps with many events in are taken to be those with many spikes out.
        leaving = typical(self._events.counts[layer.index] if self._read[layer.index] else [0])
        lanes = None if self._lanes is None else self._lanes[layer.index - 1]
        variants = list(engines.of(layer).variants(layer, self._ports, lanes))
        # Own spikes come in as events where they have rows, not where they have slots.
        incoming = {rows: typical(self._events.into(one)) for rows, one in {one.rows: one for one in variants}.items()}
        found = [self._option(one, list(zip(incoming[one.rows], leaving, strict=True))) for one in variants]
        for option in found:
            if not any(_dominates(other, option) for other in found):
                yield option

    def _option(self, layer: Node, seen: Sequence[tuple[int, int]]) -> _Option:
        """`seen`: events in and spikes out of some steps."""
        occupied = self._area(layer)
        interval = {step: interval_cycles(layer, *step) for step in {*seen}}
        if layer.index == self._last:
            latency = {step: INPUT_CYCLES + answer_cycles(layer, step[0]) for step in interval}
        else:
            latency = {step: latency_cycles(layer, *step) for step in interval}
        return _Option(
            layer,
            occupied,
            float(np.mean([interval[step] for step in seen])),
            float(np.mean([latency[step] for step in seen])),
            self.cost(occupied),
        )

    def _area(self, layer: Node) -> Area:
        return area.layer_area(layer, self._target, is_last=layer.index == self._last)

    def _cheapest(self, interval: float | None, latency: float | None) -> dict[int, _Option] | None:
        """The least cost within the budget, every layer within `interval` and the way through all within `latency`.

        One option of each layer is chosen: an integer linear program.
        """
        choices = [
            (index, option)
            for index, options in self._options.items()
            for option in options
            if interval is None or option.interval <= interval
        ]
        if {index for index, _ in choices} != self._options.keys():
            return None
        rows = [[float(index == layer) for index, _ in choices] for layer in self._options]
        bounds = [(1.0, 1.0)] * len(rows)
        for name, limit in self._limits.items():
            rows.append([getattr(option.area, name) for _, option in choices])
            bounds.append((-np.inf, limit - getattr(self._fixed, name)))
        if latency is not None:
            rows.append([option.latency * (index in self._path) for index, option in choices])
            bounds.append((-np.inf, latency))
        low, high = zip(*bounds, strict=True)
        found = milp(
            [option.cost for _, option in choices],
            integrality=np.ones(len(choices)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(rows, low, high),
        )
        return None if found.x is None else dict(np.array(choices, dtype=object)[found.x > 0.5].tolist())

    def _fastest(self) -> dict[int, _Option] | None:
        """The shortest interval that the budget allows: of all that layers offer, by bisection."""
        limits = sorted({option.interval for options in self._options.values() for option in options})
        first = bisect.bisect_left(limits, True, key=lambda limit: self._cheapest(limit, None) is not None)
        # A little slower layers may wait less for each other: the whole pipeline's prediction decides.
        near = [limit for limit in limits[first:] if limit <= limits[first] * _NEARLY_AS_FAST]
        tried = near[:: -(-len(near) // _ATTEMPTS)] if near else []
        found = [picked for limit in tried if (picked := self._cheapest(limit, None)) is not None]
        for key in (lambda o: (o.interval, o.cost), lambda o: (o.latency, o.cost)):
            picked = {index: min(options, key=key) for index, options in self._options.items()}
            found += [picked] if self._fits(picked) else []
        return min(found, key=self._rank, default=None)

    def _rank(self, picked: Mapping[int, _Option]) -> tuple[float, float]:
        choice = self._choice(picked)
        return choice.interval, self.cost(choice.area)

    def _latency(self, picked: Mapping[int, _Option]) -> float:
        return sum(picked[index].latency for index in self._path)

    def _fits(self, picked: Mapping[int, _Option]) -> bool:
        return not sum((option.area for option in picked.values()), self._fixed).beyond(self._limits)

    def _choice(self, picked: Mapping[int, _Option]) -> Choice:
        layers = [option.layer for option in picked.values()]
        folding = Folding(*lanes_and_units(self._model, layers), self._ports, self._loaded)
        plan = make_plan(self._model, folding, safety=self._safety, packets=self._packets)
        return Choice(
            folding, area.estimate(plan, self._target), cycles_per_step(plan, self._events), self._latency(picked)
        )


def lanes_and_units(model: IntModel, layers: Iterable[Node]) -> tuple[list[int], list[int]]:
    """The lanes and units of every layer of a model; 1 where it is not in `layers`."""
    records = {layer.index: engines.of(layer).record(layer) for layer in layers}
    every = [records.get(index, {}) for index in range(1, len(model.layers) + 1)]
    return [record.get("lanes", 1) for record in every], [record.get("units", 1) for record in every]


def _dominates(one: _Option, other: _Option) -> bool:
    mine, theirs = (one.cost, one.interval, one.latency), (other.cost, other.interval, other.latency)
    return mine != theirs and all(a <= b for a, b in zip(mine, theirs, strict=True))


def _deepest_path(plan: CorePlan) -> frozenset[int]:
    """The layers on the longest way from the input to the read-out."""
    layers, path, index = {layer.index: layer for layer in plan.layers}, set(), plan.last.index
    while index:
        path.add(index)
        index = layers[index].links[layers[index].place.tag_link].source
    return frozenset(path)
