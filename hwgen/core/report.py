"""What a build tells people: the model and the plan as text."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hwgen.core.plan import HardwarePlan, LayerPlan
from hwgen.core.timing import interval_cycles, latency_cycles, tail_cycles
from quant.model import IntModel, Layer
from quant.store import digest


def model_text(model: IntModel) -> str:
    """`1_model.txt`: one line per layer."""
    rows = [["layer", "neurons", "reads", "weights", "leak", "state", "reset", "features", "parameters"]]
    for index, layer in enumerate(model.layers, start=1):
        rows.append(
            [
                str(index),
                str(layer.neurons),
                ", ".join("input" if source == 0 else f"layer {source}" for source in model.sources(index)),
                f"{layer.integers.weight_bits} bit",
                f"{layer.integers.leak_bits} bit",
                f"{layer.integers.state_bits} bit",
                layer.neuron.reset if model.spikes(index) else "never",
                _features(layer, recurrent=model.recurrent(index)),
                str(layer.parameters),
            ]
        )
    return "\n".join(
        [
            f"model     {_quoted(model.name)}",
            f"digest    {digest(model)}",
            f"inputs    {model.inputs}",
            f"read-out  {model.readout}",
            f"classes   {', '.join(map(_quoted, model.classes))}",
            "",
            *_table(rows),
            "",
        ]
    )


def plan_text(plan: HardwarePlan) -> str:
    """`2_plan.txt`: per layer its schedule, widths, memories, and cycles as a function of events."""
    schedule = [["layer", "neurons", "lanes", "groups", "units", "events", "rows", "sum", "current", "state"]]
    schedule[0] += ["threshold", "self"]
    memories = [["layer", "weights", "parameters", "state", "event list", "skip FIFOs", "total bits"]]
    speed = [["layer", "cycles per step, E events", "E=0", "E=8", "E=32", "latency", "E=0", "E=8", "E=32"]]
    for layer in plan.layers:
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
    left_out = [
        f"layer {index} does not reach the read-out: it has no effect and is left out" for index in plan.left_out
    ]
    return "\n".join(
        [
            f"top module {plan.top}",
            "",
            "Schedule (units: neurons updated per cycle; events: taken per cycle; widths in bits)",
            *_table(schedule),
            "",
            "Memory (bits)",
            *_table(memories),
            "",
            "Cycles, E events into the layer per step; latency: from the last event in to the TICK out, layer idle",
            *_table(speed),
            "",
            "No step takes a layer less than E + 1 cycles. A layer with fewer words of neurons than its update has",
            "stages waits for that to run empty; one that reads itself waits for its own spikes. The input takes E + 1",
            "cycles, the read-out at a sample's end one for each score and one more. The core's rate is that of its",
            "slowest part.",
            *left_out,
            *_safety(plan),
            "",
        ]
    )


def _safety(plan: HardwarePlan) -> list[str]:
    """What the core has against faults in the field, if anything."""
    safety, cycles = plan.safety, plan.safety.watchdog_cycles
    weights = sum(layer.weight_code.bits * layer.weights.words for layer in plan.layers)
    checks = weights + sum(layer.param_code.bits * layer.words for layer in plan.layers)
    found = [
        f"weights and parameters protected by {safety.code}: {checks} check bits among them" if checks else "",
        f"watchdog: a sample ends {cycles} cycles after its last beat" if cycles else "",
        f"self-test: a sample of {plan.test_memories[0].words} beats" if safety.self_test else "",
    ]
    return [line for line in found if line]


def _schedule(layer: LayerPlan) -> list[int]:
    return [
        layer.index,
        layer.neurons,
        layer.lanes,
        layer.groups,
        layer.units,
        layer.ports,
        layer.rows,
        layer.sum_bits,
        layer.current_bits,
        layer.state_bits,
        layer.threshold_bits,
        layer.self_bits,
    ]


def _speed(layer: LayerPlan) -> list[str]:
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


def _features(layer: Layer, *, recurrent: bool) -> str:
    return ", ".join([*(["dense recurrent"] if recurrent else []), *(part.label for part in layer.neuron.parts)]) or "-"


def _quoted(name: str) -> str:
    """A name from a file, made harmless for a line of text."""
    return json.dumps(name)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
