"""Spoken digits: the Free Spoken Digit Dataset through the audio front end.

Recordings of Z. Jackson and contributors, CC BY-SA 4.0, github.com/Jakobovski/free-spoken-digit-dataset: ten digits,
six speakers, 50 takes of each, 8 kHz.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quant.errors import DataError
from quant.spikes import SpikeSet, Split
from trainer.data.disk import check_present, read_npz, read_sound
from trainer.data.heard import Heard, Recordings
from trainer.frontend.ear import Sound

DIGITS = 10
TEST_TAKES = 5  # takes 0..4 test, says the data set's README

_NAME = re.compile(r"([0-9])_([a-z]+)_([0-9]{1,4})\.wav")
_LAYOUT = "recordings/<digit>_<speaker>_<take>.wav, as in the data set's repository, or an .npz file of them"
_ARRAYS = {"audio": ("i", 1), "length": ("iu", 1), "label": ("iu", 1), "speaker": ("U", 1), "take": ("iu", 1)}
_RATE = {"rate": ("iu", 0)}


@dataclass(frozen=True, slots=True)
class Fsdd(Heard):
    """Options of the data set.

    Attributes:
        path: a checkout of its repository (`recordings/<digit>_<speaker>_<take>.wav`), or an `.npz` file with the
            arrays `audio` int16 (recordings one after the other), `length`, `label`, `speaker`, `take` and `rate`.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(digit) for digit in range(DIGITS))

    def load(self) -> Mapping[Split, SpikeSet]:
        found = read_recordings(Path(self.path))
        part = np.where(found.take < TEST_TAKES, "test", "train")
        return self.hear(found, part)


def read_recordings(path: Path) -> Recordings:
    """Read a checkout of the repository or an `.npz` file.

    Raises:
        DataError: if there are no recordings, or one is not as expected.
    """
    return _read_archive(path) if path.is_file() else _read_folder(path)


def _read_folder(path: Path) -> Recordings:
    files = sorted((path / "recordings").glob("*.wav"))
    if not files:
        check_present(path / "recordings" / "0_george_0.wav", _LAYOUT)
    names = [_NAME.fullmatch(file.name) for file in files]
    for file, name in zip(files, names, strict=True):
        if name is None:
            raise DataError(f"{file}: not named <digit>_<speaker>_<take>.wav; expected is {_LAYOUT}")
    parts = [name.groups() for name in names if name]
    return Recordings(
        tuple(read_sound(file) for file in files),
        np.array([int(digit) for digit, _, _ in parts]),
        np.array([speaker for _, speaker, _ in parts]),
        np.array([int(take) for _, _, take in parts]),
    )


def _read_archive(path: Path) -> Recordings:
    arrays = read_npz(path, _ARRAYS | _RATE)
    count = len(arrays["length"])
    ends = np.cumsum(arrays["length"].astype(np.int64))
    if not count or any(len(arrays[name]) != count for name in ("label", "speaker", "take")):
        raise DataError(f"{path}: length, label, speaker and take must have equal lengths of at least 1")
    if arrays["length"].min() < 1 or ends[-1] != len(arrays["audio"]) or arrays["audio"].dtype != np.int16:
        raise DataError(f"{path}: audio must be int16 and hold as many samples as length adds up to, {ends[-1]}")
    if arrays["label"].min() < 0 or arrays["label"].max() >= DIGITS or arrays["rate"] < 1:
        raise DataError(f"{path}: label must be 0..{DIGITS - 1} and rate 1 or more")
    sounds = tuple(Sound(samples, int(arrays["rate"])) for samples in np.split(arrays["audio"], ends[:-1]))
    label, take = arrays["label"].astype(np.int64), arrays["take"].astype(np.int64)
    return Recordings(sounds, label, arrays["speaker"], take)
