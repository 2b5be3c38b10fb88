"""Ben's spiker algorithm: against a naive one, against recorded spikes, and whether the spikes tell the signal."""

from __future__ import annotations

import numpy as np
import pytest
from sounds import shared

from trainer.frontend import bsa


def naive(signal: list[float], threshold: float) -> list[bool]:
    """The published loop, one sum of 24 terms after the other."""
    taps = bsa.kernel().tolist()
    rest = signal + [0.0] * len(taps)
    spikes = []
    for t in range(len(signal)):
        with_spike = without = 0.0
        for i, tap in enumerate(taps):
            with_spike += abs(rest[t + i] - tap)
            without += abs(rest[t + i])
        spikes.append(with_spike <= without - threshold)
        if spikes[-1]:
            for i, tap in enumerate(taps):
                rest[t + i] -= tap
    return spikes


def bumps(seed: int, shape: tuple[int, ...]) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = np.apply_along_axis(np.convolve, 0, noise, np.hanning(20) / 10, mode="same")
    return np.abs(smooth)


def test_the_kernel() -> None:
    assert bsa.kernel().shape == (bsa.TAPS,)
    assert bsa.kernel().sum() == pytest.approx(1.0)
    assert bsa.kernel().argmax() == 12


@pytest.mark.parametrize("threshold", [0.2, 0.6, 0.9])
def test_spikes_equal_the_naive_ones(threshold: float) -> None:
    signal = bumps(3, (90, 4, 3))
    spikes = bsa.encode(signal, threshold)
    assert spikes.shape == signal.shape
    assert spikes.any(axis=0).all()
    for index in np.ndindex(4, 3):
        assert spikes[(slice(None), *index)].tolist() == naive(signal[(slice(None), *index)].tolist(), threshold)


def test_the_spikes_tell_the_signal() -> None:
    train = np.random.default_rng(4).random(300) < 0.3
    train[-bsa.TAPS :] = False
    signal = np.convolve(train, bsa.kernel())[:300]
    spikes = bsa.encode(signal[:, None], 0.6)[:, 0]
    assert train.sum() > 50
    error = np.convolve(spikes, bsa.kernel())[:300] - signal
    assert np.sqrt(np.mean(error**2)) < 0.25 * np.sqrt(np.mean(signal**2))


def test_silence_is_silent() -> None:
    assert not bsa.encode(np.zeros((50, 3)), 0.6).any()


@pytest.mark.parametrize(("decimation", "steps_per_frame"), [(50, 1), (200, 10)])
def test_the_recorded_spikes(decimation: int, steps_per_frame: int) -> None:
    with np.load(shared("lyon-bsa-reference/lyon_bsa_reference.npz")) as recorded:
        for name in ("7_jackson_32", "3_theo_10", "0_nicolas_4"):
            steps = int(recorded[f"{name}.bsa{decimation}_steps"])
            wanted = np.unpackbits(recorded[f"{name}.bsa{decimation}"], axis=-1)[:, :steps].T
            frames = recorded[f"{name}.lyon{decimation}"] * 2000
            assert wanted.sum() > 400
            np.testing.assert_array_equal(bsa.encode(np.repeat(frames, steps_per_frame, axis=0), 0.6), wanted)
