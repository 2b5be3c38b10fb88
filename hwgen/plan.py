"""The hardware plan: every width, memory and link of the network, decided once and read by everything after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwgen.names import top_name
from quant.errors import BuildError
from quant.formats import index_bits, signed_bits, unsigned_bits
from quant.model import IntLayer, IntModel

STATUS_FLAGS = 3
TAG_BITS = STATUS_FLAGS + 1  # and, in bit 0, "last step of the sample"
DEFAULT_MAX_LANES = 16

MAX_VECTOR_BITS = 1 << 16  # the widest vector that IEEE 1364-2005 makes every tool accept
MAX_MEMORY_BITS = 1 << 30  # beyond the block RAM of any FPGA


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory loaded from a file: `path` inside the build folder, `words` of `word_bits` bits."""

    path: str
    words: int
    word_bits: int

    @property
    def bits(self) -> int:
        return self.words * self.word_bits


@dataclass(frozen=True, slots=True)
class Link:
    """An event stream from `source` into layer `consumer`.

    Attributes:
        size: number of channels.
        offset: first row of the consumer's weight memory that belongs to this link.
        fifo_words: depth of the FIFO on a skip link, a power of two; 0 for a direct link.
        branch: number of this link among those that leave its source.
    """

    source: int
    consumer: int
    size: int
    offset: int
    fifo_words: int
    branch: int

    @property
    def name(self) -> str:
        return f"link_{self.source}_{self.consumer}"

    @property
    def recurrent(self) -> bool:
        """Whether it feeds a layer's spikes back into itself, one step later."""
        return self.source == self.consumer

    @property
    def index_bits(self) -> int:
        return index_bits(self.size)

    @property
    def fifo_word_bits(self) -> int:
        """Width of an event: its index and whether it is a TICK."""
        return self.index_bits + 1

    @property
    def fifo_address_bits(self) -> int:
        return index_bits(self.fifo_words)


