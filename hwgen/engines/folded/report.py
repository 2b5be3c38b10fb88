"""What a build says of its folded layers: schedule, memories, and cycles as a function of events."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.core.report import lines
from hwgen.core.timing import interval_cycles, latency_cycles
from hwgen.engines.folded.clock import tail_cycles
from hwgen.engines.folded.plan import FoldedLayer

_SCHEDULE = ["layer", "neurons", "lanes", "groups", "units", "events", "rows", "sum", "current", "state"]
_MEMORY = ["layer", "weights", "parameters", "state", "event list", "skip FIFOs", "total bits"]
_SPEED = ["layer", "cycles per step, E events", "E=0", "E=8", "E=32", "latency", "E=0", "E=8", "E=32"]


def report(layers: Sequence[FoldedLayer]) -> list[str]:
    """The lines about all folded layers of a core."""
    parameters = list(dict.fromkeys(name for layer in layers for name, _ in layer.neuron.fields))
    schedule, memories = [], []
    for layer in layers:
        neuron = layer.neuron
        row = [layer.index, layer.neurons, layer.lanes, layer.groups, layer.units, layer.ports, layer.rows]
        row += [neuron.brought_bits, neuron.current_bits, neuron.state_bits]
        schedule.append([*row, *map(neuron.width, parameters)])
        skips = sum(link.fifo_words * link.fifo_word_bits for link in layer.links)
        slots = layer.slot_weights.bits if layer.slot_weights else 0
        copies = layer.lanes * layer.spike_copy_bits if slots else 0
        bits = [layer.weights.bits + slots, layer.params.bits, layer.state_memory_bits, layer.list_bits, skips]
        bits += [copies] * any(one.slots for one in layers)
        memories.append([layer.index, *bits, sum(bits)])
    return [
        "Schedule (units: neurons updated per cycle; events: taken per cycle; widths in bits)",
        *lines([*_SCHEDULE, *(name.replace("_", " ") for name in parameters)], schedule),
        "",
        "Memory (bits)",
        *lines([*_MEMORY[:-1], *["own spikes"] * any(layer.slots for layer in layers), _MEMORY[-1]], memories),
        "",
        "Cycles, E events into the layer per step; latency: from the last event in to the TICK out, layer idle",
        *lines(_SPEED, map(_speed, layers)),
        "",
        "No step takes a layer less than E + 1 cycles. A layer with fewer words of neurons than its update has",
        "stages waits for that to run empty; one that reads itself waits for its own spikes. The input takes E + 1",
        "cycles, the read-out at a sample's end one for each score and one more. The core's rate is that of its",
        "slowest part.",
    ]


def _speed(layer: FoldedLayer) -> list[object]:
    samples = (0, 8, 32)
    recurrent = any(link.recurrent for link in layer.links)
    groups, words, last = layer.groups, layer.group_words, layer.last_words
    walk = "E" if layer.ports == 1 else f"E/{layer.ports}"
    if layer.slots:
        walk = f"max({walk}, 1) + {layer.slots}"
    first = f"max({walk} + 1, {last})"
    rest = f"{groups - 1} * max({walk}, {words}) + " if groups > 1 else ""
    return [
        layer.index,
        rest + first + (", at least the latency" if recurrent else ""),
        *(interval_cycles(layer, events) if events <= layer.rows else "-" for events in samples),
        f"{rest}{tail_cycles(layer)}",
        *(latency_cycles(layer, events) if events <= layer.rows else "-" for events in samples),
    ]
