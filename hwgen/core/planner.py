"""Planning: the topology of a core, links, tags and FIFOs; what is inside a layer is its engine's."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import get_args

from hwgen import engines
from hwgen.core import codes
from hwgen.core.folding import DEFAULT_FOLDING, PORTS, Folding
from hwgen.core.names import top_name
from hwgen.core.plan import NO_SAFETY, CorePlan, Link, Memory, Node, Place, Safety, Source
from hwgen.core.self_test import stored_sample
from quant.errors import BuildError
from quant.formats import index_bits
from quant.model import IntModel
from quant.readouts import Packets

MAX_WATCHDOG_CYCLES = (1 << 32) - 1  # 43 s at 100 MHz
MAX_CLASSES = 1 << 16  # the packet's last beat has 16 bits for the class


def make_plan(
    model: IntModel,
    folding: Folding = DEFAULT_FOLDING,
    name: str | None = None,
    safety: Safety = NO_SAFETY,
    packets: Packets = "sample",
) -> CorePlan:
    """Plan the hardware of a model. The top module is called `name`, by default like the model if Verilog allows that.

    Raises:
        BuildError: if folding, name, safety or packets cannot be, if no engine takes a layer, or if a vector or memory
            exceeds what tools accept.
    """
    _check_folding(model, folding)
    _check_safety(safety)
    if packets not in get_args(Packets):
        raise BuildError(f"--packets {packets[:40]!r} is unknown; allowed are {', '.join(get_args(Packets))}")
    if model.size(len(model.layers)) > MAX_CLASSES:
        raise BuildError(f"{model.size(len(model.layers))} classes; the packet's last beat can name {MAX_CLASSES}")
    read, depths = _layers_read(model), _depths(model)
    consumers: dict[int, list[int]] = {source: [] for source in range(len(model.layers) + 1)}
    for index in read:
        for source in _sources(model, index):
            consumers[source].append(index)
    tag_bits = {index: 1 + safety.input_flags * _carries_flags(model, index, depths) for index in (0, *read)}
    layers = []
    for index in read:
        links = _links(model, index, depths, consumers)
        tag_link = [link.source for link in links].index(_tag_source(model, index, depths))
        place = Place(index, model.size(index), links, tag_link, tag_bits[index], safety.code)
        layers.append(engines.plan(model.layers[index - 1], place, folding, spiking=model.spikes(index)))
    sources = tuple(_plan_source(index, layers, tag_bits[index]) for index in (0, *read) if consumers[index])
    left_out = tuple(index for index in range(1, len(model.layers) + 1) if index not in read)
    return CorePlan(
        top_name(model.name, name),
        model.inputs,
        tuple(layers),
        sources,
        left_out,
        model.readout,
        packets,
        safety,
        _test_memories(model, safety, packets),
    )


def _test_memories(model: IntModel, safety: Safety, packets: Packets) -> tuple[Memory, ...]:
    if not safety.self_test:
        return ()
    beats, answers = map(len, stored_sample(model, packets))
    answer_bits = 32 if packets == "sample" else 33
    return Memory("self_test_beats", beats, 17, beats), Memory("self_test_answers", answers, answer_bits, answers)


def _check_folding(model: IntModel, folding: Folding) -> None:
    for option, numbers in (("--lanes", folding.lanes), ("--units", folding.units)):
        if numbers is None:
            continue
        if len(numbers) != len(model.layers):
            raise BuildError(f"{option} has {len(numbers)} numbers for {len(model.layers)} layers; give one per layer")
    if folding.ports not in PORTS:
        raise BuildError(f"--events-per-cycle {folding.ports}: a weight memory has two ports; give 1 or 2")
    for index in folding.loaded:
        if not 1 <= index <= len(model.layers):
            raise BuildError(f"--loaded-layers: there is no layer {index}; the layers are 1..{len(model.layers)}")


def _check_safety(safety: Safety) -> None:
    if safety.code not in codes.CODES:
        raise BuildError(f"--protect {safety.code[:40]!r} is unknown; allowed are {', '.join(codes.CODES)}")
    cycles = safety.watchdog_cycles
    if cycles is not None and not (isinstance(cycles, Integral) and 1 <= cycles <= MAX_WATCHDOG_CYCLES):
        raise BuildError(f"--watchdog {cycles}: allowed is 1..{MAX_WATCHDOG_CYCLES} cycles")


def _sources(model: IntModel, index: int) -> tuple[int, ...]:
    """What layer `index` reads: its sources and, where it is densely recurrent and spikes, itself."""
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


def _plan_source(index: int, layers: Sequence[Node], tag_bits: int) -> Source:
    links = tuple(link for layer in layers for link in layer.links if link.source == index)
    tag_read = any(
        layer.links[layer.place.tag_link].source == index or link.recurrent
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


def _links(model: IntModel, index: int, depths: list[int], consumers: dict[int, list[int]]) -> tuple[Link, ...]:
    """The links into a layer, the one that must wait least first: its own spikes, then the deepest source."""
    order = sorted(_sources(model, index), key=lambda source: (depths[source], source), reverse=True)
    deepest = max(depths[source] for source in model.sources(index))
    links = []
    for source in order:
        size = model.size(source)
        slack = 0 if source == index else deepest - depths[source]
        branch = consumers[source].index(index)
        links.append(Link(source, index, size, _fifo_words(slack, size), branch))
    return tuple(links)


def _fifo_words(slack: int, size: int) -> int:
    """Depth of a skip link's FIFO: the steps that the longer way holds, each with all its events and a TICK.

    Not needed against deadlock but for speed: docs/architecture.md has both arguments.
    """
    if slack == 0:
        return 0
    return 1 << index_bits((slack + 1) * (size + 1))
