"""What is known of a build before anything runs: cycles of every part, area, and what would make the core faster.

The page of the build is drawn from it (`quant.page`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

import hwgen
from hwgen import engines
from hwgen.core import area
from hwgen.core.choice import lanes_and_units
from hwgen.core.folding import PORTS, Folding
from hwgen.core.plan import CorePlan, Link, Node
from hwgen.core.planner import make_plan
from hwgen.core.rates import cycles_per_step, typical
from hwgen.core.timing import Events, interval_cycles
from hwgen.fpga import targets
from hwgen.fpga.targets import Area
from quant.errors import BuildError
from quant.model import IntModel
from quant.page import records

DEFAULT_TARGET = "xc7"
_MOST_STEPS = 16384  # that predictions run over
_WORTHWHILE = 0.98  # of the cycles, at most, with options that are recommended


def estimate(
    model: IntModel, plan: CorePlan, digest: str, folding: Folding, events: Events, rates: str, target: str
) -> records.Estimate:
    """The record of a build.

    Args:
        model, plan, digest, folding: what is built.
        events: how often the network spikes.
        rates: where that is known from, in words.
        target: the device to show the area on, one that is calibrated.
    """
    events = _head(events)
    parts = [_input(plan, events, target), *(_layer(plan, layer, events, target) for layer in plan.layers)]
    classes, packets = plan.last.neurons, 1.0 if plan.packets == "step" else float(np.mean(events.ends))
    parts.append(records.Part("read-out", None, (classes + 1) * packets, None))
    slowest, cycles = max(parts, key=lambda part: part.cycles), cycles_per_step(plan, events)
    layer = next((layer for layer in plan.layers if _name(layer) == slowest.name), None)
    lifts = [] if layer is None else _worthwhile(_lifts(model, plan, parts, folding, events, target), cycles)
    return records.Estimate(
        top=plan.top,
        model=model.name,
        digest=digest,
        generator=f"ScSr-HWGen {hwgen.__version__}",
        inputs=plan.inputs,
        classes=classes,
        rates=rates,
        cycles=round(cycles, 2),
        parts=parts,
        slowest=slowest.name,
        advice=_advice(plan, slowest, layer, lifts),
        lifts=lifts,
        layers=[
            records.Layer(
                layer.index,
                layer.neurons,
                layer.folded,
                [_link(link) for link in layer.links],
                [*engines.of(layer).blocks(layer), *_behind(plan, layer)],
                None if plan.source(layer.index) is None else _mean(events.counts[layer.index]),
            )
            for layer in plan.layers
        ],
        left_out=list(plan.left_out),
        devices=[_device(plan, name) for name in (target, *(name for name in area.calibrated() if name != target))],
        packets=plan.packets,
    )


def _head(events: Events) -> Events:
    """The first of the samples, where there are many steps."""
    ends = np.flatnonzero(events.ends) + 1
    steps = int(ends[max(0, int(np.searchsorted(ends, _MOST_STEPS, side="right")) - 1)])
    return Events({index: counts[:steps] for index, counts in events.counts.items()}, events.ends[:steps])


def _input(plan: CorePlan, events: Events, target: str) -> records.Part:
    seen = _mean(events.counts[0])
    return records.Part("input", seen, round(seen + 1, 2), _resources(area.input_area(plan, target)))


def _layer(plan: CorePlan, layer: Node, events: Events, target: str) -> records.Part:
    """Steps with many events in are taken to be those with many spikes out."""
    incoming, leaving = events.into(layer), events.counts[layer.index] if plan.source(layer.index) else [0]
    seen = list(zip(typical(incoming), typical(leaving), strict=True))
    cycles = {step: interval_cycles(layer, *step) for step in {*seen}}
    found = area.layer_area(layer, target, is_last=layer is plan.last)
    mean = round(float(np.mean([cycles[step] for step in seen])), 2)
    return records.Part(_name(layer), _mean(incoming), mean, _resources(found))


def _lifts(
    model: IntModel, plan: CorePlan, parts: Sequence[records.Part], folding: Folding, events: Events, target: str
) -> Iterator[records.Lift]:
    """Options with which the slowest layers do more at once: the slowest alone, or all that take half as long."""
    lanes = lanes_and_units(model, plan.layers)[0]
    cycles, longest = {part.name: part.cycles for part in parts}, max(part.cycles for part in parts)
    trials = [replace(folding, lanes=lanes)]
    for share in (_WORTHWHILE, 0.5):
        slow = {layer.index for layer in plan.layers if cycles[_name(layer)] >= share * longest}
        more = [_half_the_groups(layer.neurons, lanes[place]) for place, layer in enumerate(model.layers)]
        wider = [more[place] if place + 1 in slow else count for place, count in enumerate(lanes)]
        if folding.units is None:
            trials.append(replace(folding, lanes=wider))
            continue
        units = list(enumerate(folding.units))
        grown = [-(-unit * wider[place] // lanes[place]) for place, unit in units]
        doubled = [min(2 * unit, lanes[place]) if place + 1 in slow else unit for place, unit in units]
        trials += [replace(folding, lanes=wider, units=grown), replace(folding, lanes=lanes, units=doubled)]
    for trial in (replace(trial, ports=ports) for ports in PORTS if ports >= folding.ports for trial in trials):
        try:
            changed = make_plan(model, trial, plan.top, plan.safety, plan.packets)
        except BuildError:  # wider than tools accept
            continue
        lut = area.estimate(changed, target).lut
        yield records.Lift(_options(trial), round(cycles_per_step(changed, events), 2), lut)


def _half_the_groups(neurons: int, lanes: int) -> int:
    """Lanes for half as many groups."""
    groups = -(-neurons // lanes)
    return -(-neurons // -(-groups // 2))


def _worthwhile(lifts: Iterable[records.Lift], cycles: float) -> list[records.Lift]:
    """Those that make the core faster than it is, and than others of at most their area do."""
    found: list[records.Lift] = []
    for lift in sorted(lifts, key=lambda lift: (lift.lut, lift.cycles)):
        if lift.cycles <= _WORTHWHILE * min([cycles, *(other.cycles for other in found)]):
            found.append(lift)
    return found


def _options(folding: Folding) -> str:
    numbers = {"--lanes": folding.lanes, "--units": folding.units}
    given = [f"{option} {','.join(map(str, value))}" for option, value in numbers.items() if value is not None]
    return " ".join(given + [f"--events-per-cycle {folding.ports}"] * (folding.ports > 1))


def _advice(plan: CorePlan, slowest: records.Part, layer: Node | None, lifts: Sequence[records.Lift]) -> str:
    if lifts:
        return "Built with these options, it is faster:"
    if slowest.name == "input":
        return "The input takes an event per cycle, whatever the folding: only fewer input events per step lift it."
    if layer is None and plan.packets == "step":
        return "A score leaves per cycle in every step: only fewer classes or a packet per sample lift it."
    if layer is None:
        return "A score leaves per cycle at each sample's end: only fewer classes or longer samples lift it."
    own = "It waits for its own spikes of the step before. " if any(link.recurrent for link in layer.links) else ""
    return own + (
        "More lanes, units or events per cycle do not lift it: its event list takes an event per cycle, and a step "
        "needs time for its way through the pipeline."
    )


def _behind(plan: CorePlan, layer: Node) -> list[records.Block]:
    """What the core puts behind a layer; a last layer that reads itself has both side by side."""
    emitter = {"emitter": "spikes to events"} if plan.source(layer.index) else {}
    readout = {"read-out": plan.readout.replace("_", " ")} if layer is plan.last else {}
    behind = emitter | readout
    return [records.Block(" and ".join(behind), list(behind.values()))]


def _link(link: Link) -> records.Link:
    bits = link.fifo_word_bits if link.fifo_words else 0
    return records.Link(link.source, link.consumer, link.size, link.fifo_words, bits)


def _device(plan: CorePlan, name: str) -> records.Device:
    target = targets.find(name)
    area_there, capacity = _resources(area.estimate(plan, name)), _resources(target.capacity)
    return records.Device(name, target.description, target.bram_unit, area_there, capacity)


def _resources(found: Area) -> records.Resources:
    return records.Resources(round(found.lut), round(found.ff), found.bram, found.dsp, found.spram)


def _name(layer: Node) -> str:
    return f"layer {layer.index}"


def _mean(counts: Sequence[int]) -> float:
    return round(float(np.mean(counts)), 2)
