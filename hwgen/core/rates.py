"""Spike rates of a network on real input: what cycles depend on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.core.folding import DEFAULT_DENSITY
from hwgen.core.plan import CorePlan
from hwgen.core.timing import Events, predict_cycles
from quant import vectors
from quant.errors import SpikeFileError
from quant.model import IntModel
from quant.spikes import SpikeSet

_ASSUMED_STEPS = 32
_QUANTILES = 9  # of a layer's events per step, that its cycles are averaged over


def accuracy(model: IntModel, samples: SpikeSet) -> float | None:
    """Share of the labelled samples that the golden model takes for their class; None where no sample has a label."""
    labelled = samples.label >= 0
    if not labelled.any():
        return None
    right = vectors.expected(model, samples)["classes"] == samples.label
    return float(np.mean(right[labelled]))


def measured_events(model: IntModel, samples: SpikeSet) -> Events:
    """How often the golden model spikes on samples.

    Raises:
        SpikeFileError: if there are no samples, or they have another number of channels than the model has inputs.
    """
    if not len(samples):
        raise SpikeFileError("the spike file holds no samples; rates need at least one")
    samples.check_channels(model.inputs)
    ends = np.cumsum(samples.steps, dtype=np.int64)
    steps, first = int(ends[-1]), ends - samples.steps
    positions = {0: samples.step + np.repeat(first, np.diff(samples.offset))}
    answers = vectors.expected(model, samples)
    for index, layer in enumerate(model.layers, start=1):
        positions[index] = answers[f"layer_{index}"] // layer.neurons
    counts = {index: np.bincount(found, minlength=steps).tolist() for index, found in positions.items()}
    return Events(counts, np.isin(np.arange(steps), ends - 1).tolist())


def assumed_events(model: IntModel) -> Events:
    """Where nothing was measured: a tenth of the input and of every layer spikes in every step of one sample."""
    sizes = (model.inputs, *(layer.neurons for layer in model.layers))
    counts = {index: [round(DEFAULT_DENSITY * size)] * _ASSUMED_STEPS for index, size in enumerate(sizes)}
    return Events(counts, [False] * (_ASSUMED_STEPS - 1) + [True])


def cycles_per_step(plan: CorePlan, events: Events) -> float:
    """Mean cycles from the end of one step to the end of the next, at full rate, as the plan predicts them."""
    ends = predict_cycles(plan, events)
    return (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else float(ends[0] - plan.inputs)


def typical(counts: Sequence[int]) -> list[int]:
    """Counts of a few steps that stand for all, the smallest first."""
    middles = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    found: list[int] = np.quantile(counts, middles, method="nearest").astype(int).tolist()
    return found
