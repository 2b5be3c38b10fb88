"""Spike rates of a network on real input: what cycles depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hwgen.plan import HardwarePlan
from hwgen.planner import DEFAULT_DENSITY
from hwgen.timing import predict_cycles
from quant import vectors
from quant.errors import SpikeFileError
from quant.model import IntModel
from quant.spikes import SpikeSet

Events = Mapping[int, Sequence[int]]

_ASSUMED_STEPS = 32


def events_per_step(model: IntModel, samples: SpikeSet) -> dict[int, list[int]]:
    """Spikes of the input (0) and of each layer in every step, all samples in a row, from the golden model.

    Raises:
        SpikeFileError: if the samples have another number of channels than the model has inputs.
    """
    if samples.channels != model.inputs:
        raise SpikeFileError(f"the spikes have {samples.channels} channels; the model has {model.inputs} inputs")
    steps = int(samples.steps.sum())
    first = np.concatenate([[0], np.cumsum(samples.steps, dtype=np.int64)[:-1]])
    positions = {0: samples.step + np.repeat(first, np.diff(samples.offset))}
    answers = vectors.expected(model, samples)
    for index, layer in enumerate(model.layers, start=1):
        positions[index] = answers[f"layer_{index}"] // layer.neurons
    return {index: np.bincount(found, minlength=steps).tolist() for index, found in positions.items()}


def assumed_events(model: IntModel) -> dict[int, list[int]]:
    """Events where none were measured: a tenth of the input and of every layer, in every step."""
    sizes = (model.inputs, *(layer.neurons for layer in model.layers))
    return {index: [round(DEFAULT_DENSITY * size)] * _ASSUMED_STEPS for index, size in enumerate(sizes)}


def cycles_per_step(plan: HardwarePlan, events: Events) -> float:
    """Mean cycles from the end of one step to the end of the next, at full rate, as the plan predicts them."""
    ends = predict_cycles(plan, events)
    return (ends[-1] - ends[0]) / (len(ends) - 1) if len(ends) > 1 else float(ends[0])
