"""What was measured of many foldings, and a picture of it: time against area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

from quant import figures

_COLOURS = ("#1f5fbf", "#c4412b", "#2c8a4b", "#8a5fbf", "#b8860b", "#5f6b7a")
_FRONT = "#30343b"


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured of a folding.

    Attributes:
        key: digest of the build, the target, the seeds and Yosys' version: whether a recorded point still is this one.
        model, weight_bits, lanes, units, events_per_cycle: what was built.
        cycles: mean cycles per time step on the samples, as the plan predicts them.
        accuracy: of the model on the samples; None where they have no labels.
        lut, ff, bram, dsp, fmax_mhz: as `hwgen synth` measures them; None where that failed.
        step_us: time per step at that clock; None for targets whose clock is not measured.
        problem: why there is no figure, such as that the network does not fit.
    """

    key: str
    model: str
    weight_bits: int
    lanes: str
    units: str
    events_per_cycle: int
    cycles: float
    accuracy: float | None = None
    lut: float | None = None
    ff: float | None = None
    bram: float | None = None
    dsp: float | None = None
    fmax_mhz: float | None = None
    step_us: float | None = None
    problem: str = ""

    @property
    def time(self) -> float:
        """What the Pareto front weighs against LUTs: µs per step, or cycles where no clock is measured."""
        return self.cycles if self.step_us is None else self.step_us


def pareto_picture(points: Sequence[Point], front: Sequence[Point]) -> bytes:
    """A PNG: every point that has a result, by model, and the Pareto front, its points labelled with their lanes."""
    measured = [point for point in points if point.lut is not None]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8, 5), dpi=150, layout="constrained")
        axes = figure.subplots()
        axes.scatter(*_places(front), s=90, facecolors="none", edgecolors=_FRONT, lw=1, label="Pareto front", zorder=3)
        models = sorted({(point.model, point.weight_bits) for point in measured})
        for colour, (model, bits) in zip(_COLOURS * len(models), models, strict=False):
            mine = [point for point in measured if (point.model, point.weight_bits) == (model, bits)]
            axes.scatter(*_places(mine), s=28, color=colour, label=_label(mine[0]), zorder=2)
        for point in front:
            place = point.lut or 0.0, point.time
            label = f"{point.lanes.replace(' ', ', ')}{'  ×2' if point.events_per_cycle == 2 else ''}"
            axes.annotate(label, place, textcoords="offset points", xytext=(6, 5), fontsize=7.5)
        time = "cycles per time step" if measured[0].step_us is None else "µs per time step, at the measured clock"
        axes.set(xscale="log", yscale="log", xlabel="LUTs", ylabel=time)
        axes.set_title("lanes of each layer; ×2: two events per cycle", fontsize=9, loc="left")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(ScalarFormatter())
            axis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.25, lw=0.5)
        axes.margins(x=0.12, y=0.08)
        axes.legend(frameon=False)
        return figures.to_bytes(figure)


def _label(point: Point) -> str:
    accuracy = "" if point.accuracy is None else f", {point.accuracy:.1%} right"
    return f"{point.model}, {point.weight_bits} bit{accuracy}"


def _places(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    """LUTs and times of points that have a result."""
    return [point.lut or 0.0 for point in points], [point.time for point in points]
