"""Events into time steps and channels: the section `[data.bins]`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from quant.errors import DataError
from quant.files import memory_limit
from quant.formats import IntArray
from quant.spikes import SpikeSet
from trainer.events import from_events, join
from trainer.schema import Range

_LONGEST_STEPS = 2**20
_AT_A_TIME = 256  # samples that are binned together, unless they have many events; bounds the memory
_EVENTS_AT_A_TIME = 1 << 21
SECONDS = 0.001  # of which make a millisecond
_TICK_BYTES = 64  # what a spike of the clock takes while it is put among the others


@dataclass(frozen=True, slots=True, eq=False)
class TimedSample:
    """One sample before it is binned.

    Attributes:
        time: number `(E,)`, from the start of the sample on, in the unit that `collect` is told.
        channel: integer `(E,)`.
        label: its class.
    """

    time: npt.NDArray[np.number]
    channel: npt.NDArray[np.integer]
    label: int


@dataclass(frozen=True, slots=True)
class _Bins:
    """What both kinds of bins share.

    Attributes:
        pool: adjacent channels that become one; it spikes if any of them does.
        max_steps: of the result; later steps are cut off; 0: no limit.
        clock: number of channels that encode the time since the sample began: the first spikes in each of the first
            `clock_steps` steps, the second in each of the next `clock_steps`, and so on; the last spikes to the end.
        clock_steps: of each of these channels.
    """

    pool: Annotated[int, Range(1, 32768)] = 1
    max_steps: Annotated[int, Range(0, 2**20)] = 0
    clock: Annotated[int, Range(0, 1024)] = 0
    clock_steps: Annotated[int, Range(1, 2**20)] = 1

    def channels(self, given: int) -> int:
        """Number of channels after pooling `given` channels."""
        return -(-given // self.pool) + self.clock


@dataclass(frozen=True, slots=True)
class TimeBins(_Bins):
    """For events that have a time.

    Attributes:
        step_ms: length of a time step, in milliseconds.
    """

    step_ms: Annotated[float, Range(0.001, 10_000.0)] = 10.0

    def fill(
        self,
        sample: IntArray,
        time: npt.NDArray[np.number],
        channel: IntArray,
        *,
        channels: int,
        label: IntArray,
        first: int = 0,
        per_ms: float = SECONDS,
    ) -> SpikeSet:
        """Spike trains from events `(E,)` in any order; a sample ends with the step of its last event.

        Args:
            sample: each event's sample, an index into `label`.
            time: from the start of the sample on; step `n` holds times from `n * step_ms` on.
            channel: `0..channels-1`.
            channels: number of channels before pooling.
            label: `(S,)`.
            first: what messages call the first sample.
            per_ms: how many units of `time` make a millisecond.

        Raises:
            DataError: if a time is negative, not a number or beyond 2**20 steps, or a channel does not exist.
        """
        _check_events(sample + first, time, channel, channels)
        # Whole times divide exactly by steps that are whole in their unit; in seconds, one in a hundred would not.
        position = np.floor(time.astype(np.float64) * max(1.0, 1 / per_ms) / (self.step_ms * max(1.0, per_ms)))
        if not self.max_steps and position.max(initial=0) >= _LONGEST_STEPS:
            raise DataError(
                f"sample {first + sample[np.argmax(position)]} has an event at {time.max() / per_ms:g} ms, "
                f"beyond {_LONGEST_STEPS} steps; set data.bins.max_steps"
            )
        position = np.minimum(position, self.max_steps or _LONGEST_STEPS).astype(np.int64)
        steps = np.ones(len(label), dtype=np.int64)
        np.maximum.at(steps, sample, position + 1)
        return _pooled(self, sample, position, channel // self.pool, self.channels(channels), steps, label)


@dataclass(frozen=True, slots=True)
class StepBins(_Bins):
    """For spike trains that have time steps already.

    Attributes:
        pool_steps: adjacent time steps that become one.
    """

    pool_steps: Annotated[int, Range(1, 2**20)] = 1

    def merge(self, samples: SpikeSet) -> SpikeSet:
        """The samples with their steps and channels pooled, then cut."""
        if self == StepBins():
            return samples
        sample = np.repeat(np.arange(len(samples)), np.diff(samples.offset))
        steps = -(-samples.steps.astype(np.int64) // self.pool_steps)
        step, channel = samples.step // self.pool_steps, samples.channel // self.pool
        return _pooled(self, sample, step, channel, self.channels(samples.channels), steps, samples.label)


def _pooled(
    bins: _Bins, sample: IntArray, step: IntArray, channel: IntArray, channels: int, steps: IntArray, label: IntArray
) -> SpikeSet:
    """Events pooled and cut after `max_steps`, with those of the clock, whose channels are the last."""
    if bins.max_steps:
        kept = step < bins.max_steps
        sample, step, channel = sample[kept], step[kept], channel[kept]
        steps = np.minimum(steps, bins.max_steps)
    if bins.clock:
        most = memory_limit() // _TICK_BYTES
        if steps.sum() > most:
            raise DataError(
                f"{len(steps)} samples have {steps.sum()} steps, each with a spike of the clock; "
                f"the limit on this machine is {most}, set data.bins.max_steps"
            )
        ticking = np.repeat(np.arange(len(steps)), steps)
        tick = np.arange(len(ticking)) - np.repeat(np.cumsum(steps) - steps, steps)
        hand = channels - bins.clock + np.minimum(tick // bins.clock_steps, bins.clock - 1)
        sample, step = np.concatenate([sample, ticking]), np.concatenate([step, tick])
        channel = np.concatenate([channel, hand])
    return from_events(sample, step, channel, channels=channels, steps=steps, label=label)


def collect(
    where: Path, samples: Iterable[TimedSample], bins: TimeBins, *, channels: int, per_ms: float = SECONDS
) -> SpikeSet:
    """Spike trains of the samples of the file `where`, binned as by `TimeBins.fill` in batches; there is at least one.

    Raises:
        DataError: as there.
    """
    parts, start = [], 0
    for batch in _batched(samples):
        counts = [len(one.time) for one in batch]
        try:
            part = bins.fill(
                np.repeat(np.arange(len(batch)), counts),
                np.concatenate([one.time for one in batch]),
                np.concatenate([one.channel.astype(np.int64) for one in batch]),
                channels=channels,
                label=np.array([one.label for one in batch]),
                first=start,
                per_ms=per_ms,
            )
        except DataError as error:
            raise DataError(f"{where}: {error}") from None
        parts.append(part)
        start += len(batch)
    return join(parts)


def _batched(samples: Iterable[TimedSample]) -> Iterator[list[TimedSample]]:
    batch: list[TimedSample] = []
    events = 0
    for one in samples:
        batch.append(one)
        events += len(one.time)
        if len(batch) >= _AT_A_TIME or events >= _EVENTS_AT_A_TIME:
            yield batch
            batch, events = [], 0
    if batch:
        yield batch


def _check_events(sample: IntArray, time: npt.NDArray[np.number], channel: IntArray, channels: int) -> None:
    early = ~(np.isfinite(time) & (time >= 0))
    if early.any():
        first = int(np.argmax(early))
        raise DataError(f"sample {sample[first]} has an event at time {time[first]}; times are 0 or later")
    beyond = (channel < 0) | (channel >= channels)
    if beyond.any():
        first = int(np.argmax(beyond))
        raise DataError(f"sample {sample[first]} has an event on channel {channel[first]}; there are {channels}")
