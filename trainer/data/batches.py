"""Batches of spike trains for training and evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from quant.errors import DataError
from quant.files import memory_limit
from quant.formats import IntArray
from quant.spikes import SpikeSet
from trainer.augmentation import Augmentation, Events, augment, events_of_samples

if TYPE_CHECKING:
    from trainer.teachers import FloatArray, Judge

_CELL_BYTES = 4
_POOL = 16  # batches among which samples are sorted by length


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Several samples as one tensor.

    Attributes:
        inputs: float32 `(T, batch, channels)`, 0 or 1, T being the longest sample's steps.
        steps: int64 `(batch,)`, steps of each sample.
        labels: int64 `(batch,)`.
        weights: float32 `(batch,)`, what each sample's loss counts for; together 1.
        targets: float32 `(batch, classes)`, a teacher's probabilities for the samples, or None.
    """

    inputs: Tensor
    steps: Tensor
    labels: Tensor
    weights: Tensor
    targets: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return Batch(
            self.inputs.to(device),
            self.steps.to(device),
            self.labels.to(device),
            self.weights.to(device),
            None if self.targets is None else self.targets.to(device),
        )


def in_order(samples: SpikeSet, size: int) -> Iterator[Batch]:
    """All samples in their order, for evaluation."""
    for start in range(0, len(samples), size):
        yield gather(samples, np.arange(start, min(start + size, len(samples))))


def shuffled(
    samples: SpikeSet, size: int, draw: np.random.Generator, how: Augmentation, judge: Judge | None = None
) -> Iterator[Batch]:
    """All samples in a new random order and with new augmentation, for training.

    Samples of similar length go together, so that little of a batch is padding: the order is drawn, cut into pools of
    16 batches, each pool sorted by length, and the batches drawn again.
    """
    order = draw.permutation(len(samples))
    pools = (order[start : start + _POOL * size] for start in range(0, len(order), _POOL * size))
    ordered = np.concatenate([pool[np.argsort(samples.steps[pool], kind="stable")] for pool in pools])
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    for index in draw.permutation(len(batches)):
        events = augment(events_of_samples(samples, batches[index]), samples.channels, how, draw)
        targets = None if judge is None else judge(events)
        yield _batch(events, samples.label[batches[index]], samples.channels, targets)


def gather(samples: SpikeSet, chosen: IntArray) -> Batch:
    """The chosen samples as one batch."""
    return _batch(events_of_samples(samples, chosen), samples.label[chosen], samples.channels)


def dense(events: Events, channels: int) -> Tensor:
    """The spike trains of a batch, float32 `(T, batch, channels)`, 0 or 1.

    Raises:
        DataError: if the batch is too large.
    """
    size, longest = len(events.steps), int(events.steps.max())
    if longest * size * channels * _CELL_BYTES > memory_limit():
        raise DataError(
            f"a batch of {size} samples of up to {longest} steps and {channels} channels is too large: lower "
            "train.batch, or cut or pool steps and channels in data.bins"
        )
    inputs = torch.zeros(longest, size, channels)
    inputs[events.step, events.sample, events.channel] = 1.0
    return inputs


def _batch(events: Events, labels: IntArray, channels: int, targets: FloatArray | None = None) -> Batch:
    size = len(labels)
    return Batch(
        dense(events, channels),
        torch.from_numpy(events.steps),
        torch.from_numpy(labels.astype(np.int64)),
        torch.full((size,), 1 / size),
        None if targets is None else torch.from_numpy(targets.astype(np.float32)),
    )
