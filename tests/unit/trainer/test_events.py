"""Spike sets taken apart and put together."""

from __future__ import annotations

import numpy as np
import pytest

from quant.errors import DataError, SpikeFileError
from quant.spikes import SpikeSet, from_dense
from trainer.events import from_events, join, pick

DENSE = np.random.default_rng(1).random((9, 5, 4)) < 0.3
STEPS = np.array([9, 3, 7, 1, 9])
DENSE &= np.arange(9)[:, None, None] < STEPS[:, None]
SAMPLES = from_dense(DENSE, STEPS, np.arange(5))


def assert_equal(left: SpikeSet, right: SpikeSet) -> None:
    assert len(left.step) > 0
    for name in ("channels", "steps", "label", "offset", "step", "channel"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))


def test_events_in_any_order_and_twice() -> None:
    step, sample, channel = np.nonzero(DENSE)
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(len(step)), 2))
    found = from_events(sample[order], step[order], channel[order], channels=4, steps=STEPS, label=np.arange(5))
    assert_equal(found, SAMPLES)


def test_events_that_lie_nowhere_are_refused() -> None:
    one = np.array([0])
    for step, channel in ((3, 0), (0, 2), (-1, 0), (0, -1)):
        with pytest.raises(DataError if min(step, channel) < 0 else SpikeFileError):
            from_events(one, one + step, one + channel, channels=2, steps=one + 3, label=one)


def test_picked_samples_are_the_samples() -> None:
    chosen = np.array([4, 0, 2, 0])
    picked = pick(SAMPLES, chosen)
    assert_equal(picked, from_dense(DENSE[:, chosen], STEPS[chosen], chosen))


def test_joined_halves_are_the_whole() -> None:
    assert_equal(join([pick(SAMPLES, np.arange(2)), pick(SAMPLES, np.arange(2, 5))]), SAMPLES)
    assert len(pick(SAMPLES, np.arange(0)).step) == 0
