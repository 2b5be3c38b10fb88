"""What a build tells people: the model and the plan as text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence

from tabulate import tabulate

from hwgen import engines
from hwgen.core.plan import CorePlan
from quant.model import IntModel


def model_text(model: IntModel, digest: str) -> str:
    """`1_model.txt`: one line per layer."""
    head = ["layer", "neurons", "reads", "weights", "leak", "state", "reset", "features", "parameters"]
    rows = []
    for index, layer in enumerate(model.layers, start=1):
        features = ["recurrent"] if model.recurrent(index) else []
        features += [part.label for part in layer.neuron.parts]
        rows.append(
            [
                str(index),
                str(layer.neurons),
                ", ".join("input" if source == 0 else f"layer {source}" for source in model.sources(index)),
                f"{layer.integers.weight_bits} bit",
                f"{layer.integers.leak_bits} bit",
                f"{layer.integers.state_bits} bit",
                layer.neuron.reset if model.spikes(index) else "never",
                ", ".join(features) or "-",
                str(layer.parameters),
            ]
        )
    return "\n".join(
        [
            f"model     {_quoted(model.name)}",
            f"digest    {digest}",
            f"inputs    {model.inputs}",
            f"read-out  {model.readout}",
            f"classes   {', '.join(map(_quoted, model.classes))}",
            "",
            *lines(head, rows),
            "",
        ]
    )


def plan_text(plan: CorePlan) -> str:
    """`2_plan.txt`: what each engine says of its layers, and what the core has besides."""
    left_out = [
        f"layer {index} does not reach the read-out: it has no effect and is left out" for index in plan.left_out
    ]
    by_engine = {engine: [layer for layer in plan.layers if engines.of(layer) is engine] for engine in engines.ENGINES}
    parts = [engine.report(layers) for engine, layers in by_engine.items() if layers]
    packets = ["a packet of scores leaves after every step"] if plan.packets == "step" else []
    return "\n".join([f"top module {plan.top}", "", *itertools.chain(*parts), *left_out, *packets, *_safety(plan), ""])


def _safety(plan: CorePlan) -> list[str]:
    """What the core has against faults in the field, if anything."""
    safety, cycles = plan.safety, plan.safety.watchdog_cycles
    checks = sum(layer.check_bits for layer in plan.layers)
    found = [
        f"weights and parameters protected by {safety.code}: {checks} check bits among them" if checks else "",
        f"watchdog: a sample ends {cycles} cycles after its last beat" if cycles else "",
        f"self-test: a sample of {plan.test_memories[0].words} beats" if safety.self_test else "",
    ]
    return [line for line in found if line]


def lines(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table's lines, its columns aligned on the left."""
    return [line.rstrip() for line in tabulate([head, *rows], tablefmt="plain", disable_numparse=True).splitlines()]


def _quoted(name: str) -> str:
    """A name from a file, made harmless for a line of text."""
    return json.dumps(name)
