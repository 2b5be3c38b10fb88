"""What pictures say in words and numbers."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from trainer.pictures import _plain_labels


@pytest.mark.parametrize(
    ("low", "high", "among"),
    [
        (0.912, 0.93, {"0.915", "0.92"}),
        (0.61, 0.95, {"0.7", "0.8", "0.9"}),
        (0.4, 2.3, {"0.4", "1", "2"}),
        (0.0005, 300.0, {"0.001", "0.1", "1", "100"}),
        (2e4, 2e5, {"20000", "100000"}),
    ],
)
def test_labels_of_logarithmic_axes_are_plain_and_distinct(low: float, high: float, among: set[str]) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.set(yscale="log", ylim=(low, high))
    _plain_labels(axes.yaxis)
    figure.draw_without_rendering()
    ticks = axes.yaxis.get_majorticklabels() + axes.yaxis.get_minorticklabels()
    labels = [tick.get_text() for tick in ticks if tick.get_text()]
    assert among <= set(labels)
    assert len(set(labels)) == len(labels)
    assert not any("e" in label for label in labels)
