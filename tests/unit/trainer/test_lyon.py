"""The passive ear: against a naive one, against Slaney's numbers, and against recorded vectors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sounds import shared, tone

from trainer.frontend import lyon

RATE = 12_500
BANK = lyon.design(RATE, 8.0, 0.25)
TARGETS, SECONDS = (0.0032, 0.0016, 0.0008, 0.0004), (0.64, 0.16, 0.04, 0.01)


class NaiveEar:
    """One sample at a time, one channel at a time, with the state of every filter spelled out."""

    def __init__(self, decimation: int) -> None:
        self.stages = len(BANK.numerator)
        self.cascade = [[0.0, 0.0] for _ in range(self.stages)]
        self.gain = [[0.0] * self.stages for _ in TARGETS]
        self.smooth = [[0.0, 0.0] for _ in range(self.stages)]
        self.pole = math.exp(-1 / (3 * decimation))

    def sample(self, value: float) -> list[float]:
        heard = []
        for c in range(self.stages):
            value = self._filter(self.cascade[c], BANK.numerator[c], BANK.denominator[c], value)
            heard.append(max(value, 0.0))
        for state, target, seconds in zip(self.gain, TARGETS, SECONDS, strict=True):
            heard = self._compress(state, target, 1 - math.exp(-1 / (seconds * RATE)), heard)
        differences = [max(heard[c - 1] - heard[c], 0.0) for c in range(1, self.stages)]
        numerator, denominator = [0, 0, (1 - self.pole) ** 2], [1, -2 * self.pole, self.pole**2]
        pairs = zip(self.smooth[1:], differences, strict=True)
        return [self._filter(state, numerator, denominator, value) for state, value in pairs][1:]

    @staticmethod
    def _filter(state: list[float], b: list[float], a: list[float], value: float) -> float:
        result = b[0] * value + state[0]
        state[0] = b[1] * value - a[1] * result + state[1]
        state[1] = b[2] * value - a[2] * result
        return result

    @staticmethod
    def _compress(state: list[float], target: float, epsilon: float, heard: list[float]) -> list[float]:
        left = [value * (1 - old) for value, old in zip(heard, state, strict=True)]
        beside = [state[0], *state, state[-1]]
        for c, value in enumerate(left):
            spread = (1 - epsilon) / 3 * (beside[c] + beside[c + 1] + beside[c + 2])
            state[c] = min(epsilon / target * value + spread, 0.9)
        return left


def test_the_ear_equals_the_naive_one() -> None:
    wave = 30 * tone(900.0, RATE, 0.05) + np.random.default_rng(1).normal(size=625)
    ear = NaiveEar(25)
    naive = np.array([ear.sample(value) for value in wave])[24::25]
    heard = lyon.cochleagram(wave[None], BANK, 25)[:, 0]
    assert heard.shape == (25, 78)
    assert heard.max() > 1e-4
    assert np.max(ear.gain) == 0.9  # the limit was reached
    np.testing.assert_allclose(heard, naive, rtol=1e-9, atol=1e-18)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8000, 64), (12_500, 78), (16_000, 86)])
def test_channels_are_those_of_the_auditory_toolbox(rate_hz: int, channels: int) -> None:
    assert lyon.channel_count(rate_hz, 8.0, 0.25) == channels
    assert lyon.design(rate_hz, 8.0, 0.25).numerator.shape == (channels + lyon.FRONT_STAGES, 3)


def test_the_filters_are_stable_and_the_centres_descend() -> None:
    assert max(np.abs(np.roots(stage)).max() for stage in BANK.denominator) < 1
    centres = lyon.centres(RATE, 8.0, 0.25)
    assert (np.diff(centres) < 0).all()
    assert 50 < centres[-1] < centres[0] < RATE / 2


def test_a_tone_is_heard_where_its_frequency_lies() -> None:
    hertz = [200.0, 500.0, 1200.0, 3000.0]
    heard = lyon.cochleagram(np.stack([tone(hz) for hz in hertz]), BANK, 50)
    loudest = heard[-10:].mean(axis=0).argmax(axis=1)
    assert (np.diff(loudest) < 0).all()
    np.testing.assert_allclose(lyon.centres(RATE, 8.0, 0.25)[loudest], hertz, rtol=0.2)


def test_loud_sound_is_compressed() -> None:
    soft, loud = np.moveaxis(lyon.cochleagram(np.stack([tone(500.0) / 100, tone(500.0)]), BANK, 50), 1, 0)
    assert 1 < loud[-10:].mean() / soft[-10:].mean() < 20


def test_a_recording_is_heard_alike_in_any_company(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    waves = draw.normal(size=(7, 900)) * 0.2
    together = lyon.cochleagram(waves, BANK, 30)
    assert together.any()
    monkeypatch.setattr(lyon, "_CHUNK", 77)
    for number, wave in enumerate(waves):
        np.testing.assert_array_equal(lyon.cochleagram(wave[None, :600], BANK, 30)[:, 0], together[:20, number])


@pytest.mark.parametrize("decimation", [50, 200])
def test_the_recorded_cochleagrams(decimation: int) -> None:
    with np.load(shared("lyon-bsa-reference/lyon_bsa_reference.npz")) as recorded:
        for name in ("7_jackson_32", "3_theo_10", "0_nicolas_4"):
            wanted = recorded[f"{name}.lyon{decimation}"]
            heard = lyon.cochleagram(recorded[f"{name}.wave"][None], BANK, decimation, windowed=True)[:, 0]
            assert wanted.max() > 1e-4
            np.testing.assert_allclose(heard, wanted, rtol=1e-9, atol=0)
