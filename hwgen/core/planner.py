"""Planning: from an integer model and the number of lanes to the hardware plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.core import codes
from hwgen.core.memory import leak_shifts
from hwgen.core.names import top_name
from hwgen.core.plan import NO_SAFETY, HardwarePlan, LayerPlan, Link, Memory, Safety, Source
from hwgen.core.self_test import stored_sample
from quant.errors import BuildError
from quant.formats import IntArray, index_bits, signed_bits, unsigned_bits
from quant.model import IntModel, Layer
from quant.neurons import SelfWeight, Synapse

DEFAULT_MAX_LANES = 16
DEFAULT_DENSITY = 0.1  # of a layer's inputs that spike in a step, where nobody has measured it
FULL_RATE_EVENTS = 16  # from so many on, a step's events shall be all that a group waits for
MIN_UPDATE_CYCLES = 8  # fewer are not worth their units unless they are asked for

MAX_VECTOR_BITS = 1 << 16  # the widest vector that IEEE 1364-2005 makes every tool accept
MAX_MEMORY_BITS = 1 << 30  # beyond the block RAM of any FPGA

MAX_WATCHDOG_CYCLES = (1 << 32) - 1  # 43 s at 100 MHz

PORTS = (1, 2)

# Depth and width of the block of RAM that most families share, of 16 Kbit and more.
BLOCK_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18))
MAX_BANKS = 100  # their files have two digits
LOADED_BANK_WORDS = 16384  # of the iCE40 UltraPlus' large blocks, 16 bits wide


@dataclass(frozen=True, slots=True)
class Folding:
    """How far a network is folded; None: the planner's choice.

    Attributes:
        lanes: of each layer, the neurons that accumulate at once, `1 .. neurons`; by default at most 16, evenly filled.
        units: of each layer, the neurons updated per cycle, at most its lanes. By default the fewest that keep up with
            the events of a step at `DEFAULT_DENSITY`, or with `FULL_RATE_EVENTS`.
        ports: events that a layer takes per cycle, 1 or 2 (`events_per_cycle`).
        loaded: numbers, from 1, of the layers whose weights are loaded at run time, into memory with one port.
    """

    lanes: Sequence[int] | None = None
    units: Sequence[int] | None = None
    ports: int = 1
    loaded: Sequence[int] = ()


DEFAULT_FOLDING = Folding()


@dataclass(frozen=True, slots=True)
class Fold:
    """How far one layer is folded; `Folding` explains the numbers."""

    lanes: int
    units: int
    ports: int
    loaded: bool = False


def make_plan(
    model: IntModel, folding: Folding = DEFAULT_FOLDING, name: str | None = None, safety: Safety = NO_SAFETY
) -> HardwarePlan:
    """Plan the hardware of a model.

    Args:
        model: the network.
        folding: how far each layer is folded.
        name: name of the top module; by default the model's, where that is a Verilog identifier.
        safety: what the core has against faults in the field.

    Raises:
        BuildError: if folding, name or safety cannot be, or if a vector or memory exceeds what tools accept.
    """
    lanes = layer_lanes(model, folding.lanes)
    if folding.ports not in PORTS:
        raise BuildError(f"--events-per-cycle {folding.ports}: a weight memory has two ports; give 1 or 2")
    _check_loaded(model, folding.loaded)
    _check_safety(safety)
    ports = [
        events_per_cycle(layer.neurons, count, folding.ports, index in folding.loaded)
        for index, (layer, count) in enumerate(zip(model.layers, lanes, strict=True), start=1)
    ]
    units = _check_units(model, lanes, ports, folding.units)
    read = _layers_read(model)
    depths = _depths(model)
    consumers: dict[int, list[int]] = {source: [] for source in range(len(model.layers) + 1)}
    for index in read:
        for source in _sources(model, index):
            consumers[source].append(index)
    folds = {
        index: Fold(lanes[index - 1], units[index - 1], ports[index - 1], index in folding.loaded) for index in read
    }
    tag_bits = {index: 1 + safety.input_flags * _carries_flags(model, index, depths) for index in (0, *read)}
    layers = tuple(
        _plan_layer(model, index, folds[index], depths, consumers, tag_bits[index], safety.code) for index in read
    )
    sources = tuple(_plan_source(index, layers, tag_bits[index]) for index in (0, *read) if consumers[index])
    left_out = tuple(index for index in range(1, len(model.layers) + 1) if index not in read)
    return HardwarePlan(
        top_name(model.name, name), model.inputs, layers, sources, left_out, safety, _test_memories(model, safety)
    )


def _test_memories(model: IntModel, safety: Safety) -> tuple[Memory, ...]:
    if not safety.self_test:
        return ()
    beats, answers = map(len, stored_sample(model))
    return Memory("mem/self_test_beats", beats, 17, beats), Memory("mem/self_test_answers", answers, 32, answers)


def layer_lanes(model: IntModel, lanes: Sequence[int] | None) -> list[int]:
    """The lanes of every layer, given or by default.

    Raises:
        BuildError: if some cannot be.
    """
    if lanes is None:
        return [_default_lanes(layer.neurons) for layer in model.layers]
    if len(lanes) != len(model.layers):
        raise BuildError(f"--lanes has {len(lanes)} numbers for {len(model.layers)} layers; give one per layer")
    for index, (count, layer) in enumerate(zip(lanes, model.layers, strict=True), start=1):
        if not 1 <= count <= layer.neurons:
            raise BuildError(f"--lanes: {count} for layer {index}; allowed is 1..{layer.neurons}, its neurons")
    return list(lanes)


def _default_lanes(neurons: int) -> int:
    groups = -(-neurons // DEFAULT_MAX_LANES)
    return -(-neurons // groups)


def _check_loaded(model: IntModel, loaded: Sequence[int]) -> None:
    for index in loaded:
        if not 1 <= index <= len(model.layers):
            raise BuildError(f"--loaded-layers: there is no layer {index}; the layers are 1..{len(model.layers)}")


def _check_safety(safety: Safety) -> None:
    if safety.code not in codes.CODES:
        raise BuildError(f"--protect {safety.code[:40]!r}: there is {', '.join(codes.CODES)}")
    cycles = safety.watchdog_cycles
    if cycles is not None and not 1 <= cycles <= MAX_WATCHDOG_CYCLES:
        raise BuildError(f"--watchdog {cycles}: allowed is 1..{MAX_WATCHDOG_CYCLES} cycles")


def events_per_cycle(neurons: int, lanes: int, ports: int, loaded: bool) -> int:
    """Events that a layer takes per cycle where `ports` are asked for.

    One where its weights are loaded, into memory with one port, and where it has a single group of lanes, as its list
    fills by one event per cycle.
    """
    return 1 if loaded or lanes == neurons else ports


def _check_units(model: IntModel, lanes: Sequence[int], ports: Sequence[int], units: Sequence[int] | None) -> list[int]:
    if units is None:
        return [
            _default_units(model, index, *fold) for index, fold in enumerate(zip(lanes, ports, strict=True), start=1)
        ]
    if len(units) != len(lanes):
        raise BuildError(f"--units has {len(units)} numbers for {len(lanes)} layers; give one per layer")
    for index, (count, most) in enumerate(zip(units, lanes, strict=True), start=1):
        if not 1 <= count <= most:
            raise BuildError(f"--units: {count} for layer {index}; allowed is 1..{most}, its lanes")
    return list(units)


def _default_units(model: IntModel, index: int, lanes: int, ports: int) -> int:
    rows = sum(model.size(source) for source in _sources(model, index))
    events = min(FULL_RATE_EVENTS, math.ceil(rows * DEFAULT_DENSITY))
    return -(-lanes // max(MIN_UPDATE_CYCLES, events // ports))


def _sources(model: IntModel, index: int) -> tuple[int, ...]:
    """What layer `index` is driven by: its sources and, where it is densely recurrent and spikes, itself."""
    sources = model.sources(index)
    return (*sources, index) if model.recurrent(index) and model.spikes(index) else sources


def _layers_read(model: IntModel) -> tuple[int, ...]:
    """The layers that reach the read-out; one that nobody reads has no effect and gets no hardware."""
    wanted = {len(model.layers)}
    for index in range(len(model.layers), 0, -1):
        if index in wanted:
            wanted.update(model.sources(index))
    return tuple(sorted(wanted - {0}))


def _depths(model: IntModel) -> list[int]:
    """Of the input and each layer: the number of layers on the longest way from the input."""
    depths = [0]
    for index in range(1, len(model.layers) + 1):
        depths.append(1 + max(depths[source] for source in model.sources(index)))
    return depths


def _plan_source(index: int, layers: Sequence[LayerPlan], tag_bits: int) -> Source:
    links = tuple(link for layer in layers for link in layer.links if link.source == index)
    tag_read = any(
        layer.links[layer.tag_link].source == index or link.recurrent
        for link in links
        for layer in layers
        if layer.index == link.consumer
    )
    name = f"layer_{index}" if index else "input"
    # The last layer's flags go to the read-out; its events, if any, only go back into it.
    return Source(index, name, links, 1 if index == layers[-1].index else tag_bits, tag_read)


def _tag_source(model: IntModel, index: int, depths: list[int]) -> int:
    """The source that a layer takes its steps' tags from: the deepest, whose link is never a FIFO."""
    return max(model.sources(index), key=lambda source: (depths[source], source))


