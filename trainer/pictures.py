"""What people look at after training: learning curves, confusions, spikes of one sample, leaks and thresholds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, cast

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter
from torch import Tensor

from quant import figures
from quant.spikes import SpikeSet
from trainer.evaluation import Evaluation, Quality
from trainer.loop import Epoch, Phase, Progress
from trainer.losses import Answer
from trainer.network import Network, Trace

_MOST_PANELS = 12
_TRAIN, _VALIDATION, _TEST = "#8a8f98", "#1f5fbf", "#c4412b"


def curves(progress: Progress, test: Mapping[Phase, Quality] = {}) -> bytes:
    """A PNG: loss and accuracy of both phases over the epochs, the chosen epochs, and, at the end, what the test found.

    The loss of a regression is its error, and all there is.
    """
    history = progress.history
    with _style():
        figure = Figure(figsize=(9, 3.9), dpi=150, layout="constrained")
        regression = history[-1].accuracy_validation is None
        panels = figure.subplots(1, 1 if regression else 2, squeeze=False)[0]
        _draw(panels[0], history, "loss_train", "loss_validation")
        panels[0].set(yscale="log", ylabel=f"loss per sample, {progress.network.config.train.loss.unit}")
        _plain_labels(panels[0].yaxis)
        if not regression:
            _draw(panels[1], history, "accuracy_train", "accuracy_validation")
            panels[1].set(ylabel="accuracy")
        _mark_best(panels[-1], progress, test)
        figure.legend(*panels[-1].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        for axes in panels:
            _mark_phases(axes, progress)
        found = "training goes on"
        if test:
            found = f"test {test['quantized'].name} " + ", ".join(f"{one} {phase}" for phase, one in test.items())
        figure.suptitle(f"{progress.network.config.name}: {found}")
        return figures.to_bytes(figure)


def confusion(found: Evaluation, classes: Sequence[str], title: str) -> bytes:
    """A PNG: how many samples of each class (row) were taken for which (column)."""
    counts = found.confusion(len(classes))
    size = min(12.0, max(3.6, 1.6 + 0.34 * len(classes)))
    with _style():
        figure = Figure(figsize=(size, size), dpi=150, layout="constrained")
        axes = figure.subplots()
        shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in zip(*np.nonzero(counts), strict=True):
            ink = "white" if shares[row, column] > 0.5 else "0.15"
            axes.text(column, row, str(counts[row, column]), ha="center", va="center", color=ink, fontsize=7)
        ticks = range(len(classes))
        axes.set_xticks(ticks, classes, rotation=90 if max(map(len, classes)) > 2 else 0)
        axes.set_yticks(ticks, classes)
        axes.set(xlabel="taken for", ylabel="class", title=title)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        return figures.to_bytes(figure)


def traces(answer: Answer, names: Sequence[str], title: str) -> bytes:
    """A PNG: what the outputs of each sample are and are to be in every step. `names`: of the samples' labels."""
    assert answer.traces is not None
    samples = answer.outputs.shape[1]
    with _style():
        figure = Figure(figsize=(9, 0.8 + 1.7 * samples), dpi=150, layout="constrained")
        panels = figure.subplots(samples, 1, sharex=True, squeeze=False)[:, 0]
        for sample, axes in enumerate(panels):
            steps = int(answer.steps[sample])
            for kind, lines, colour in (("target", answer.traces, _TRAIN), ("output", answer.outputs, _VALIDATION)):
                drawn = axes.plot(lines[:steps, sample].cpu().numpy(), lw=1.1, color=colour)
                drawn[0].set_label(kind)
            axes.set_ylabel(names[int(answer.labels[sample])])
            axes.grid(alpha=0.25, lw=0.5)
        panels[-1].set_xlabel("time step")
        panels[0].legend(loc="upper right", frameon=False)
        figure.suptitle(title)
        return figures.to_bytes(figure)


