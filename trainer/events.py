"""Spike sets from events; choosing and joining samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quant.errors import DataError
from quant.formats import IntArray
from quant.spikes import SpikeSet


def from_events(
    sample: IntArray, step: IntArray, channel: IntArray, *, channels: int, steps: IntArray, label: IntArray
) -> SpikeSet:
    """Samples from their events in any order; events that coincide become one spike.

    Args:
        sample, step, channel: `(E,)` integers, each event's sample (`0..S-1`), time step and channel.
        channels: number of channels.
        steps, label: `(S,)` integers, as in `SpikeSet`.

    Raises:
        DataError: if a step or channel is negative, or samples are too long.
        SpikeFileError: if an event lies beyond its sample's steps or the channels.
    """
    if min(step.min(initial=0), channel.min(initial=0)) < 0:
        raise DataError("an event has a negative step or channel; both count from 0")
    longest = int(max(steps.max(initial=1), step.max(initial=0) + 1))
    width = int(max(channels, channel.max(initial=0) + 1))
    if len(steps) * longest * width >= 2**63:
        raise DataError(f"a sample of {longest} steps is too long; cut it by max_steps or take longer steps")
    order = np.sort((sample.astype(np.int64) * longest + step) * width + channel)
    order = order[np.diff(order, prepend=-1) != 0]  # a tenth of the time of np.unique, which hashes
    sorted_sample = order // (longest * width)
    return SpikeSet(
        channels=channels,
        steps=steps.astype(np.int32),
        label=label.astype(np.int32),
        offset=np.searchsorted(sorted_sample, np.arange(len(steps) + 1)).astype(np.int64),
        step=(order // width % longest).astype(np.int32),
        channel=(order % width).astype(np.int32),
    )


def events_of(samples: SpikeSet, chosen: IntArray) -> IntArray:
    """Indices of the events of the chosen samples, one sample after the other."""
    counts = samples.offset[chosen + 1] - samples.offset[chosen]
    starts = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(samples.offset[chosen] - starts, counts)


def pick(samples: SpikeSet, chosen: IntArray) -> SpikeSet:
    """The chosen samples, in the order of `chosen` `(n,)`."""
    counts = samples.offset[chosen + 1] - samples.offset[chosen]
    offset = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    events = events_of(samples, chosen)
    return SpikeSet(
        channels=samples.channels,
        steps=samples.steps[chosen],
        label=samples.label[chosen],
        offset=offset,
        step=samples.step[events],
        channel=samples.channel[events],
    )


def join(sets: Sequence[SpikeSet]) -> SpikeSet:
    """All samples of several sets of the same channels, one set after the other."""
    ends = np.cumsum([int(part.offset[-1]) for part in sets])
    starts = np.concatenate([[0], ends[:-1]])
    return SpikeSet(
        channels=sets[0].channels,
        steps=np.concatenate([part.steps for part in sets]),
        label=np.concatenate([part.label for part in sets]),
        offset=np.concatenate([[0], *(part.offset[1:] + start for part, start in zip(sets, starts, strict=True))]),
        step=np.concatenate([part.step for part in sets]),
        channel=np.concatenate([part.channel for part in sets]),
    )
