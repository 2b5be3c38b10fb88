"""Augmentation: samples as they might also have been recorded, drawn anew in every epoch, on the events themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from quant.errors import ConfigError
from quant.formats import IntArray
from quant.spikes import SpikeSet
from trainer.events import events_of
from trainer.schema import Range


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far samples are changed. Every amount is drawn per sample, uniformly from both directions.

    Attributes:
        drop_events: fraction of the events that is left out, each by itself.
        add_events: events that are added at random places, per channel and step.
        thin: up to this fraction more is left out, another one in every sample: a softer voice, a farther microphone.
        tilt: how much more of that at one end of the channels than in the middle, at most 1: another microphone.
        jitter_steps, jitter_channels: standard deviation by which each event is moved, by itself.
        time_shift: steps by which a sample starts later or earlier; what leaves the sample is lost.
        time_warp: by which part a sample is stretched or compressed in time; the number of steps follows.
        channel_shift: channels by which all events move together; what leaves the range is lost.
        channel_warp: by which part the channels are stretched or compressed: a longer or shorter vocal tract.
        mirror: channels in a row of an image; half of the samples are shown as in a mirror, each row's channels in
            reverse order; 0: none.
        drop_channels: fraction of the channels of a sample that is silenced, one block of neighbours.
        drop_steps: fraction of the steps of a sample that is silenced, one block of neighbours.
        mix: fraction of the samples that lose some of their events, another part in every one, and get such a part of
            another sample's instead, stretched to their length; only a teacher can say what they are.
    """

    drop_events: Annotated[float, Range(0.0, 0.9)] = 0.0
    add_events: Annotated[float, Range(0.0, 1.0)] = 0.0
    thin: Annotated[float, Range(0.0, 0.9)] = 0.0
    tilt: Annotated[float, Range(0.0, 1.0)] = 0.0
    jitter_steps: Annotated[float, Range(0.0, 1000.0)] = 0.0
    jitter_channels: Annotated[float, Range(0.0, 1000.0)] = 0.0
    time_shift: Annotated[int, Range(0, 10_000)] = 0
    time_warp: Annotated[float, Range(0.0, 0.9)] = 0.0
    channel_shift: Annotated[int, Range(0, 10_000)] = 0
    channel_warp: Annotated[float, Range(0.0, 0.9)] = 0.0
    mirror: Annotated[int, Range(0, 10_000)] = 0
    drop_channels: Annotated[float, Range(0.0, 0.9)] = 0.0
    drop_steps: Annotated[float, Range(0.0, 0.9)] = 0.0
    mix: Annotated[float, Range(0.0, 1.0)] = 0.0

    def __post_init__(self) -> None:
        if self.tilt and not self.thin:
            raise ConfigError("train.augment.tilt tilts what `thin` leaves out, which is 0; give both")


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """The events of a batch; `sample` says whose each is.

    Attributes:
        steps: int64 `(batch,)`, time steps of each sample.
        sample, step, channel: int64 `(E,)`.
    """

    steps: IntArray
    sample: IntArray
    step: IntArray
    channel: IntArray


def events_of_samples(samples: SpikeSet, chosen: IntArray) -> Events:
    """The events of the chosen samples."""
    counts = samples.offset[chosen + 1] - samples.offset[chosen]
    events = events_of(samples, chosen)
    return Events(
        samples.steps[chosen].astype(np.int64),
        np.repeat(np.arange(len(chosen)), counts),
        samples.step[events].astype(np.int64),
        samples.channel[events].astype(np.int64),
    )


def augment(events: Events, channels: int, how: Augmentation, draw: np.random.Generator) -> Events:
    """The events of the changed samples; two of them may coincide.

    Args:
        channels: number of input channels.
        draw: random numbers.
    """
    if how.mix:
        events = _mixed(events, how.mix, draw)
    batch = len(events.steps)
    either = draw.uniform(-1, 1, (5, batch))
    place = draw.random((3, batch))
    sample = events.sample
    step: np.ndarray = events.step
    channel: np.ndarray = events.channel
    lost: np.ndarray | float = 0.0
    if how.thin:
        ends = 1 + how.tilt * either[4][sample] * (2 * channel / max(1, channels - 1) - 1)
        lost = how.thin * place[2][sample] * ends
    kept = draw.random(len(step)) >= 1 - (1 - how.drop_events) * (1 - lost)
    stretch = 1 + how.time_warp * either[0]
    steps = np.maximum(1, np.rint(events.steps * stretch)).astype(np.int64)
    if how.time_warp or how.time_shift:
        step = np.floor(step * stretch[sample]) + np.rint(how.time_shift * either[1])[sample]
    if how.jitter_steps:
        step = np.rint(step + how.jitter_steps * draw.standard_normal(len(step)))
    if how.mirror:
        reverse = (draw.random(batch) < 0.5)[sample]
        channel = np.where(reverse, channel + how.mirror - 1 - 2 * (channel % how.mirror), channel)
    if how.channel_warp or how.channel_shift:
        middle = (channels - 1) / 2
        spread = 1 + how.channel_warp * either[2]
        channel = (channel - middle) * spread[sample] + middle + np.rint(how.channel_shift * either[3])[sample]
    if how.jitter_channels:
        channel = channel + how.jitter_channels * draw.standard_normal(len(channel))
    channel = np.rint(channel)
    kept &= (step >= 0) & (step < steps[sample]) & (channel >= 0) & (channel < channels)
    if how.drop_steps:
        kept &= ~_in_block(step, steps * how.drop_steps, steps, place[0], sample)
    if how.drop_channels:
        kept &= ~_in_block(channel, np.full(batch, channels * how.drop_channels), channels, place[1], sample)
    found = Events(steps, sample[kept], step[kept].astype(np.int64), channel[kept].astype(np.int64))
    return _with_noise(found, channels, how.add_events, draw) if how.add_events else found


def _mixed(events: Events, fraction: float, draw: np.random.Generator) -> Events:
    """A `fraction` of the samples keeps a share of the events and gets what is missing from another of the batch."""
    batch = len(events.steps)
    kept = np.where(draw.random(batch) < fraction, draw.random(batch), 1.0)
    to = draw.permutation(batch)[events.sample]
    stays = draw.random(len(to)) < kept[events.sample]
    goes = draw.random(len(to)) >= kept[to]
    stretched = events.step * events.steps[to] // events.steps[events.sample]
    return Events(
        events.steps,
        np.concatenate([events.sample[stays], to[goes]]),
        np.concatenate([events.step[stays], stretched[goes]]),
        np.concatenate([events.channel[stays], events.channel[goes]]),
    )


def _with_noise(events: Events, channels: int, rate: float, draw: np.random.Generator) -> Events:
    """As many events more as `rate` per channel and step, anywhere in their samples."""
    sample = np.repeat(np.arange(len(events.steps)), draw.poisson(rate * channels * events.steps))
    step = np.floor(draw.random(len(sample)) * events.steps[sample]).astype(np.int64)
    channel = draw.integers(0, channels, len(sample))
    return Events(
        events.steps,
        np.concatenate([events.sample, sample]),
        np.concatenate([events.step, step]),
        np.concatenate([events.channel, channel]),
    )


def _in_block(
    position: np.ndarray, length: np.ndarray, size: np.ndarray | int, place: np.ndarray, sample: IntArray
) -> np.ndarray:
    """Whether each event lies in its sample's silenced block: `length` long, anywhere in `size`."""
    start = np.floor(place * (size - length + 1))
    return (position >= start[sample]) & (position < (start + np.rint(length))[sample])
