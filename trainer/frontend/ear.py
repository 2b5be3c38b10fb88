"""The audio front end: sound to spike trains, with a cache on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from math import gcd
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly
from tqdm import tqdm

from quant.errors import ConfigError, DataError
from quant.spikes import SpikeSet, from_dense
from trainer.events import join, pick
from trainer.frontend import bsa, lyon
from trainer.frontend.cache import remembered
from trainer.schema import CachePath, Range

VERSION = 1  # raise it with every change of what the front end gives

_PEAK = 0.5
_BATCH = 64  # recordings side by side: the fastest on cores of about 1 MB of cache; changes nothing in the result

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """One recording: `samples` `(n,)` of int16 or float64 in any unit, `rate_hz` of them per second."""

    samples: npt.NDArray[np.generic]
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Ear:
    """Options of the front end.

    Attributes:
        rate_hz: sampling rate that recordings are brought to.
        ear_q, step: quality of the ear's filters, and how far apart they are, in bandwidths.
        decimation: samples per frame, a frame being one value per channel.
        steps_per_frame: time steps that a frame is held for.
        gain: multiplies the frames before they are coded into spikes.
        threshold: of Ben's spiker algorithm.
        windowed: the front stages put to 0 at each frame's first sample, as in PyPI `lyon` 1.0.0.
        cache: folder of the spike trains computed before, from the working directory on.
    """

    rate_hz: Annotated[int, Range(2000, 192_000)] = 12_500
    ear_q: Annotated[float, Range(1.0, 100.0)] = 8.0
    step: Annotated[float, Range(0.01, 10.0)] = 0.25
    decimation: Annotated[int, Range(2, 100_000)] = 50
    steps_per_frame: Annotated[int, Range(1, 1000)] = 1
    gain: Annotated[float, Range(1e-6, 1e12)] = 2000.0
    threshold: Annotated[float, Range(0.0, 1.0)] = 0.6
    windowed: bool = False
    cache: CachePath = "build/cache"

    def __post_init__(self) -> None:
        if self.channels < 2:
            raise ConfigError(
                f"data.ear has {self.channels} channels; it needs 2 at least: raise rate_hz or ear_q, or lower step"
            )

    @property
    def channels(self) -> int:
        return lyon.channel_count(self.rate_hz, self.ear_q, self.step)

    def hear(self, sounds: Sequence[Sound]) -> SpikeSet:
        """Spike trains of recordings, each with label -1, channel 0 being the highest frequency.

        A recording's spikes depend on nothing but itself and the options. They are computed once, by as many processes
        as there are processors, and then found in `cache`.

        Raises:
            DataError: if a recording is shorter than a frame, or `cache` cannot be written.
        """
        steps = np.array([self.steps(sound) for sound in sounds])
        if not steps.all():
            first = int(np.argmin(steps))
            raise DataError(
                f"recording {first} has {len(sounds[first].samples)} samples at {sounds[first].rate_hz} Hz; "
                f"a frame takes {self.decimation} at {self.rate_hz} Hz: lower data.ear.decimation or leave it out"
            )
        path = Path(self.cache) / f"ear-{self.digest(sounds)}.npz"
        return remembered(path, self.channels, steps, lambda: _hear_all(sounds, self))

    def steps(self, sound: Sound) -> int:
        """Time steps of a recording."""
        up, down = _ratio(sound.rate_hz, self.rate_hz)
        return -(-len(sound.samples) * up // down) // self.decimation * self.steps_per_frame

    def digest(self, sounds: Iterable[Sound]) -> str:
        """SHA-256 of everything that decides the spikes: the options, the front end's version, and the recordings."""
        options = asdict(self)
        del options["cache"]
        digest = hashlib.sha256(repr((VERSION, sorted(options.items()))).encode())
        for sound in sounds:
            digest.update(repr((sound.rate_hz, len(sound.samples), sound.samples.dtype.str)).encode())
            digest.update(np.ascontiguousarray(sound.samples).data)
        return digest.hexdigest()


def hear_batch(sounds: Sequence[Sound], ear: Ear) -> SpikeSet:
    """Spike trains of recordings side by side."""
    steps = np.array([ear.steps(sound) for sound in sounds])
    waves = [_prepare(sound, ear.rate_hz) for sound in sounds]
    side_by_side = np.zeros((len(waves), max(map(len, waves))))
    for row, wave in zip(side_by_side, waves, strict=True):
        row[: len(wave)] = wave
    bank = lyon.design(ear.rate_hz, ear.ear_q, ear.step)
    frames = lyon.cochleagram(side_by_side, bank, ear.decimation, windowed=ear.windowed)
    signal = np.repeat(frames * ear.gain, ear.steps_per_frame, axis=0)
    signal[np.arange(len(signal))[:, None] >= steps] = 0.0  # the coder looks ahead, beyond a recording's end too
    return from_dense(bsa.encode(signal, ear.threshold), steps, np.full(len(sounds), -1))


def _hear_all(sounds: Sequence[Sound], ear: Ear) -> SpikeSet:
    """Batches of similar duration, long ones first, so that the processes end at about the same time."""
    order = np.argsort([-len(sound.samples) / sound.rate_hz for sound in sounds], kind="stable")
    batches = [[sounds[i] for i in order[start : start + _BATCH]] for start in range(0, len(order), _BATCH)]
    parts = []
    bar = tqdm(total=len(sounds), desc="front end", unit="recordings", leave=False, disable=None)
    with _mapper(min(len(batches), os.cpu_count() or 1)) as run, bar:
        for part in run(partial(hear_batch, ear=ear), batches):
            parts.append(part)
            bar.update(len(part))
    return pick(join(parts), np.argsort(order))


@contextmanager
def _mapper(processes: int) -> Iterator:
    """`map`, in several processes if `processes` is more than 1."""
    if processes == 1:
        yield map
    else:
        with ProcessPoolExecutor(processes) as pool:
            yield pool.map


def _prepare(sound: Sound, rate_hz: int) -> FloatArray:
    """The recording with a peak of 0.5, then at `rate_hz`."""
    samples = sound.samples.astype(np.float64)
    peak = np.abs(samples).max()
    up, down = _ratio(sound.rate_hz, rate_hz)
    return np.asarray(resample_poly(samples * (_PEAK / peak if peak else 0.0), up, down))


def _ratio(given_hz: int, wanted_hz: int) -> tuple[int, int]:
    common = gcd(given_hz, wanted_hz)
    return wanted_hz // common, given_hz // common