@dataclass(frozen=True, slots=True)
class Source:
    """What emits events: the input (index 0) or a layer, and the links that leave it.

    Attributes:
        tag_bits: width of the tag on its stream.
        tag_read: whether anybody reads the tag.
    """

    index: int
    name: str
    links: tuple[Link, ...]
    tag_bits: int
    tag_read: bool

    @property
    def index_bits(self) -> int:
        return self.links[0].index_bits

    @property
    def tag(self) -> str:
        """Name of the signal that carries the tag; lint tools let `unused` signals be."""
        return f"{'' if self.tag_read else 'unused_'}{self.name}_tag"


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One layer in hardware. Widths are in bits; `links` are in the order of the weight memory's rows."""

    index: int
    neurons: int
    lanes: int
    links: tuple[Link, ...]
    tag_link: int
    tag_bits: int
    weight_bits: int
    leak_bits: int
    state_bits: int
    sum_bits: int
    current_bits: int
    threshold_bits: int
    self_bits: int
    synapse: bool
    subtract: bool
    weights: Memory
    params: Memory

    @property
    def name(self) -> str:
        return f"layer_{self.index}"

    @property
    def groups(self) -> int:
        return -(-self.neurons // self.lanes)

    @property
    def last_lanes(self) -> int:
        """Lanes in use in the last group."""
        return self.neurons - (self.groups - 1) * self.lanes

    @property
    def rows(self) -> int:
        """Inputs of all links together: the most events a step can have."""
        return sum(link.size for link in self.links)

    @property
    def spiking(self) -> bool:
        return self.threshold_bits > 0

    @property
    def value_bits(self) -> int:
        """Width of what the read-out adds up: a spike, or the potential."""
        return 1 if self.spiking else self.state_bits

    @property
    def index_bits(self) -> int:
        return index_bits(self.neurons)

    @property
    def lane_bits(self) -> int:
        return unsigned_bits(self.lanes)

    @property
    def group_bits(self) -> int:
        return index_bits(self.groups)

    @property
    def event_bits(self) -> int:
        """Width of the widest index that comes in."""
        return max(link.index_bits for link in self.links)

    @property
    def row_bits(self) -> int:
        return index_bits(self.rows)

    @property
    def count_bits(self) -> int:
        return unsigned_bits(self.rows)

    @property
    def weight_address_bits(self) -> int:
        return index_bits(self.weights.words)

    @property
    def offsets(self) -> int:
        """The links' first rows side by side, link 0 in the lowest bits."""
        return sum(link.offset << (position * self.row_bits) for position, link in enumerate(self.links))

    @property
    def ticked_at_reset(self) -> int:
        """A bit for each link, set where there is no TICK to wait for in the first step after reset."""
        return sum(1 << position for position, link in enumerate(self.links) if link.recurrent)

    @property
    def list_bits(self) -> int:
        """Bits of the ping-pong event list."""
        return (2 << self.row_bits) * self.row_bits

    @property
    def state_memory_bits(self) -> int:
        word_bits = self.state_bits * (1 + self.synapse) + (self.self_bits > 0)
        return self.neurons * word_bits


@dataclass(frozen=True, slots=True)
class HardwarePlan:
    """The whole core."""

    top: str
    inputs: int
    layers: tuple[LayerPlan, ...]
    sources: tuple[Source, ...]
    left_out: tuple[int, ...]

    @property
    def input_index_bits(self) -> int:
        return index_bits(self.inputs)

    @property
    def stamp_bits(self) -> int:
        """Width of the input's step stamps: more non-zero stamps than channels (scsr_axis_input.v)."""
        return unsigned_bits(self.inputs + 1)

    def source(self, index: int) -> Source | None:
        """What layer `index` (0: the input) emits; None where nobody reads its events."""
        return next((source for source in self.sources if source.index == index), None)

    @property
    def last(self) -> LayerPlan:
        return self.layers[-1]

    @property
    def memories(self) -> tuple[Memory, ...]:
        return tuple(memory for layer in self.layers for memory in (layer.weights, layer.params))


def make_plan(model: IntModel, lanes: Sequence[int] | None = None, name: str | None = None) -> HardwarePlan:
    """Plan the hardware of a model.

    Args:
        model: the network.
        lanes: lanes of each layer of the model, `1 .. neurons`; by default at most 16, evenly filled.
        name: name of the top module; by default the model's, where that is a Verilog identifier.

    Raises:
        BuildError: if lanes or name cannot be, or if a vector or memory exceeds what tools accept.
    """
    chosen_lanes = _check_lanes(model, lanes)
    read = _layers_read(model)
    depths = _depths(model)
    consumers: dict[int, list[int]] = {source: [] for source in range(len(model.layers) + 1)}
    for index in read:
        for source in _sources(model, index):
            consumers[source].append(index)
    layers = tuple(_plan_layer(model, index, chosen_lanes[index - 1], depths, consumers) for index in read)
    sources = tuple(_plan_source(index, layers) for index in (0, *read) if consumers[index])
    left_out = tuple(index for index in range(1, len(model.layers) + 1) if index not in read)
    return HardwarePlan(top_name(model.name, name), model.inputs, layers, sources, left_out)


def weight_columns(layer: IntLayer, plan: LayerPlan) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The layer's weights `(neurons, rows)` in the order of the weight memory's rows."""
    blocks = [layer.recurrent if link.recurrent else layer.weight[link.source] for link in plan.links]
    return np.concatenate([block for block in blocks if block is not None], axis=1).astype(np.int64)


def _check_lanes(model: IntModel, lanes: Sequence[int] | None) -> list[int]:
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


def _sources(model: IntModel, index: int) -> tuple[int, ...]:
    """What layer `index` is driven by: its sources and, where it is densely recurrent and spikes, itself."""
    layer = model.layers[index - 1]
    return (*layer.sources, index) if layer.recurrent is not None and model.spikes(index) else layer.sources


def _layers_read(model: IntModel) -> tuple[int, ...]:
    """The layers that reach the read-out; one that nobody reads has no effect and gets no hardware."""
    wanted = {len(model.layers)}
    for index in range(len(model.layers), 0, -1):
        if index in wanted:
            wanted.update(model.layers[index - 1].sources)
    return tuple(sorted(wanted - {0}))


def _depths(model: IntModel) -> list[int]:
    """Of the input and each layer: the number of layers on the longest way from the input."""
    depths = [0]
    for layer in model.layers:
        depths.append(1 + max(depths[source] for source in layer.sources))
    return depths


def _plan_source(index: int, layers: Sequence[LayerPlan]) -> Source:
    links = tuple(link for layer in layers for link in layer.links if link.source == index)
    tag_read = any(
        layer.links[layer.tag_link].source == index or link.recurrent
        for link in links
        for layer in layers
        if layer.index == link.consumer
    )
    if index == 0:
        return Source(0, "input", links, TAG_BITS, tag_read)
    # The last layer's flags go to the read-out; its events, if any, only go back into it.
    tag_bits = 1 if index == layers[-1].index else next(layer.tag_bits for layer in layers if layer.index == index)
    return Source(index, f"layer_{index}", links, tag_bits, tag_read)


def _tag_source(layer: IntLayer, depths: list[int]) -> int:
    """The source that a layer takes its steps' tags from: the deepest, whose link is never a FIFO."""
    return max(layer.sources, key=lambda source: (depths[source], source))


def _carries_flags(model: IntModel, index: int, depths: list[int]) -> bool:
    """Whether the status flags pass through layer `index` on their way from the input to the read-out."""
    carrier = len(model.layers)
    while carrier > index:
        carrier = _tag_source(model.layers[carrier - 1], depths)
    return carrier == index


def _plan_layer(
    model: IntModel, index: int, lanes: int, depths: list[int], consumers: dict[int, list[int]]
) -> LayerPlan:
    layer, spiking = model.layers[index - 1], model.spikes(index)
    links = _links(model, index, depths, consumers)
    self_weight = layer.self_weight if spiking else None  # without spikes it never acts
    low, high = _sum_range(layer, links)
    current_low, current_high = low, high
    if self_weight is not None:
        current_low, current_high = low + np.minimum(self_weight, 0), high + np.maximum(self_weight, 0)
    sum_bits = max(2, layer.weight_bits, signed_bits(int(low.min()), int(high.max())))
    threshold_bits = unsigned_bits(int(layer.threshold.max())) if spiking else 0
    self_bits = 0
    if self_weight is not None:
        self_bits = max(2, signed_bits(int(self_weight.min()), int(self_weight.max())))
    param_bits = layer.leak_bits * (1 + (layer.synapse_leak is not None)) + threshold_bits + self_bits
    rows, groups = sum(link.size for link in links), -(-layer.neurons // lanes)
    plan = LayerPlan(
        index=index,
        neurons=layer.neurons,
        lanes=lanes,
        links=links,
        tag_link=[link.source for link in links].index(_tag_source(layer, depths)),
        tag_bits=TAG_BITS if _carries_flags(model, index, depths) else 1,
        weight_bits=layer.weight_bits,
        leak_bits=layer.leak_bits,
        state_bits=layer.state_bits,
        sum_bits=sum_bits,
        current_bits=max(sum_bits, signed_bits(int(np.min(current_low)), int(np.max(current_high)))),
        threshold_bits=threshold_bits,
        self_bits=self_bits,
        synapse=layer.synapse_leak is not None,
        subtract=layer.reset == "subtract",
        weights=Memory(f"mem/layer_{index}_weights.hex", groups * rows, lanes * layer.weight_bits),
        params=Memory(f"mem/layer_{index}_params.hex", layer.neurons, param_bits),
    )
    _check_limits(plan)
    return plan


def _check_limits(plan: LayerPlan) -> None:
    if plan.lanes * plan.sum_bits > MAX_VECTOR_BITS:
        most = MAX_VECTOR_BITS // plan.sum_bits
        raise BuildError(
            f"layer {plan.index}: {plan.lanes} lanes of {plan.sum_bits} bits are a vector wider than the "
            f"{MAX_VECTOR_BITS} bits that every Verilog tool accepts; give it at most {most} lanes"
        )
    if plan.weights.bits > MAX_MEMORY_BITS:
        raise BuildError(
            f"layer {plan.index}: its weights need {plan.weights.bits} bits of memory; the limit is "
            f"{MAX_MEMORY_BITS}, more than any FPGA has; use fewer neurons, sources or weight bits"
        )


def _links(model: IntModel, index: int, depths: list[int], consumers: dict[int, list[int]]) -> tuple[Link, ...]:
    """The links into a layer, the one that must wait least first: its own spikes, then the deepest source."""
    order = sorted(_sources(model, index), key=lambda source: (depths[source], source), reverse=True)
    deepest = max(depths[source] for source in model.layers[index - 1].sources)
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


def _sum_range(
    layer: IntLayer, links: Sequence[Link]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Of each neuron, the least and the largest sum of weights that any set of events can give."""
    low = np.zeros(layer.neurons, dtype=np.int64)
    high = np.zeros(layer.neurons, dtype=np.int64)
    for link in links:
        block = layer.recurrent if link.recurrent else layer.weight[link.source]
        if block is not None:
            low += np.minimum(block, 0).sum(axis=1, dtype=np.int64)
            high += np.maximum(block, 0).sum(axis=1, dtype=np.int64)
    return low, high
