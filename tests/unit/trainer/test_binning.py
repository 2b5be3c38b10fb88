"""Events into steps and channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from quant.errors import DataError
from quant.spikes import SpikeSet, from_dense
from trainer.data import binning
from trainer.data.binning import StepBins, TimeBins, TimedSample, collect


def some_events() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    return draw.integers(0, 4, 300), draw.uniform(0, 0.25, 300), draw.integers(0, 30, 300)


def spikes_of(samples: SpikeSet) -> set[tuple[int, int, int]]:
    sample = np.repeat(np.arange(len(samples)), np.diff(samples.offset))
    return set(zip(sample.tolist(), samples.step.tolist(), samples.channel.tolist(), strict=True))


@pytest.mark.parametrize("pool", [1, 4])
@pytest.mark.parametrize("max_steps", [0, 15])
def test_events_fall_where_their_time_and_channel_say(pool: int, max_steps: int) -> None:
    sample, time_s, channel = some_events()
    bins = TimeBins(step_ms=8.0, pool=pool, max_steps=max_steps)
    label = np.array([3, 1, 2, 0])
    found = bins.fill(sample, time_s, channel, channels=30, label=label)
    naive = {(s, int(t * 1000 // 8), c // pool) for s, t, c in zip(*(a.tolist() for a in some_events()), strict=True)}
    naive = {event for event in naive if not max_steps or event[1] < max_steps}
    assert len(naive) > 80
    assert spikes_of(found) == naive
    assert found.channels == bins.channels(30) == {1: 30, 4: 8}[pool]
    last = [max(step for s, step, _ in naive if s == number) for number in range(4)]
    np.testing.assert_array_equal(found.label, label)
    if max_steps:
        np.testing.assert_array_equal(found.steps, 15)
    else:
        np.testing.assert_array_equal(found.steps, np.add(last, 1))


def test_a_sample_without_events_has_one_step() -> None:
    found = TimeBins().fill(np.array([1]), np.array([0.02]), np.array([0]), channels=2, label=np.zeros(3, dtype=int))
    np.testing.assert_array_equal(found.steps, [1, 3, 1])
    np.testing.assert_array_equal(found.offset, [0, 0, 1, 1])


@pytest.mark.parametrize(
    ("time_s", "channel", "message"),
    [
        (-0.1, 0, "sample 1 has an event at time -0.1"),
        (np.nan, 0, "an event at time nan"),
        (np.inf, 0, "an event at time inf"),
        (1e9, 0, "set data.bins.max_steps"),
        (0.1, 30, "an event on channel 30; there are 30"),
        (0.1, -1, "an event on channel -1"),
    ],
)
def test_impossible_events_are_refused(time_s: float, channel: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TimeBins().fill(
            np.array([0, 1]), np.array([0.1, time_s]), np.array([0, channel]), channels=30, label=np.array([0, 0])
        )


def test_a_late_event_is_cut_where_there_is_a_limit() -> None:
    bins = TimeBins(max_steps=5)
    found = bins.fill(np.array([0, 0]), np.array([0.01, 1e9]), np.array([0, 1]), channels=2, label=np.array([0]))
    assert spikes_of(found) == {(0, 1, 0)}


def samples() -> SpikeSet:
    steps = np.array([23, 8, 15])
    dense = np.random.default_rng(4).random((23, 3, 10)) < 0.1
    return from_dense(dense & (np.arange(23)[:, None, None] < steps[:, None]), steps, np.array([2, 0, 1]))


@pytest.mark.parametrize(("pool_steps", "pool", "max_steps"), [(4, 1, 0), (1, 3, 0), (5, 4, 3), (1, 1, 10)])
def test_pooled_spikes_are_any_of_the_pool(pool_steps: int, pool: int, max_steps: int) -> None:
    given = samples()
    bins = StepBins(pool_steps=pool_steps, pool=pool, max_steps=max_steps)
    found = bins.merge(given)
    naive = {(s, t // pool_steps, c // pool) for s, t, c in spikes_of(given)}
    naive = {event for event in naive if not max_steps or event[1] < max_steps}
    assert len(naive) > 8
    assert spikes_of(found) == naive
    assert found.channels == -(-10 // pool)
    steps = [-(-count // pool_steps) for count in (23, 8, 15)]
    np.testing.assert_array_equal(found.steps, [min(count, max_steps or count) for count in steps])
    np.testing.assert_array_equal(found.label, given.label)


def test_without_options_nothing_changes() -> None:
    given = samples()
    assert StepBins().merge(given) is given


@pytest.mark.parametrize("kind", ["steps", "time"])
def test_a_clock_tells_the_time_since_the_sample_began(kind: str) -> None:
    given = samples()
    if kind == "steps":
        found = StepBins(pool=3, max_steps=20, clock=3, clock_steps=4).merge(given)
    else:
        sample = np.repeat(np.arange(3), np.diff(given.offset))
        bins = TimeBins(step_ms=2.0, pool=3, max_steps=20, clock=3, clock_steps=4)
        found = bins.fill(sample, given.step * 0.002 + 0.001, given.channel, channels=10, label=given.label)
    heard = {event for event in spikes_of(found) if event[2] < 4}
    assert heard == {(s, t, c // 3) for s, t, c in spikes_of(given) if t < 20}
    assert found.channels == 7
    assert found.steps.max() == 20
    clock = {(s, t, 4 + min(t // 4, 2)) for s in range(3) for t in range(found.steps[s])}
    assert spikes_of(found) - heard == clock


@pytest.mark.parametrize(("samples", "events"), [(1, 1 << 21), (3, 1 << 21), (256, 1), (256, 150), (256, 1 << 21)])
def test_samples_that_come_one_by_one_are_binned_alike(
    samples: int, events: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binning, "_AT_A_TIME", samples)
    monkeypatch.setattr(binning, "_EVENTS_AT_A_TIME", events)
    sample, time_s, channel = some_events()
    label = np.array([3, 1, 2, 0])
    bins = TimeBins(step_ms=8.0, clock=3)
    wanted = bins.fill(sample, time_s, channel, channels=30, label=label)
    each = [TimedSample(time_s[sample == number], channel[sample == number], label[number]) for number in range(4)]
    found = collect(Path("file"), each, bins, channels=30)
    assert len(spikes_of(wanted)) > 200
    assert spikes_of(found) == spikes_of(wanted)
    np.testing.assert_array_equal(found.label, label)
    each[2].channel[5] = 30
    with pytest.raises(DataError, match="file: sample 2 has an event on channel 30; there are 30"):
        collect(Path("file"), each, bins, channels=30)


def test_a_clock_of_too_many_steps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binning, "memory_limit", lambda: 1 << 26)
    none = np.empty(0, dtype=np.int64)
    late = {"sample": np.arange(10), "time": np.full(10, 10_000.0), "channel": np.zeros(10, np.int64)}
    assert len(TimeBins().fill(**late, channels=3, label=np.zeros(10)).step) == 10
    with pytest.raises(
        DataError,
        match=r"10 samples have 10000010 steps, each with a spike of the clock; the limit on this machine is 1048576",
    ):
        TimeBins(clock=1).fill(**late, channels=3, label=np.zeros(10))
    assert len(TimeBins(clock=1).fill(none, none.astype(float), none, channels=3, label=np.zeros(10)).step) == 10
