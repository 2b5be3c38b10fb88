"""What a build says of its folded layers: schedule, memories, and cycles as a function of events."""

from __future__ import annotations

from collections.abc import Sequence

from hwgen.core.report import lines
from hwgen.core.timing import interval_cycles, latency_cycles
from hwgen.engines.folded.clock import tail_cycles
from hwgen.engines.folded.plan import FoldedLayer


def report(layers: Sequence[FoldedLayer]) -> list[str]:
    """The lines about all folded layers of a core."""
    schedule = [["layer", "neurons", "lanes", "groups", "units", "events", "rows", "sum", "current", "state"]]
    schedule[0] += ["threshold", "self"]
    memories = [["layer", "weights", "parameters", "state", "event list", "skip FIFOs", "total bits"]]
    speed = [["layer", "cycles per step, E events", "E=0", "E=8", "E=32", "latency", "E=0", "E=8", "E=32"]]
    for layer in layers:
        schedule.append([str(value) for value in _schedule(layer)])
        bits = [
            layer.weights.bits,
            layer.params.bits,
            layer.state_memory_bits,
            layer.list_bits,
            sum(link.fifo_words * link.fifo_word_bits for link in layer.links),
        ]
        memories.append([str(value) for value in (layer.index, *bits, sum(bits))])
        speed.append(_speed(layer))
    return [
        "Schedule (units: neurons updated per cycle; events: taken per cycle; widths in bits)",
        *lines(schedule),
        "",
        "Memory (bits)",
        *lines(memories),
        "",
        "Cycles, E events into the layer per step; latency: from the last event in to the TICK out, layer idle",
        *lines(speed),
        "",
        "No step takes a layer less than E + 1 cycles. A layer with fewer words of neurons than its update has",
        "stages waits for that to run empty; one that reads itself waits for its own spikes. The input takes E + 1",
        "cycles, the read-out at a sample's end one for each score and one more. The core's rate is that of its",
        "slowest part.",
    ]


def _schedule(layer: FoldedLayer) -> list[int]:
    return [
        layer.index,
        layer.neurons,
        layer.lanes,
        layer.groups,
        layer.units,
        layer.ports,
        layer.rows,
        layer.neuron.sum_bits,
        layer.neuron.current_bits,
        layer.neuron.state_bits,
        layer.neuron.width("threshold"),
        layer.neuron.width("self_weight"),
    ]


def _speed(layer: FoldedLayer) -> list[str]:
    samples = (0, 8, 32)
    recurrent = any(link.recurrent for link in layer.links)
    groups, words, last = layer.groups, layer.group_words, layer.last_words
    walk = "E" if layer.ports == 1 else f"E/{layer.ports}"
    first = f"max({walk} + 1, {last})"
    rest = f"{groups - 1} * max({walk}, {words}) + " if groups > 1 else ""
    tail = str(tail_cycles(layer))
    return [
        str(layer.index),
        rest + first + (", at least the latency" if recurrent else ""),
        *(str(interval_cycles(layer, events)) if events <= layer.rows else "-" for events in samples),
        rest + tail,
        *(str(latency_cycles(layer, events)) if events <= layer.rows else "-" for events in samples),
    ]