def _carries_flags(model: IntModel, index: int, depths: list[int]) -> bool:
    """Whether the status flags pass through layer `index` on their way from the input to the read-out."""
    carrier = len(model.layers)
    while carrier > index:
        carrier = _tag_source(model, carrier, depths)
    return carrier == index


def _plan_layer(
    model: IntModel,
    index: int,
    fold: Fold,
    depths: list[int],
    consumers: dict[int, list[int]],
    tag_bits: int,
    code: str,
) -> LayerPlan:
    layer, spiking = model.layers[index - 1], model.spikes(index)
    links = _links(model, index, depths, consumers)
    part = layer.neuron.part(SelfWeight)
    self_weight = part.weight if part is not None and spiking else None  # without spikes it never acts
    low, high = _sum_range(layer, links)
    current_low, current_high = low, high
    if self_weight is not None:
        current_low, current_high = low + np.minimum(self_weight, 0), high + np.maximum(self_weight, 0)
    sum_bits = max(2, layer.integers.weight_bits, signed_bits(int(low.min()), int(high.max())))
    threshold_bits = unsigned_bits(int(layer.neuron.threshold.max())) if spiking else 0
    self_bits = 0
    if self_weight is not None:
        self_bits = max(2, signed_bits(int(self_weight.min()), int(self_weight.max())))
    rows = sum(link.size for link in links)
    plan = LayerPlan(
        index=index,
        neurons=layer.neurons,
        lanes=fold.lanes,
        units=fold.units,
        ports=fold.ports,
        links=links,
        tag_link=[link.source for link in links].index(_tag_source(model, index, depths)),
        tag_bits=tag_bits,
        weight_bits=layer.integers.weight_bits,
        leak_bits=layer.integers.leak_bits,
        shift=leak_shifts(layer) is not None,
        state_bits=layer.integers.state_bits,
        sum_bits=sum_bits,
        current_bits=max(sum_bits, signed_bits(int(np.min(current_low)), int(np.max(current_high)))),
        threshold_bits=threshold_bits,
        self_bits=self_bits,
        synapse=layer.neuron.part(Synapse) is not None,
        subtract=layer.neuron.reset == "subtract",
        code=code,
        weights=_weight_memory(index, layer.neurons, rows, layer.integers.weight_bits, fold, code),
    )
    _check_limits(plan)
    return plan


