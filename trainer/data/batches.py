"""Batches of spike trains for training and evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from quant.formats import IntArray
from quant.spikes import SpikeSet


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Samples side by side.

    Attributes:
        inputs: float32 `(T, batch, channels)`, 0 or 1, T being the longest sample's steps.
        steps: int64 `(batch,)`, steps of each sample.
        labels: int64 `(batch,)`.
    """

    inputs: Tensor
    steps: Tensor
    labels: Tensor


def in_order(samples: SpikeSet, size: int) -> Iterator[Batch]:
    """All samples as they come, for evaluation."""
    for start in range(0, len(samples), size):
        yield gather(samples, np.arange(start, min(start + size, len(samples))))


def shuffled(samples: SpikeSet, size: int, draw: np.random.Generator, drop_events: float) -> Iterator[Batch]:
    """All samples in an order drawn anew, each event left out with probability `drop_events`, for training."""
    order = draw.permutation(len(samples))
    for start in range(0, len(samples), size):
        batch = gather(samples, order[start : start + size])
        if drop_events:
            kept = torch.from_numpy(draw.random(batch.inputs.shape, dtype=np.float32) >= drop_events)
            batch = Batch(batch.inputs * kept, batch.steps, batch.labels)
        yield batch


def gather(samples: SpikeSet, chosen: IntArray) -> Batch:
    """The chosen samples as one batch."""
    counts = samples.offset[chosen + 1] - samples.offset[chosen]
    position = np.repeat(np.arange(len(chosen)), counts)
    # Event number e of the batch is event `e - (events of the samples before it)` of its own sample.
    events = np.arange(len(position)) + np.repeat(samples.offset[chosen] - (np.cumsum(counts) - counts), counts)
    steps = samples.steps[chosen]
    inputs = torch.zeros(int(steps.max()), len(chosen), samples.channels)
    inputs[samples.step[events], position, samples.channel[events]] = 1.0
    return Batch(
        inputs, torch.from_numpy(steps.astype(np.int64)), torch.from_numpy(samples.label[chosen].astype(np.int64))
    )
