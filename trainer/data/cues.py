"""Cue accumulation: were there more cues on the left or on the right? (Bellec et al. 2020, e-prop.)

Made here, nothing is read. A sample is a series of cues, a pause, and a signal to answer. Four groups of channels
spike: for cues on the left, for cues on the right, for the signal, and all the time, as noise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt

from quant.errors import ConfigError
from quant.formats import IntArray
from quant.spikes import SPLITS, SpikeSet, Split, from_dense
from trainer.schema import Range

_GROUPS = 4
_MAJORITY = 0.7  # how likely a cue is on the side that prevails


@dataclass(frozen=True, slots=True)
class Cues:
    """Options of the data set, in steps of a millisecond.

    Attributes:
        cues: how many; an odd number, so that one side has more.
        cue: steps of one.
        interval: steps from one to the next.
        pause: steps between the last interval and the signal.
        signal: steps of the signal, at the end.
        group: channels of each of the four groups.
        rate: of a group's spikes, per step; noise has a quarter of it.
        train, validation, test: samples per split.
        seed: draws everything.
    """

    classes: ClassVar[tuple[str, ...]] = ("left", "right")

    cues: Annotated[int, Range(1, 99)] = 7
    cue: Annotated[int, Range(1, 10_000)] = 100
    interval: Annotated[int, Range(1, 10_000)] = 150
    pause: Annotated[int, Range(0, 100_000)] = 1050
    signal: Annotated[int, Range(1, 10_000)] = 150
    group: Annotated[int, Range(1, 1000)] = 10
    rate: Annotated[float, Range(0.0001, 1.0)] = 0.04
    train: Annotated[int, Range(1, 100_000)] = 640
    validation: Annotated[int, Range(1, 100_000)] = 128
    test: Annotated[int, Range(1, 100_000)] = 512
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1

    def __post_init__(self) -> None:
        if self.cues % 2 == 0:
            raise ConfigError(f"data.cues is {self.cues}; an even number can be a tie: take an odd one")
        if self.cue > self.interval:
            raise ConfigError(f"data.cue is {self.cue}, data.interval {self.interval}; a cue ends before the next")

    @property
    def channels(self) -> int:
        return _GROUPS * self.group

    def load(self) -> Mapping[Split, SpikeSet]:
        """The three parts, drawn one after another."""
        draw = np.random.default_rng(self.seed)
        sizes = {"train": self.train, "validation": self.validation, "test": self.test}
        return {split: self._draw(sizes[split], draw) for split in SPLITS}

    def _draw(self, samples: int, draw: np.random.Generator) -> SpikeSet:
        prevails = draw.integers(2, size=(samples, 1))
        sides = np.where(draw.random((samples, self.cues)) < _MAJORITY, prevails, 1 - prevails)
        events = np.zeros((self._end + self.signal, samples, self.channels), dtype=np.bool_)
        for number, side in enumerate(sides):  # one after another: rates and draws of all would take gigabytes
            events[:, number] = draw.random((len(events), self.channels)) < self._rates(side)
        label = (sides.sum(axis=1) > self.cues // 2).astype(np.int64)
        return from_dense(events, np.full(samples, len(events)), label)

    @property
    def _end(self) -> int:
        """The step in which the signal begins."""
        return self.cues * self.interval + self.pause

    def _rates(self, sides: IntArray) -> npt.NDArray[np.float64]:
        """Of every step and channel, given the side of each cue."""
        rates = np.zeros((self._end + self.signal, _GROUPS))
        for number, side in enumerate(sides):
            first = number * self.interval
            rates[first : first + self.cue, side] = self.rate
        rates[self._end :, 2] = self.rate
        rates[:, 3] = self.rate / 4
        return rates.repeat(self.group, axis=1)
