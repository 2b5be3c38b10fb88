"""Delayed match to sample: the label says whether both cues are of one kind, and the pause has only noise."""

from __future__ import annotations

import numpy as np
import pytest

from quant.errors import ConfigError
from trainer.data.match import DelayedMatch


def test_the_label_is_whether_the_cues_are_the_same() -> None:
    data = DelayedMatch(kinds=3, cue=30, shortest=5, longest=9, rate=0.5, noise=0.0, train=200)
    samples = data.load()["train"]
    assert set(samples.steps.tolist()) == {65, 66, 67, 68, 69}
    assert data.channels == samples.channels == 24
    shown = []
    for number in range(200):
        events = slice(*samples.offset[number : number + 2])
        step, kind, last = samples.step[events], samples.channel[events] // 8, samples.steps[number]
        assert not ((step >= 30) & (step < last - 30)).any()
        first, second = kind[step < 30], kind[step >= last - 30]
        assert len(first) > 70 < len(second)
        assert first.min() == first.max()
        assert second.min() == second.max()
        shown.append((first[0], second[0]))
    np.testing.assert_array_equal(samples.label, [one == other for one, other in shown])
    assert len(set(shown)) == 9
    assert 70 < samples.label.sum() < 130


def test_noise_is_everywhere_else_and_the_seed_decides() -> None:
    one, again = (DelayedMatch(rate=0.2, noise=0.1, train=300, validation=2, test=2).load() for _ in range(2))
    np.testing.assert_array_equal(one["train"].step, again["train"].step)
    steps = one["train"].steps.sum()
    expected = 0.1 * 32 * steps + 0.1 * 8 * 40 * 300
    assert abs(len(one["train"].step) / expected - 1) < 0.02
    with pytest.raises(ConfigError, match=r"data.shortest is 90, data.longest 80; swap them"):
        DelayedMatch(shortest=90)
    with pytest.raises(ConfigError, match=r"data.noise is 0.3, data.rate 0.2; cues must be louder"):
        DelayedMatch(noise=0.3)
