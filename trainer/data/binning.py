"""Events into time steps and channels: the section `[data.bins]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from quant.errors import DataError
from quant.formats import IntArray
from quant.spikes import SpikeSet
from trainer.events import from_events
from trainer.schema import Range

Pool = Annotated[int, Range(1, 32768)]
MaxSteps = Annotated[int, Range(0, 2**20)]

_LONGEST_STEPS = 2**20


@dataclass(frozen=True, slots=True)
class TimeBins:
    """For events that have a time.

    Attributes:
        step_ms: length of a time step.
        pool: so many adjacent channels become one, which spikes if any of them does.
        max_steps: what comes later is cut off; 0 is no limit.
    """

    step_ms: Annotated[float, Range(0.001, 10_000.0)] = 10.0
    pool: Pool = 1
    max_steps: MaxSteps = 0

    def channels(self, given: int) -> int:
        """Number of channels that `given` ones become."""
        return -(-given // self.pool)

    def fill(
        self, sample: IntArray, time_s: npt.NDArray[np.floating], channel: IntArray, *, channels: int, label: IntArray
    ) -> SpikeSet:
        """Spike trains from events `(E,)` in any order; a sample ends with the step of its last event.

        Args:
            sample: each event's sample, an index into `label`.
            time_s: seconds from the start of the sample; step `n` holds times from `n * step_ms` on.
            channel: `0..channels-1`.
            channels: number of channels before pooling.
            label: `(S,)`.

        Raises:
            DataError: if a time is negative, not a number or beyond 2**20 steps, or a channel does not exist.
        """
        _check_events(sample, time_s, channel, channels)
        position = np.floor(time_s.astype(np.float64) * 1000 / self.step_ms)
        if not self.max_steps and position.max(initial=0) >= _LONGEST_STEPS:
            raise DataError(
                f"sample {sample[np.argmax(position)]} has an event at {time_s.max()} s, "
                f"beyond {_LONGEST_STEPS} steps; set data.bins.max_steps"
            )
        position = np.minimum(position, self.max_steps or _LONGEST_STEPS).astype(np.int64)
        steps = np.ones(len(label), dtype=np.int64)
        np.maximum.at(steps, sample, position + 1)
        return _pooled(sample, position, channel // self.pool, self.channels(channels), steps, label, self.max_steps)


@dataclass(frozen=True, slots=True)
class StepBins:
    """For spike trains that have time steps already.

    Attributes:
        pool_steps: so many adjacent steps become one, in which a channel spikes if it does in any of them.
        pool: so many adjacent channels become one, which spikes if any of them does.
        max_steps: of the result; what comes later is cut off; 0 is no limit.
    """

    pool_steps: Annotated[int, Range(1, 2**20)] = 1
    pool: Pool = 1
    max_steps: MaxSteps = 0

    def channels(self, given: int) -> int:
        """Number of channels that `given` ones become."""
        return -(-given // self.pool)

    def merge(self, samples: SpikeSet) -> SpikeSet:
        """The samples with their steps and channels pooled, then cut."""
        if self == StepBins():
            return samples
        sample = np.repeat(np.arange(len(samples)), np.diff(samples.offset))
        steps = -(-samples.steps.astype(np.int64) // self.pool_steps)
        channels = self.channels(samples.channels)
        step, channel = samples.step // self.pool_steps, samples.channel // self.pool
        return _pooled(sample, step, channel, channels, steps, samples.label, self.max_steps)


def _pooled(
    sample: IntArray,
    step: IntArray,
    channel: IntArray,
    channels: int,
    steps: IntArray,
    label: IntArray,
    max_steps: int,
) -> SpikeSet:
    if max_steps:
        kept = step < max_steps
        sample, step, channel = sample[kept], step[kept], channel[kept]
        steps = np.minimum(steps, max_steps)
    return from_events(sample, step, channel, channels=channels, steps=steps, label=label)


def _check_events(sample: IntArray, time_s: npt.NDArray[np.floating], channel: IntArray, channels: int) -> None:
    early = ~(np.isfinite(time_s) & (time_s >= 0))
    if early.any():
        first = int(np.argmax(early))
        raise DataError(f"sample {sample[first]} has an event at {time_s[first]} s; times are 0 or later")
    beyond = (channel < 0) | (channel >= channels)
    if beyond.any():
        first = int(np.argmax(beyond))
        raise DataError(f"sample {sample[first]} has an event on channel {channel[first]}; there are {channels}")