def refold(layer: LayerPlan, fold: Fold) -> LayerPlan:
    """The same layer, folded otherwise."""
    weights = _weight_memory(layer.index, layer.neurons, layer.rows, layer.weight_bits, fold, layer.code)
    return replace(layer, lanes=fold.lanes, units=fold.units, ports=fold.ports, weights=weights)


def _weight_memory(index: int, neurons: int, rows: int, weight_bits: int, fold: Fold, code: str) -> Memory:
    """A weight memory in banks of the depth that takes the fewest blocks; of several, the deepest.

    Banks are as deep as their blocks, so that no tool divides one further and chooses between the parts.
    """
    prefix, words, data_bits = f"mem/layer_{index}_weights", -(-neurons // fold.lanes) * rows, fold.lanes * weight_bits
    word_bits = data_bits + codes.check_bits(code, data_bits).bits
    if fold.loaded:
        return Memory(prefix, words, word_bits, min(words, LOADED_BANK_WORDS), loaded=True)
    if words <= BLOCK_SHAPES[-1][0]:
        return Memory(prefix, words, word_bits, words)
    blocks = {depth: -(-words // depth) * -(-word_bits // width) for depth, width in BLOCK_SHAPES}
    depth = min(blocks, key=lambda depth: (blocks[depth], -depth))
    while depth * MAX_BANKS < words:
        depth *= 2
    return Memory(prefix, words, word_bits, min(depth, words))


def _check_limits(plan: LayerPlan) -> None:
    if plan.lanes * plan.sum_bits > MAX_VECTOR_BITS:
        most = MAX_VECTOR_BITS // plan.sum_bits
        raise BuildError(
            f"layer {plan.index}: {plan.lanes} lanes of {plan.sum_bits} bits are a vector wider than the "
            f"{MAX_VECTOR_BITS} bits that every Verilog tool accepts; give it at most {most} lanes"
        )
    if plan.widest_vector_bits > MAX_VECTOR_BITS:
        raise BuildError(
            f"layer {plan.index}: {plan.lanes} lanes and {plan.units} units need a vector of {plan.widest_vector_bits} "
            f"bits; every Verilog tool accepts {MAX_VECTOR_BITS}; give it fewer lanes or units"
        )
    if plan.weights.bits > MAX_MEMORY_BITS:
        raise BuildError(
            f"layer {plan.index}: its weights need {plan.weights.bits} bits of memory; the limit is "
            f"{MAX_MEMORY_BITS}, more than any FPGA has; use fewer neurons, sources or weight bits"
        )


def _links(model: IntModel, index: int, depths: list[int], consumers: dict[int, list[int]]) -> tuple[Link, ...]:
    """The links into a layer, the one that must wait least first: its own spikes, then the deepest source."""
    order = sorted(_sources(model, index), key=lambda source: (depths[source], source), reverse=True)
    deepest = max(depths[source] for source in model.sources(index))
    links, offset = [], 0
    for source in order:
        size = model.size(source)
        slack = 0 if source == index else deepest - depths[source]
        branch = consumers[source].index(index)
        links.append(Link(source, index, size, offset, _fifo_words(slack, size), branch))
        offset += size
    return tuple(links)


def _fifo_words(slack: int, size: int) -> int:
    """Depth of a skip link's FIFO: the steps that the longer way holds, each with all its events and a TICK.

    Not needed against deadlock but for speed: docs/architecture.md has both arguments.
    """
    if slack == 0:
        return 0
    return 1 << index_bits((slack + 1) * (size + 1))


def _sum_range(layer: Layer, links: Sequence[Link]) -> tuple[IntArray, IntArray]:
    """Of each neuron, the least and the largest sum of weights that any set of events can give."""
    low = np.zeros(layer.neurons, dtype=np.int64)
    high = np.zeros(layer.neurons, dtype=np.int64)
    read = {link.source for link in links}
    for projection in layer.projections:
        if projection.source in read:
            least, most = projection.sum_range()
            low, high = low + least, high + most
    return low, high
