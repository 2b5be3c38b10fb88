"""Changed samples: what each option does, alone, to known events."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.augmentation import Augmentation, Events, augment

CHANNELS = 40


def events(samples: int = 50) -> Events:
    """Samples of 100 steps with an event in every fifth step, on channel 20."""
    step = np.arange(0, 100, 5)
    return Events(
        steps=np.full(samples, 100),
        sample=np.repeat(np.arange(samples), len(step)),
        step=np.tile(step, samples),
        channel=np.full(samples * len(step), 20),
    )


def changed(how: Augmentation, seed: int = 1) -> Events:
    return augment(events(), CHANNELS, how, np.random.default_rng(seed))


def of_sample(found: Events, name: str) -> list[np.ndarray]:
    return [getattr(found, name)[found.sample == sample] for sample in range(len(found.steps))]


def test_nothing_asked_nothing_changed() -> None:
    given, found = events(), changed(Augmentation())
    for name in ("steps", "sample", "step", "channel"):
        np.testing.assert_array_equal(getattr(found, name), getattr(given, name))


@pytest.mark.parametrize("option", ["drop_events", "time_warp", "channel_warp", "drop_channels", "drop_steps"])
def test_the_seed_decides(option: str) -> None:
    how = Augmentation(**{option: 0.4}, channel_shift=3)
    np.testing.assert_array_equal(changed(how).step, changed(how).step)
    np.testing.assert_array_equal(changed(how).channel, changed(how).channel)
    assert len(changed(how).channel) > 0


def test_events_are_dropped_one_by_one() -> None:
    assert len(changed(Augmentation(drop_events=0.3)).step) / len(events().step) == pytest.approx(0.7, abs=0.05)


def test_events_are_added_anywhere() -> None:
    found = changed(Augmentation(add_events=0.05))
    added = len(found.step) - len(events().step)
    assert added / (50 * 100 * CHANNELS) == pytest.approx(0.05, abs=0.003)
    assert (found.step < found.steps[found.sample]).all()
    assert np.bincount(found.channel[-added:], minlength=CHANNELS).min() > 150
    assert np.bincount(found.step[-added:], minlength=100).min() > 60


def test_mixed_samples_share_their_events() -> None:
    """Sample `i` has its events on channel `i`; its partner's come in at the same part of its length."""
    given = events(40)
    own = Events(np.where(np.arange(40) % 2, 100, 200), given.sample, given.step, given.sample)
    found = augment(own, CHANNELS, Augmentation(mix=0.5), np.random.default_rng(1))
    assert found.steps.tolist() == own.steps.tolist()
    strange = 0
    for sample in range(40):
        channel, step = found.channel[found.sample == sample], found.step[found.sample == sample]
        others = np.setdiff1d(channel, sample)
        assert len(others) <= 1
        assert 8 <= len(channel) <= 32
        strange += len(others)
        for other in others:
            assert np.isin(step[channel == other], np.arange(0, 100, 5) * own.steps[sample] // own.steps[other]).all()
    assert 12 <= strange <= 28


def test_samples_are_thinned_each_by_its_own_fraction() -> None:
    kept = np.bincount(changed(Augmentation(thin=0.8)).sample, minlength=50) / 20
    assert kept.mean() == pytest.approx(0.6, abs=0.08)
    assert kept.min() < 0.4
    assert kept.max() > 0.9


def test_a_tilt_thins_one_end_of_the_channels_more() -> None:
    every = Events(np.array([500]), np.zeros(20000, int), np.arange(20000) // 40, np.arange(20000) % CHANNELS)
    slopes = []
    for seed in range(10):
        found = augment(every, CHANNELS, Augmentation(thin=0.8, tilt=1.0), np.random.default_rng(seed))
        kept = np.bincount(found.channel, minlength=CHANNELS) / 500
        slopes.append(kept[-5:].mean() - kept[:5].mean())
        assert kept[18:22].mean() == pytest.approx(kept.mean(), abs=0.05)
    assert min(slopes) < -0.1
    assert max(slopes) > 0.1


def test_jitter_moves_each_event_by_itself() -> None:
    found = changed(Augmentation(jitter_steps=2.0, jitter_channels=3.0))
    assert found.channel.std() == pytest.approx(3.0, rel=0.1)
    assert abs(found.channel.mean() - 20) < 0.5
    assert {len(np.unique(channels)) > 5 for channels in of_sample(found, "channel")} == {True}
    one = augment(
        Events(np.full(500, 100), np.arange(500), np.full(500, 50), np.full(500, 20)),
        CHANNELS,
        Augmentation(jitter_steps=2.0),
        np.random.default_rng(1),
    )
    assert one.step.std() == pytest.approx(2.0, rel=0.15)
    assert (one.channel == 20).all()


def test_a_shift_moves_all_events_of_a_sample_alike() -> None:
    found = changed(Augmentation(time_shift=10))
    assert all((np.diff(steps) == 5).all() for steps in of_sample(found, "step"))
    first = {int(steps[0]) for steps in of_sample(found, "step")}
    assert len(first) > 6
    assert max(first) <= 10
    assert (found.steps == 100).all()


def test_a_warp_stretches_the_sample_and_its_length() -> None:
    found = changed(Augmentation(time_warp=0.5))
    assert found.steps.min() < 60
    assert found.steps.max() > 140
    for steps, length in zip(of_sample(found, "step"), found.steps, strict=True):
        assert len(steps) == 20
        assert steps[-1] == pytest.approx(0.95 * length, abs=1.5)
        assert steps[-1] < length


def test_channels_move_together_and_leave_at_the_edge() -> None:
    found = changed(Augmentation(channel_shift=30))
    used = [np.unique(channels) for channels in of_sample(found, "channel")]
    assert all(len(channels) <= 1 for channels in used)
    assert 0 < sum(len(channels) == 0 for channels in used) < 40
    assert found.channel.min() >= 0
    assert found.channel.max() < CHANNELS


def test_half_of_the_samples_are_mirrored_row_by_row() -> None:
    channel = np.array([0, 3, 9, 10, 25, 39])
    given = Events(np.full(400, 5), np.repeat(np.arange(400), 6), np.zeros(2400, int), np.tile(channel, 400))
    found = augment(given, CHANNELS, Augmentation(mirror=10), np.random.default_rng(1)).channel.reshape(400, 6)
    mirrored = (found != channel).any(axis=1)
    assert np.mean(mirrored) == pytest.approx(0.5, abs=0.1)
    np.testing.assert_array_equal(found[mirrored], np.tile([9, 6, 0, 19, 24, 30], (mirrored.sum(), 1)))


def test_a_channel_warp_keeps_the_middle() -> None:
    wide = Events(np.array([1]), np.zeros(3, int), np.zeros(3, int), np.array([0, 20, 39]))
    found = [augment(wide, CHANNELS, Augmentation(channel_warp=0.5), np.random.default_rng(seed)) for seed in range(30)]
    kept = [one.channel.tolist() for one in found]
    assert all(19 <= channels[len(channels) // 2] <= 21 for channels in kept)
    assert {len(channels) for channels in kept} == {1, 3}


@pytest.mark.parametrize(
    ("option", "name", "size"), [("drop_steps", "step", 100), ("drop_channels", "channel", CHANNELS)]
)
def test_a_block_of_neighbours_falls_silent(option: str, name: str, size: int) -> None:
    every = Events(np.array([100]), np.zeros(size, int), np.arange(size) % 100, np.arange(size) % CHANNELS)
    for seed in range(20):
        found = augment(every, CHANNELS, Augmentation(**{option: 0.25}), np.random.default_rng(seed))
        gone = np.setdiff1d(np.arange(size), getattr(found, name))
        assert len(gone) == size // 4
        assert (np.diff(gone) == 1).all()
