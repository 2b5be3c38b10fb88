"""Pattern generation: frozen random spikes come in, sums of sines are to come out (Bellec et al. 2020, e-prop).

Made here, nothing is read. It is a task of memory, not of generalization: training, validation and test part are the
same few samples, as in the publications that use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from quant.spikes import SpikeSet, Split, from_dense
from trainer.schema import Range

_CYCLES = np.array([1, 2, 3, 5])  # of each sine per sample: Hz, where a sample is a second of 1,000 steps


@dataclass(frozen=True, slots=True)
class Patterns:
    """Options of the data set.

    Attributes:
        patterns: how many samples, each with a target of its own.
        steps: time steps of a sample; its target goes through 1, 2, 3 and 5 cycles of its sines in them.
        channels: input channels.
        rate: of their spikes, per step.
        seed: draws the spikes, and amplitudes and phases of the sines.
    """

    classes: ClassVar[tuple[str, ...]] = ("output",)

    patterns: Annotated[int, Range(1, 1000)] = 3
    steps: Annotated[int, Range(10, 100_000)] = 1000
    channels: Annotated[int, Range(1, 10_000)] = 100
    rate: Annotated[float, Range(0.0001, 1.0)] = 0.05
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1

    def load(self) -> Mapping[Split, SpikeSet]:
        """The same samples as all three parts."""
        draw = np.random.default_rng([self.seed, 0])
        dense = draw.random((self.steps, self.patterns, self.channels)) < self.rate
        samples = from_dense(dense, np.full(self.patterns, self.steps), np.arange(self.patterns))
        return {"train": samples, "validation": samples, "test": samples}

    def traces(self) -> npt.NDArray[np.float32]:
        """`(patterns, steps, 1)`: sums of sines of amplitudes 0.5 .. 2 and any phases, of largest magnitude 1."""
        draw = np.random.default_rng([self.seed, 1])
        amplitude = draw.uniform(0.5, 2, (self.patterns, 1, len(_CYCLES)))
        phase = draw.uniform(0, 2 * np.pi, amplitude.shape)
        angle = 2 * np.pi * _CYCLES * np.arange(self.steps)[:, None] / self.steps + phase
        sums = (amplitude * np.sin(angle)).sum(axis=2, keepdims=True)
        return (sums / np.abs(sums).max(axis=1, keepdims=True)).astype(np.float32)
