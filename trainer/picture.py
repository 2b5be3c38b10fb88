"""The learning curves of a training run as a picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trainer.loop import PHASES, Epoch, Progress

_TRAIN, _VALIDATION, _TEST = "#8a8f98", "#1f5fbf", "#c4412b"


def curves(progress: Progress, test: Mapping[str, float]) -> bytes:
    """A PNG: loss and accuracy of both phases over the epochs, the chosen epochs, and the test accuracies."""
    history = progress.history
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.9), dpi=150, layout="constrained")
        loss, accuracy = figure.subplots(1, 2)
        _draw(loss, history, "loss_train", "loss_validation")
        _draw(accuracy, history, "accuracy_train", "accuracy_validation")
        loss.set(yscale="log", ylabel="cross-entropy, nats per sample")
        accuracy.set(ylabel="accuracy")
        _mark_best(accuracy, progress, test)
        figure.legend(*accuracy.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
        for axes in (loss, accuracy):
            _mark_phases(axes, progress)
        figure.suptitle(
            f"{progress.network.config.name}: test accuracy {test['accuracy_float']:.2%} float, "
            f"{test['accuracy_quantized']:.2%} quantized"
        )
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _draw(axes: Axes, history: Sequence[Epoch], train: str, validation: str) -> None:
    epochs = range(1, len(history) + 1)
    axes.plot(epochs, [getattr(epoch, train) for epoch in history], color=_TRAIN, lw=1.2, label="train")
    axes.plot(epochs, [getattr(epoch, validation) for epoch in history], color=_VALIDATION, lw=1.2, label="validation")
    axes.set_xlabel("epoch")
    axes.margins(x=0.02)
    axes.grid(alpha=0.25, lw=0.5)


def _mark_best(axes: Axes, progress: Progress, test: Mapping[str, float]) -> None:
    positions = [progress.history.index(progress.best_epoch(phase)) for phase in PHASES]
    numbers = [position + 1 for position in positions]
    chosen = [progress.history[position].accuracy_validation for position in positions]
    axes.plot(numbers, chosen, "o", ms=9, mfc="none", color=_VALIDATION, label="chosen on validation")
    axes.plot(numbers, [test[f"accuracy_{phase}"] for phase in PHASES], "D", ms=4.5, color=_TEST, label="test")
    lowest = min(min(chosen), *test.values())
    axes.set_ylim(bottom=max(0.0, 1 - 3 * (1 - lowest) - 0.02), top=1.002)


def _mark_phases(axes: Axes, progress: Progress) -> None:
    boundary = len(progress.of_phase("float")) + 0.5
    axes.axvline(boundary, color="0.3", lw=0.8, ls="--")
    for text, side, gap in (("real numbers", "right", -4), ("integers", "left", 4)):
        axes.annotate(
            text, (boundary, 1.0), xycoords=("data", "axes fraction"), xytext=(gap, 2), textcoords="offset points",
            ha=side, color="0.3", fontsize=8,
        )  # fmt: skip
