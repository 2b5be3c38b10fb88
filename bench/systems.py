"""Pictures for docs/systems, drawn from what `bench.accuracy` has recorded: validation over the epochs, beside what the
systems' authors published."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bench.experiments import EXPERIMENTS
from bench.options import no_options
from bench.record import RESULTS
from quant import figures
from quant.files import write_atomic

PAGES = Path("docs/systems")
PHASES = "float", "quantized"
COLOURS = ("#1f5fbf", "#c4412b", "#2f8f5b", "#b07d12", "#6b4fa0", "#8a8f98")


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page shows.

    Attributes:
        experiment: of `bench.accuracy`; one that was not recorded is left out.
        published: values by epoch, or one for all epochs (0), as accuracies in percent or errors.
        says: where they are from.
        limits: of the vertical axis.
    """

    experiment: str
    published: Mapping[int, float] = field(default_factory=dict)
    says: str = ""
    limits: tuple[float, float] | None = None


PICTURES = {
    "strsbp": Picture(
        "strsbp", {1: 84.71, 5: 87.67, 10: 88.91}, "the authors' code, on the test part; 400 steps", (84, 92)
    ),
    "lee": Picture("lee", {0: 98.71}, "published, unconfirmed", (96, 99.5)),
    "eprop": Picture("patterns", {0: 0.0126}, "our reproduction of the authors' code"),
    "cues": Picture("cues", {0: 93.0}, "the authors' criterion", (88, 100)),
    "pcm": Picture("pcm", {0: 0.117}, "our reproduction of the authors' code, one pair"),
    "metaplastic": Picture("permuted", limits=(0, 100)),
    "metaplastic-fashion": Picture("mnist_fashion", limits=(0, 100)),
}


def curves(runs: list[dict[str, Any]]) -> Iterator[tuple[str, np.ndarray]]:
    """By label, `(seeds, epochs)`: the error, or the accuracy in percent, in validation; of each task its own."""
    for variant in dict.fromkeys(one["variant"] for one in runs):
        mine = [one for one in runs if one["variant"] == variant]
        if "after_tasks" in mine[0]:
            followed = 100 * np.array(
                [[epoch for task in one["validation_after_epoch"] for epoch in task] for one in mine]
            )
            for task in range(followed.shape[2]):
                yield f"{variant}, task {task + 1}", followed[:, :, task]
        else:
            factor = 1 if "error_quantized" in mine[0] else 100
            values = [one["validation"]["float"] + one["validation"]["quantized"] for one in mine]
            yield variant, factor * np.array([one[: min(map(len, values))] for one in values])


def draw(picture: Picture, recorded: Mapping[str, Any]) -> bytes:
    """An SVG."""
    runs = recorded["runs"]
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.subplots()
        regression = "error_quantized" in runs[0]
        for (label, values), colour in zip(curves(runs), COLOURS, strict=False):
            epochs = np.arange(1, values.shape[1] + 1)
            axes.plot(epochs, values.mean(axis=0), color=colour, lw=1.5, label=label or "here, mean of the seeds")
            axes.fill_between(epochs, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, lw=0)
        if "accuracy_float" in runs[0]:
            ends = np.cumsum([len(runs[0]["validation"][phase]) for phase in PHASES])
            tested = [100 * np.mean([one[f"accuracy_{phase}"] for one in runs]) for phase in PHASES]
            axes.plot(ends, tested, "*", color=COLOURS[0], ms=9, label="the same on the test part")
        if 0 in picture.published:
            axes.axhline(picture.published[0], color="0.3", ls=":", lw=1.2, label=picture.says)
        elif picture.published:
            axes.plot(*zip(*picture.published.items(), strict=True), "D", color="0.3", ms=4, label=picture.says)
        if picture.limits:
            axes.set_ylim(*picture.limits)
        order = "one task after the other" if "after_tasks" in runs[0] else "real numbers and then integers"
        axes.set(xlabel=f"epoch, {order}", yscale="log" if regression else "linear")
        axes.set_ylabel("error" if regression else "accuracy on the validation part, %")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25, lw=0.5)
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
        return figures.to_bytes(figure, "svg")


def main() -> int:
    no_options(__doc__)
    for page, picture in PICTURES.items():
        path = RESULTS / f"{picture.experiment}.json"
        if picture.experiment in EXPERIMENTS and path.exists():
            write_atomic(PAGES / f"{page}.svg", draw(picture, json.loads(path.read_text(encoding="utf-8"))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
