"""What each width of the weights gives, and costs in hardware: a table and a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure
from tabulate import tabulate

from hwgen.core import area
from hwgen.core.rates import cycles_per_step, measured_events
from hwgen.core.request import Request, fulfil
from quant import figures
from quant.model import IntModel
from quant.spikes import SpikeSet

_COLOURS = ("#1f5fbf", "#c2560c", "#217a48")


@dataclass(frozen=True, slots=True)
class Width:
    """What a width of the weights gives and costs.

    Attributes:
        bits: of a weight, in the layer with the widest.
        accuracy, spread: mean and standard deviation over the seeds, in integers; no deviation of one seed.
        lut, bram: estimated.
        weight_bits: of all weights together.
        step_us: time per step at the clock asked for, at the rates measured on the samples.
    """

    bits: int
    accuracy: float
    spread: float
    lut: float
    bram: float
    weight_bits: int
    step_us: float


@dataclass(frozen=True, slots=True)
class Study:
    """All widths, and what follows.

    Attributes:
        float_accuracy: of the network in real numbers, on the samples that judge.
        samples: how many judge.
        seeds: trainings of each width.
        recommended: bits; None: none is good enough.
        reason: for them, in words.
        judged: what the samples are.
        narrowed: with everything else made narrow, too.
    """

    float_accuracy: float
    samples: int
    seeds: int
    widths: Sequence[Width]
    recommended: int | None
    reason: str
    judged: str = "validation"
    narrowed: Width | None = None


def width(
    model: IntModel,
    bits: Sequence[int],
    samples: SpikeSet,
    request: Request,
    *,
    accuracy: float,
    spread: float = math.nan,
) -> Width:
    """What `model` costs in the hardware that `request` asks for.

    Args:
        bits: of each layer's weights.
        samples: they show how often layers spike.
        accuracy, spread: of the network, on whatever it is judged by.
    """
    built, _ = fulfil(model, request)
    estimate = area.estimate(built.plan, request.target)
    return Width(
        bits=max(bits),
        accuracy=accuracy,
        spread=spread,
        lut=estimate.lut,
        bram=estimate.bram,
        weight_bits=sum(
            width * one.weight.size
            for width, layer in zip(bits, model.layers, strict=True)
            for one in layer.projections
        ),
        step_us=cycles_per_step(built.plan, measured_events(model, samples)) / request.clock_mhz,
    )


def table(found: Study) -> str:
    """For a terminal."""

    def row(name: str, one: Width) -> list[str]:
        return [
            name,
            f"{one.accuracy:.2%}" + ("" if math.isnan(one.spread) else f" ± {one.spread:.2%}"),
            f"{one.lut:,g}",
            f"{one.bram:g}",
            f"{one.weight_bits / 1024:,.1f}",
            f"{one.step_us:.2f}",
        ]

    rows = [row(f"{one.bits}{' *' if one.bits == found.recommended else ''}", one) for one in found.widths]
    if found.narrowed is not None:
        rows.append(row("narrowed", found.narrowed))
    heads = ["bits", f"accuracy on {found.judged}", "LUT", "BRAM", "weights, Kibit", "µs per step"]
    return str(tabulate(rows, heads, disable_numparse=True, stralign="right"))


def picture(found: Study, kind: figures.Kind = "png") -> bytes:
    """Accuracy, LUTs and weight memory over the bits."""
    bits = [one.bits for one in found.widths]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.4), dpi=150, layout="constrained")
        accuracy, lut, memory = figure.subplots(1, 3)
        spread = [0.0 if math.isnan(one.spread) else one.spread for one in found.widths]
        accuracy.errorbar(bits, [one.accuracy for one in found.widths], spread, fmt="o-", capsize=3, color=_COLOURS[0])
        accuracy.axhline(found.float_accuracy, color="0.35", lw=0.9, ls="--")
        accuracy.annotate("real numbers", (min(bits), found.float_accuracy), xytext=(0, 3), textcoords="offset points")
        accuracy.set(ylabel=f"accuracy on {found.judged}")
        lut.plot(bits, [one.lut for one in found.widths], "o-", color=_COLOURS[1])
        lut.set(ylabel="LUTs, estimated", ylim=(0, 1.1 * max(one.lut for one in found.widths)))
        memory.plot(bits, [one.weight_bits / 1024 for one in found.widths], "o-", color=_COLOURS[2])
        memory.set(ylabel="weight memory, Kibit", ylim=(0, 1.1 * max(one.weight_bits for one in found.widths) / 1024))
        if (one := found.narrowed) is not None:
            for axes, value in ((accuracy, one.accuracy), (lut, one.lut), (memory, one.weight_bits / 1024)):
                axes.plot(one.bits, value, "D", color="0.1", label="all widths narrowed")
            accuracy.legend(frameon=False)
        for axes in (accuracy, lut, memory):
            if found.recommended is not None:
                axes.axvline(found.recommended, color="0.8", lw=6, zorder=0)
            axes.set(xlabel="bits per weight", xticks=bits)
            axes.grid(alpha=0.25, lw=0.5)
        figure.suptitle(
            "no width is good enough" if found.recommended is None else f"recommended: {found.recommended} bits"
        )
        return figures.to_bytes(figure, kind)
