"""Lyon's passive ear: a cascade of filters, rectified, compressed by automatic gain control, differenced, decimated.

R. F. Lyon, A computational model of filtering, detection, and compression in the cochlea, ICASSP 1982; as laid out in
M. Slaney, Lyon's cochlear model, Apple Technical Report 13, 1988, and in his Auditory Toolbox, whose constants these
are. All filters start at rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

FloatArray = npt.NDArray[np.float64]

FRONT_STAGES = 2  # the outer and middle ear and the first wave filter: run, but no channels of the output
_BREAK_HZ = 1000.0  # below it, bandwidths hardly shrink with frequency
_ZERO_OFFSET = 1.5  # of a stage's zeros above its poles, in steps
_SHARPNESS = 5.0  # quality of a stage's zeros over that of its poles
_PREEMPHASIS_HZ = 300.0
_GAIN_TARGETS = np.array([0.0032, 0.0016, 0.0008, 0.0004])
_GAIN_SECONDS = np.array([0.64, 0.16, 0.04, 0.01])
_GAIN_LIMIT = 0.9
_SMOOTHING = 3.0  # time constant of the decimation filter, in output frames
_CHUNK = 500  # samples filtered at a time; bounds the memory, changes nothing in the result


@dataclass(frozen=True, slots=True, eq=False)
class Bank:
    """The cascade's stages: float64 `(stages, 3)` coefficients of `z**0, z**-1, z**-2`, front stages first."""

    rate_hz: int
    numerator: FloatArray
    denominator: FloatArray


def channel_count(rate_hz: int, ear_q: float, step: float) -> int:
    """Number of channels of the ear: as many steps as fit between half the rate and poles of quality 1/2."""
    lowest = _BREAK_HZ / np.sqrt(4 * ear_q**2 - 1)
    span = np.arcsinh(_highest(rate_hz, ear_q, step) / _BREAK_HZ) - np.arcsinh(lowest / _BREAK_HZ)
    return int(ear_q * span / step)


def centres(rate_hz: int, ear_q: float, step: float) -> FloatArray:
    """Centre frequency of each channel in Hz, descending: `step` bandwidths apart, a bandwidth being
    `sqrt(f**2 + 1000**2) / ear_q`."""
    position = np.arange(1, channel_count(rate_hz, ear_q, step) + 1) * step / ear_q
    return _BREAK_HZ * np.sinh(np.arcsinh(_highest(rate_hz, ear_q, step) / _BREAK_HZ) - position)


def design(rate_hz: int, ear_q: float, step: float) -> Bank:
    """The filters of an ear of quality `ear_q` with channels `step` bandwidths apart."""
    centre = centres(rate_hz, ear_q, step)
    width = _bandwidth(centre, ear_q)
    zero = centre + width * step * _ZERO_OFFSET
    numerator = _resonance(zero, _SHARPNESS * zero / width, rate_hz)
    denominator = _resonance(centre, centre / width, rate_hz)
    gain = centre[:-1] / centre[1:]
    numerator *= (np.concatenate([gain[:1], gain]) * denominator.sum(axis=1) / numerator.sum(axis=1))[:, None]
    front_numerator, front_denominator = _front(rate_hz, ear_q, step, centre[0] / width[0])
    return Bank(rate_hz, np.vstack([front_numerator, numerator]), np.vstack([front_denominator, denominator]))


