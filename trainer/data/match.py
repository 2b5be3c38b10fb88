"""Delayed match to sample: is the second cue the same as the first, which was seen a while ago?

The classic test of working memory. Made here, nothing is read. A sample is a cue, a pause of random length with only
noise, and another cue. Each kind of cue has a group of channels of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from quant.errors import ConfigError
from quant.spikes import SPLITS, SpikeSet, Split
from trainer.events import from_events
from trainer.schema import Range


@dataclass(frozen=True, slots=True)
class DelayedMatch:
    """Options of the data set.

    Attributes:
        kinds: of cues.
        group: channels of each kind.
        cue: steps of one.
        shortest, longest: the pause, in steps; every length between them is as likely.
        rate: of the spikes of a cue's group, per step.
        noise: of the spikes of all others, and of all between the cues, per step; less than `rate`.
        train, validation, test: samples per split.
        seed: draws everything.
    """

    classes: ClassVar[tuple[str, ...]] = ("different", "same")

    kinds: Annotated[int, Range(2, 1000)] = 4
    group: Annotated[int, Range(1, 1000)] = 8
    cue: Annotated[int, Range(1, 10_000)] = 20
    shortest: Annotated[int, Range(0, 100_000)] = 20
    longest: Annotated[int, Range(0, 100_000)] = 80
    rate: Annotated[float, Range(0.0001, 1.0)] = 0.2
    noise: Annotated[float, Range(0.0, 1.0)] = 0.01
    train: Annotated[int, Range(1, 100_000)] = 4000
    validation: Annotated[int, Range(1, 100_000)] = 500
    test: Annotated[int, Range(1, 100_000)] = 2000
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1

    def __post_init__(self) -> None:
        if self.shortest > self.longest:
            raise ConfigError(f"data.shortest is {self.shortest}, data.longest {self.longest}; swap them")
        if self.noise >= self.rate:
            raise ConfigError(f"data.noise is {self.noise}, data.rate {self.rate}; cues must be louder than noise")

    @property
    def channels(self) -> int:
        return self.kinds * self.group

    def load(self) -> Mapping[Split, SpikeSet]:
        """The three parts, drawn one after another."""
        draw = np.random.default_rng(self.seed)
        sizes = {"train": self.train, "validation": self.validation, "test": self.test}
        return {split: self._draw(sizes[split], draw) for split in SPLITS}

    def _draw(self, samples: int, draw: np.random.Generator) -> SpikeSet:
        label = draw.integers(2, size=samples)
        first = draw.integers(self.kinds, size=samples)
        second = np.where(label, first, (first + draw.integers(1, self.kinds, size=samples)) % self.kinds)
        pause = draw.integers(self.shortest, self.longest, size=samples, endpoint=True)
        steps = 2 * self.cue + pause
        found = []
        for number, (begin, end) in enumerate(zip(first, second, strict=True)):
            rates = np.full((steps[number], self.kinds), self.noise)
            rates[: self.cue, begin] = rates[-self.cue :, end] = self.rate
            rates = rates.repeat(self.group, axis=1)
            step, channel = np.nonzero(draw.random(rates.shape) < rates)
            found.append(np.stack([np.full_like(step, number), step, channel]))
        return from_events(*np.concatenate(found, axis=1), channels=self.channels, steps=steps, label=label)
