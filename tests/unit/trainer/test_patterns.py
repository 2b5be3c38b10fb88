"""Pattern generation: the same frozen spikes every time, and targets that are what they claim to be."""

from __future__ import annotations

import numpy as np

from trainer.data.patterns import Patterns


def test_the_seed_decides_spikes_and_targets() -> None:
    one, again, other = Patterns(), Patterns(), Patterns(seed=2)
    for first, second in ((one.load()["train"].channel, again.load()["test"].channel), (one.traces(), again.traces())):
        np.testing.assert_array_equal(first, second)
    assert len(one.load()["train"].channel) != len(other.load()["train"].channel)
    assert not np.array_equal(one.traces(), other.traces())


def test_spikes_have_the_rate_and_every_sample_a_target_of_its_own() -> None:
    samples = Patterns().load()["train"]
    assert samples.label.tolist() == [0, 1, 2]
    assert samples.steps.tolist() == [1000, 1000, 1000]
    assert abs(len(samples.step) / (3 * 1000 * 100) - 0.05) < 0.002


def test_targets_are_four_sines_of_largest_magnitude_1() -> None:
    traces = Patterns().traces()
    assert traces.shape == (3, 1000, 1)
    assert traces.dtype == np.float32
    np.testing.assert_allclose(np.abs(traces).max(axis=1), 1)
    power = np.abs(np.fft.rfft(traces[:, :, 0])) > 1e-2
    assert (np.flatnonzero(power.any(axis=0)) == [1, 2, 3, 5]).all()