def cochleagram(waves: FloatArray, bank: Bank, decimation: int, *, windowed: bool = False) -> FloatArray:
    """Firing rates of the auditory nerve.

    Args:
        waves: float64 `(batch, samples)`, recordings side by side, amplitudes around 0.5. A recording's result does
            not depend on the others.
        decimation: samples per frame of output, at least 2.
        windowed: put the front stages to 0 in the first sample of each frame, as PyPI `lyon` 1.0.0 does.

    Returns:
        float64 `(samples // decimation, batch, channels)`, channel 0 being the highest frequency.
    """
    batch, samples = waves.shape
    stages = len(bank.numerator)
    frames = np.empty((samples // decimation, batch, stages - FRONT_STAGES))
    # A frame appears one sample after its end: the stages of the gain control run three samples one after the other,
    # and the decimation filter lags by two.
    sound = np.zeros((len(frames) * decimation + 1, batch))
    sound[:-1] = waves[:, : len(sound) - 1].T
    cascade, gain = _Cascade(bank, batch), _GainControl(bank.rate_hz, stages, batch)
    decimator = _Decimator(decimation, stages, batch)
    for start in range(0, len(sound), _CHUNK):
        rectified = cascade.run(sound[start : start + _CHUNK])
        if windowed:
            rectified[-start % decimation :: decimation, :FRONT_STAGES] = 0.0
        for sample, now in enumerate(rectified, start):
            decimator.step(gain.step(now))
            if sample and sample % decimation == 0:
                frames[sample // decimation - 1] = decimator.frame().T
    return frames


class _Cascade:
    """Each stage filters what the one before it left; the half-wave rectified outputs of all of them are the result."""

    def __init__(self, bank: Bank, batch: int) -> None:
        self.bank = bank
        self.state = np.zeros((len(bank.numerator), 2, batch))

    def run(self, sound: FloatArray) -> FloatArray:
        """`sound` `(samples, batch)` to `(samples, stages, batch)`."""
        rectified = np.empty((len(sound), len(self.state), sound.shape[1]))
        for stage, (b, a) in enumerate(zip(self.bank.numerator, self.bank.denominator, strict=True)):
            sound, self.state[stage] = lfilter(b, a, sound, axis=0, zi=self.state[stage])
            np.maximum(sound, 0.0, out=rectified[:, stage])
        return rectified


class _GainControl:
    """Four stages of automatic gain control, fast ones last. Stage `k` with state `s`, channels `c`:

    `y[c] = x[c] * (1 - s[c])`, then
    `s[c] = min(e/target * y[c] + (1 - e)/3 * (s[c-1] + s[c] + s[c+1]), 0.9)`, where `e = 1 - exp(-1/(tau * rate))`.

    The stages run at once, stage `k` being `k` samples late: its input is what the stage before it left last time.
    """

    def __init__(self, rate_hz: int, channels: int, batch: int) -> None:
        shape = (len(_GAIN_TARGETS), channels, batch)
        epsilon = (1 - np.exp(-1 / (_GAIN_SECONDS * rate_hz)))[:, None, None]
        self.attack = epsilon / _GAIN_TARGETS[:, None, None]
        self.decay = (1 - epsilon) / 3
        self.state = np.zeros((shape[0], channels + 2, batch))  # the outermost channels have a copy beside them
        self.signal = np.zeros((shape[0] + 1, channels, batch))  # of this sample: the input, then what each stage left
        self.coming = np.zeros_like(self.signal)
        self.work, self.sum = np.empty(shape), np.empty(shape)

    def step(self, now: FloatArray) -> FloatArray:
        """Take the input `(channels, batch)` of one sample; give the output of three samples ago, for reading only."""
        state, work, total = self.state[:, 1:-1], self.work, self.sum
        self.signal[0] = now
        left = self.coming[1:]
        np.subtract(1.0, state, out=work)
        np.multiply(self.signal[:-1], work, out=left)
        np.add(self.state[:, :-2], self.state[:, 2:], out=total)
        np.add(total, state, out=total)
        np.multiply(total, self.decay, out=total)
        np.multiply(left, self.attack, out=work)
        np.add(total, work, out=total)
        np.minimum(total, _GAIN_LIMIT, out=state)
        self.state[:, 0] = self.state[:, 1]
        self.state[:, -1] = self.state[:, -2]
        self.signal, self.coming = self.coming, self.signal
        return left[-1]


class _Decimator:
    """What each channel has more than the next lower one, half-wave rectified, through two poles at `exp(-1/tau)`."""

    def __init__(self, decimation: int, stages: int, batch: int) -> None:
        self.pole = np.exp(-1 / (_SMOOTHING * decimation))
        self.excess, self.once, self.twice = np.zeros((3, stages - FRONT_STAGES, batch))

    def step(self, now: FloatArray) -> None:
        np.subtract(now[FRONT_STAGES - 1 : -1], now[FRONT_STAGES:], out=self.excess)
        np.maximum(self.excess, 0.0, out=self.excess)
        np.multiply(self.once, self.pole, out=self.once)
        np.add(self.once, self.excess, out=self.once)
        np.multiply(self.twice, self.pole, out=self.twice)
        np.add(self.twice, self.once, out=self.twice)

    def frame(self) -> FloatArray:
        """`(channels, batch)`, gain 1 at 0 Hz."""
        return self.twice * (1 - self.pole) ** 2


def _highest(rate_hz: int, ear_q: float, step: float) -> float:
    """Where the cascade starts: below half the rate, so that the first stage's zeros fit."""
    top = rate_hz / 2
    return top - (_ZERO_OFFSET - 1) * step * float(_bandwidth(np.float64(top), ear_q))


def _bandwidth(hz: npt.NDArray[np.float64] | np.float64, ear_q: float) -> FloatArray:
    return np.asarray(np.sqrt(hz**2 + _BREAK_HZ**2) / ear_q)


def _resonance(hz: FloatArray, quality: FloatArray, rate_hz: int) -> FloatArray:
    """`(n, 3)` second-order polynomials in `1/z` with a pair of roots at `hz` of the given quality."""
    radius = np.exp(-np.pi * hz / rate_hz / quality)
    angle = 2 * np.pi * hz / rate_hz * np.sqrt(1 - 1 / (4 * quality**2))
    return np.stack([np.ones_like(radius), -2 * radius * np.cos(angle), radius**2], axis=-1)


def _front(rate_hz: int, ear_q: float, step: float, quality: float) -> tuple[FloatArray, FloatArray]:
    """Pre-emphasis, and the top resonance with zeros at 0 Hz and half the rate; each of gain 1 at a quarter of it."""
    top = _resonance(np.array([_highest(rate_hz, ear_q, step)]), np.array([quality]), rate_hz)[0]
    numerator = np.array([[0.0, 1.0, -np.exp(-2 * np.pi * _PREEMPHASIS_HZ / rate_hz)], [1.0, 0.0, -1.0]])
    denominator = np.array([[1.0, 0.0, 0.0], top])
    quarter = np.exp(-0.5j * np.pi * np.arange(3))
    return numerator * np.abs(denominator @ quarter / (numerator @ quarter))[:, None], denominator
