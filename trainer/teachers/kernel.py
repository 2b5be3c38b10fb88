"""Kernel ridge regression on a sample's pattern of spike counts.

A kernel machine on smoothed counts is right about an unknown speaker more often than a network trained on labels, but
is no network of spiking neurons. What makes it so is how it goes on between and beyond its samples, and that it can be
asked for: it judges changed and mixed samples, as they come, where labels say nothing new or nothing at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from quant.errors import DataError
from quant.files import memory_limit
from quant.spikes import SpikeSet
from trainer.augmentation import Events, events_of_samples
from trainer.schema import Range
from trainer.teachers.teacher import FloatArray, Judge

if TYPE_CHECKING:
    from trainer.config import Config

_PAIR_BYTES = 24  # three matrices have the square of the samples while the teacher is fitted
_SMALL = 1e-9


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel machine that is fitted to the training samples.

    Attributes:
        sharpness: its scores, about 1 for the class and 0 for the others, are multiplied by this before the softmax
            that the network is to imitate; 0: no teacher.
        parts: equal parts of a sample's duration, each with its own counts.
        smoothing: standard deviation of the Gaussian that blurs the counts over the channels, in channels.
        narrowness: of the kernel `exp(-narrowness * distance**2)`; patterns of counts have length 1.
        ridge: what is added to the kernel's diagonal: how little the teacher trusts a single sample.
    """

    sharpness: Annotated[float, Range(0.0, 1000.0)] = 0.0
    parts: Annotated[int, Range(1, 1000)] = 5
    smoothing: Annotated[float, Range(0.0, 1000.0)] = 1.5
    narrowness: Annotated[float, Range(1e-6, 1e6)] = 10.0
    ridge: Annotated[float, Range(1e-6, 1e6)] = 0.03

    def prepared(self, samples: SpikeSet, config: Config, device: torch.device) -> Judge:
        """Fitted to the samples."""
        return Fitted(samples, len(config.data.classes), self)


class Fitted:
    """The machine after it has seen the training samples."""

    def __init__(self, samples: SpikeSet, classes: int, how: Kernel) -> None:
        most = math.isqrt(memory_limit() // _PAIR_BYTES)
        if len(samples) > most:
            raise DataError(
                f"train.teacher compares all training samples with each other, {most} at most on this machine, "
                f"and there are {len(samples)}; leave it out"
            )
        self._channels, self._how = samples.channels, how
        self._known = self._pattern(events_of_samples(samples, np.arange(len(samples))))
        rights = np.eye(classes)[samples.label]
        self._mean = rights.mean(axis=0)
        kernel = self._kernel(self._known) + how.ridge * np.eye(len(samples))
        self._factors = np.linalg.solve(kernel, rights - self._mean)

    def __call__(self, events: Events) -> FloatArray:
        """`(batch, classes)`, the probabilities it gives the classes."""
        scores = self._how.sharpness * (self._kernel(self._pattern(events)) @ self._factors + self._mean)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def _kernel(self, patterns: FloatArray) -> FloatArray:
        """`(batch, samples)`, how near the patterns are to the known ones: between two of length 1, the squared
        distance is `2 - 2 cos`."""
        return np.asarray(np.exp(2 * self._how.narrowness * (patterns @ self._known.T - 1)))

    def _pattern(self, events: Events) -> FloatArray:
        """`(batch, parts * channels)`: each event counts for the two parts whose middles it lies between."""
        parts, batch = self._how.parts, len(events.steps)
        position = (events.step + 0.5) / events.steps[events.sample] * parts - 0.5
        position = position.clip(0, parts - 1)
        before = np.floor(position).astype(np.int64)
        counts = np.zeros(batch * parts * self._channels)
        for part, share in ((before, 1 - (position - before)), (np.minimum(before + 1, parts - 1), position - before)):
            counts += np.bincount((events.sample * parts + part) * self._channels + events.channel, share, len(counts))
        blurred = counts.reshape(batch, parts, self._channels)
        if self._how.smoothing:
            blurred = gaussian_filter1d(blurred, self._how.smoothing, axis=2, mode="nearest")
        flat = blurred.reshape(batch, -1)
        return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + _SMALL))
