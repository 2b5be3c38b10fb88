"""`python -m hwgen drift`: how far integers, and the hardware that computes them, are from the real numbers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.figure import Figure
from tabulate import tabulate

from hwgen.cli.foreign import to_calibrate
from hwgen.core.build import write
from hwgen.core.request import Request, fulfil
from quant import figures, foreign, spikes
from quant.errors import ModelError
from quant.files import check_folder, write_atomic
from quant.foreign.drift import Drift, LayerDrift
from quant.foreign.drift import drift as measure
from sim.verify import verify_and_record

PICTURE, CORE = "drift.png", "core"


def drift(arguments: argparse.Namespace) -> int:
    """Status 1 where the hardware differs from its integers."""
    if arguments.rtl and arguments.out is None:
        raise ModelError("--rtl builds and simulates the hardware; give --out, the folder for it")
    if arguments.out is not None:
        check_folder(arguments.out)
    real, samples, widths = to_calibrate(arguments)
    typical = None if arguments.typical is None else spikes.read(arguments.typical)
    if typical is not None:
        foreign.check_samples(real, typical)
    found = measure(real, samples, typical, **widths)
    rows = [
        [f"layer {number}", layer.spikes, layer.differ, *(layer.first or ("", "", ""))]
        for number, layer in enumerate(found.layers, start=1)
    ]
    print(tabulate(rows, ["", "spikes", "differ", "first: sample", "step", "neuron"]), end="\n\n")
    print(tabulate(found.blame.items(), ["put back to real numbers", "still differ"]), end="\n\n")
    if found.accuracy_real is not None:
        print(f"accuracy {found.accuracy_real:.2%} in real numbers, {found.accuracy_integer:.2%} in integers")
    print(f"the same class for {found.same_class:.2%} of {len(samples)} samples")
    if arguments.out is None:
        return 0
    if arguments.rtl:
        write(fulfil(found.model, Request())[0], arguments.out / CORE)
    write_atomic(arguments.out / PICTURE, picture(found))
    print(arguments.out / PICTURE)
    if not arguments.rtl:
        return 0
    report, path = verify_and_record(arguments.out / CORE, samples)
    print(f"hardware: {'every spike as in the integers' if report['equal'] else 'NOT EQUAL'} ({path})")
    return 0 if report["equal"] else 1


def picture(found: Drift, kind: figures.Kind = "png") -> bytes:
    """Which part of each layer's spikes differs, step by step, and what is left when numbers are put back."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.2), dpi=150, layout="constrained")
        steps, blame = figure.subplots(1, 2)
        for number, layer in enumerate(found.layers, start=1):
            steps.plot(_shares(layer), label=f"layer {number}")
        steps.set(xlabel="time step", ylabel="spikes that differ, % of a mean step's", ylim=(0, None))
        steps.legend(frameon=False)
        steps.grid(alpha=0.25, lw=0.5)
        names, left = list(found.blame), list(found.blame.values())
        bars = blame.barh(names, left, color=["#c2560c", *["#1f5fbf"] * (len(left) - 1)])
        blame.bar_label(bars, [f"{number:,}" for number in left], padding=3)
        blame.set(xlabel="spikes that still differ", xlim=(0, 1.2 * max(1, *left)))
        blame.invert_yaxis()
        blame.set_title("put back to real numbers", loc="left", fontsize=9)
        return figures.to_bytes(figure, kind)


def _shares(layer: LayerDrift) -> Sequence[float]:
    mean = max(1, layer.spikes) / max(1, len(layer.by_step))
    return [100 * differ / mean for differ in layer.by_step]