def raster(trace: Trace, classes: Sequence[str], title: str) -> bytes:
    """A PNG: the spikes of the input and of every layer for one sample, `trace` being that of a batch of it alone."""
    outputs = [output[:, 0].cpu().numpy() for output in trace.outputs]
    names = ["input", *(f"layer {index}" for index in range(1, len(outputs)))]
    with _style():
        figure = Figure(figsize=(9, 1.6 + 1.7 * len(outputs)), dpi=150, layout="constrained")
        panels = figure.subplots(len(outputs), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name, output in zip(panels, names, outputs, strict=True):
            if np.isin(output, (0, 1)).all():
                steps, neurons = np.nonzero(output)
                axes.scatter(steps, neurons, s=12, marker="|", lw=1.2, color=_VALIDATION)
                axes.set_ylim(-1, output.shape[1])
                axes.set_ylabel(f"{name}\n({len(steps)} spikes)")
            else:
                axes.plot(output, lw=0.9)
                axes.set_ylabel(f"{name}\n(potentials)")
            axes.grid(alpha=0.25, lw=0.5)
        panels[-1].set_xlabel("time step")
        if len(classes) <= 12:
            panels[-1].set_yticks(range(len(classes)), classes)
        figure.suptitle(title)
        return figures.to_bytes(figure)


def data_raster(samples: SpikeSet, classes: Sequence[str]) -> bytes:
    """A PNG: the spikes of the first sample of each class, of at most a dozen classes."""
    chosen = [int(np.argmax(samples.label == label)) for label in np.unique(samples.label)][:_MOST_PANELS]
    with _style():
        figure = Figure(figsize=(9, 0.8 + 1.5 * len(chosen)), dpi=150, layout="constrained")
        panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
        for axes, sample in zip(panels, chosen, strict=True):
            events = slice(samples.offset[sample], samples.offset[sample + 1])
            axes.scatter(samples.step[events], samples.channel[events], s=12, marker="|", lw=1.2, color=_VALIDATION)
            axes.set(ylim=(-1, samples.channels), ylabel=f"{classes[samples.label[sample]]}\nchannel")
            axes.grid(alpha=0.25, lw=0.5)
        panels[-1].set_xlabel("time step")
        return figures.to_bytes(figure)


def intrinsic(start: Network, trained: Network) -> bytes:
    """A PNG: every layer's leaks and thresholds before training, a line where they start equal, and after it."""
    layers = list(zip(start.layers, trained.layers, strict=True))
    with _style(), torch.no_grad():
        figure = Figure(figsize=(9, 0.7 + 1.9 * len(layers)), dpi=150, layout="constrained")
        grid = figure.subplots(len(layers), 2, squeeze=False)
        for index, (row, (before, after)) in enumerate(zip(grid, layers, strict=True), start=1):
            first, last = before.numbers(quantized=False), after.numbers(quantized=False)
            _distribution(row[0], first.leak, last.leak)
            _distribution(row[1], first.threshold, last.threshold)
            row[0].set_ylabel(f"layer {index}\nneurons")
        grid[-1, 0].set_xlabel("leak: fraction of the potential kept per step")
        grid[-1, 1].set_xlabel("threshold")
        grid[0, 0].legend(loc="upper left", frameon=False)
        figure.suptitle("leaks and thresholds, trained with the weights")
        return figures.to_bytes(figure)


def sweep(points: Mapping[str, Sequence[Any]], qualities: Sequence[float], name: str) -> bytes:
    """A PNG: the accuracy, or the error, of every trial over each setting that was varied."""
    with _style():
        figure = Figure(figsize=(3.2 * len(points), 3.2), dpi=150, layout="constrained")
        for axes, (setting, values) in zip(
            figure.subplots(1, len(points), squeeze=False)[0], points.items(), strict=True
        ):
            numeric = all(type(value) in (int, float) for value in values)
            axes.scatter(values if numeric else [str(value) for value in values], qualities, s=14, color=_VALIDATION)
            if numeric and min(values) > 0 and max(values) > 30 * min(values):
                axes.set_xscale("log")
                _plain_labels(axes.xaxis)
            axes.set_xlabel(setting)
            axes.grid(alpha=0.25, lw=0.5)
        figure.supylabel(f"{name} on validation, in integers", fontsize=9)
        return figures.to_bytes(figure)


def tasks(name: str, validation: Sequence[Sequence[Sequence[float]]], test: Sequence[Sequence[float]]) -> bytes:
    """A PNG: accuracy on every task over the epochs, `validation[learned][epoch][task]`, and after each task."""
    epochs = [epoch for learned in validation for epoch in learned]
    ends = list(itertools.accumulate(len(learned) for learned in validation))
    with _style():
        figure = Figure(figsize=(9, 3.9), dpi=150, layout="constrained")
        axes = figure.subplots()
        for task in range(len(test[0])):
            color, label = f"C{task}", f"task {task + 1}"
            axes.plot(range(1, len(epochs) + 1), [one[task] for one in epochs], color=color, lw=1.4, label=label)
            axes.plot(ends, [one[task] for one in test], "D", ms=5, color=color)
        for end in ends[:-1]:
            axes.axvline(end + 0.5, color="0.3", lw=0.8, ls="--")
        axes.set(xlabel="epoch", ylabel="accuracy", ylim=(0, 1.02))
        axes.grid(alpha=0.25, lw=0.5)
        figure.legend(loc="outside lower center", ncols=8, frameon=False)
        figure.suptitle(f"{name}: every task on validation (lines) and test (diamonds), the task not known")
        return figures.to_bytes(figure)


class _Plain(LogFormatter):
    """Numbers as people write them, at the ticks that matplotlib chooses."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:.10g}" if super().__call__(x, pos) else ""


def _plain_labels(axis: Axis) -> None:
    """Numbers at a logarithmic axis, whose own labels would be formulas."""
    axis.set_major_formatter(_Plain())
    axis.set_minor_formatter(_Plain())


def _distribution(axes: Axes, before: Tensor, after: Tensor) -> None:
    axes.hist(after.numpy(), bins=_bins(after), color=_VALIDATION, alpha=0.75, label="after")
    if before.min() == before.max():
        axes.axvline(before[0].item(), color=_TEST, lw=1.5, label="before")
    else:
        axes.hist(before.numpy(), bins=_bins(before), histtype="step", color=_TEST, lw=1.5, label="before")
    axes.grid(alpha=0.25, lw=0.5)


def _bins(values: Tensor) -> Sequence[float]:
    """Thirty, around numbers that may all but be equal."""
    low, high = float(values.min()), float(values.max())
    least = 1e-4 * max(abs(low), abs(high))
    beyond = max(0.0, least - (high - low)) / 2
    return cast(Sequence[float], np.linspace(low - beyond, high + beyond, 31))


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.parse_math": False,  # names are the user's: a dollar sign in one begins no formula
        }
    )


def _draw(axes: Axes, history: Sequence[Epoch], train: str, validation: str) -> None:
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [getattr(epoch, train) for epoch in history], color=_TRAIN, lw=1.2, label="train")
    axes.plot(epochs, [getattr(epoch, validation) for epoch in history], color=_VALIDATION, lw=1.2, label="validation")
    axes.set_xlabel("epoch")
    axes.margins(x=0.02)
    axes.grid(alpha=0.25, lw=0.5)


def _mark_best(axes: Axes, progress: Progress, test: Mapping[Phase, Quality]) -> None:
    positions = [progress.history.index(progress.best_epoch(phase)) for phase in progress.phases]
    numbers = [position + 1 for position in positions]
    chosen = [progress.history[position].validation.value for position in positions]
    axes.plot(numbers, chosen, "o", ms=9, mfc="none", color=_VALIDATION, label="chosen on validation")
    if test:
        found = [test[phase].value for phase in progress.phases]
        axes.plot(numbers, found, "D", ms=4.5, color=_TEST, label="test")
    if progress.history[0].validation.name == "accuracy":
        lowest = min(*chosen, *(one.value for one in test.values()), 1.0)
        axes.set_ylim(bottom=max(0.0, 1 - 3 * (1 - lowest) - 0.02), top=1.002)


def _mark_phases(axes: Axes, progress: Progress) -> None:
    if "float" not in progress.phases:
        return
    boundary = len(progress.of_phase("float")) + 0.5
    axes.axvline(boundary, color="0.3", lw=0.8, ls="--")
    for text, side, gap in (("real numbers", "right", -4), ("integers", "left", 4)):
        axes.annotate(
            text, (boundary, 1.0), xycoords=("data", "axes fraction"), xytext=(gap, 2), textcoords="offset points",
            ha=side, color="0.3", fontsize=8,
        )  # fmt: skip
