"""What each memory feature is worth and what it costs: a picture for docs/memory.md and its table, from what
`bench.accuracy` has recorded."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from tabulate import tabulate

from bench.accuracy import by_seed, spread
from bench.experiments import EXPERIMENTS, FEATURES, UNFILTERED
from bench.options import no_options
from bench.record import RESULTS
from quant import figures
from quant.files import write_atomic

PICTURE = Path("docs/memory.svg")
# Experiments with features added one by one, or, on unknown voices, taken away from the network of "loso".
TASKS = {
    "match": "delayed match",
    "spoken": "spoken digits",
    "loso_memory": "spoken digits, unknown voices",
    "rows": "Fashion-MNIST by rows",
    "sequential_features": "permuted MNIST, four pixels a step",
}
# The variants that are drawn side by side, where an experiment has all of them, and what its title says of them.
GROUPS = {"": FEATURES, ", without filters": UNFILTERED}
PHASES = {"float": ("#1f5fbf", "real numbers"), "quantized": ("#c4412b", "4-bit weights, in hardware")}

Runs = Mapping[str, list[dict[str, Any]]]


def recorded(name: str) -> Runs:
    """The runs of an experiment by variant, in their order; none where nothing was recorded."""
    path = RESULTS / f"{name}.json"
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"] if path.exists() else []
    found = {variant: [one for one in runs if one["variant"] == variant] for variant in EXPERIMENTS[name].variants}
    return {variant: mine for variant, mine in found.items() if mine}


def accuracies(runs: list[dict[str, Any]], phase: str) -> list[float]:
    """In percent, one for each seed."""
    return [100 * one for one in by_seed(runs, f"accuracy_{phase}")]


def draw(groups: Mapping[str, Runs]) -> bytes:
    """An SVG: a panel for each group, by its title; every seed a dot, their means a bar."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(7.2, 0.8 + 2.5 * len(groups)), layout="constrained")
        panels = figure.subplots(len(groups), squeeze=False)[:, 0]
        for axes, (title, variants) in zip(panels, groups.items(), strict=True):
            rows = range(len(variants))
            for phase, (colour, _) in PHASES.items():
                values = [accuracies(runs, phase) for runs in variants.values()]
                axes.plot([statistics.mean(one) for one in values], rows, "|", color=colour, ms=14, mew=2)
                dots = [(one, row) for row, seeds in zip(rows, values, strict=True) for one in seeds]
                axes.plot(*zip(*dots, strict=True), "o", color=colour, ms=4, alpha=0.6)
            axes.set(title=title, xlabel="test accuracy, %", yticks=list(rows), yticklabels=list(variants))
            axes.invert_yaxis()
            axes.grid(alpha=0.25, lw=0.5)
        handles = [mpl.lines.Line2D([], [], color=colour, marker="o", ms=4, ls="") for colour, _ in PHASES.values()]
        labels = [label for _, label in PHASES.values()]
        figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False)
        return figures.to_bytes(figure, "svg")


def row(variant: str, runs: list[dict[str, Any]]) -> list[str]:
    """A line of the table: accuracies, and what the networks take in hardware; seeds may be folded differently."""
    cells = [spread(accuracies(runs, phase)) for phase in PHASES]
    cost = {key: statistics.median(one["hardware"][key] for one in runs) for key in runs[0]["hardware"]}
    return [variant, *cells, f"{cost['lut']:,.0f}", f"{cost['memory_bits']:,.0f}", f"{cost['cycles_per_step']:,.0f}"]


def main() -> int:
    no_options(__doc__)
    tasks = {name: found for name in TASKS if (found := dict(recorded(name)))}
    if "loso_memory" in tasks:
        tasks["loso_memory"]["dense recurrence and delays"] = recorded("loso")[""]
    header = ["network", "real numbers, %", "4 bit, %", "LUTs", "bits of memory", "cycles per step"]
    for name, variants in tasks.items():
        for title, added in (("one feature after another", True), ("others", False)):
            lines = [row(variant, runs) for variant, runs in variants.items() if (variant in FEATURES) == added]
            if lines:
                print(f"{TASKS[name]}, {title}:\n\n{tabulate(lines, header, 'github', disable_numparse=True)}\n")
    groups = {
        f"{TASKS[name]}{note}": {one: variants[one] for one in group}
        for name, variants in tasks.items()
        for note, group in GROUPS.items()
        if group.keys() <= variants.keys()
    }
    if groups:
        write_atomic(PICTURE, draw(groups))
    return 0


if __name__ == "__main__":
    sys.exit(main())
