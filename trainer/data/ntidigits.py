"""Spoken digits as spikes of 64 channels of an artificial cochlea: N-TIDIGITS18, its single digits.

J. Anumula, D. Neil, T. Delbruck and S.-C. Liu, Feature representations for neuromorphic audio spike streams, Frontiers
in Neuroscience 12, 2018: recordings of TIDIGITS, played to a CochleaAMS1b. For each part, `train` and `test`, the file
lists names in `<part>_labels`; a name's events are `<part>_timestamps/<name>` (s) and `<part>_addresses/<name>`
(channel). A name is `<man or woman>-<speaker>-<a or b>-<digits>`; strings of several digits are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import h5py
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from quant.errors import DataError
from quant.spikes import SpikeSet
from trainer.data import hdf5
from trainer.data.binning import TimeBins
from trainer.data.disk import check_present
from trainer.data.labelled import Labelled
from trainer.data.source import Split
from trainer.data.splits import BY_TAKE, Official, Partition, divide
from trainer.schema import Named

CHANNELS = 64
CLASSES = ("o", "1", "2", "3", "4", "5", "6", "7", "8", "9", "z")

_NAME = re.compile(r"([a-z]+-[a-z0-9]+)-([ab])-([1-9oz]+)")
_TAKES = {"a": 1, "b": 2}
_LAYOUT = "the file n-tidigits.hdf5 of the data set"


@dataclass(frozen=True, slots=True)
class NTidigits:
    """Options of the data set.

    Attributes:
        path: the file `n-tidigits.hdf5`.
        bins, split: how events become spikes, and who tests; speakers are such as "man-ae", takes 1 (a) and 2 (b).
    """

    path: str
    bins: TimeBins = TimeBins()
    split: Annotated[Partition, Named(BY_TAKE)] = Official()

    @property
    def channels(self) -> int:
        return self.bins.channels(CHANNELS)

    @property
    def classes(self) -> tuple[str, ...]:
        return CLASSES

    def load(self) -> Mapping[Split, SpikeSet]:
        path = Path(self.path)
        check_present(path, _LAYOUT)
        with hdf5.opened(path) as file:
            recordings = [recording for part in ("train", "test") for recording in _read_part(file, part)]
        if not recordings:
            raise DataError(f"{path}: no single digits; expected is {_LAYOUT}")
        sample = np.repeat(np.arange(len(recordings)), [len(recording.time_s) for recording in recordings])
        samples = self.bins.fill(
            sample,
            np.concatenate([recording.time_s for recording in recordings]),
            np.concatenate([recording.channel for recording in recordings]).astype(np.int64),
            channels=CHANNELS,
            label=np.array([recording.label for recording in recordings]),
        )
        part = np.array([recording.part for recording in recordings])
        speaker = np.array([recording.speaker for recording in recordings])
        return divide(
            Labelled(samples, part, speaker, np.array([recording.take for recording in recordings])), self.split
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Recording:
    part: str
    speaker: str
    take: int
    label: int
    time_s: npt.NDArray[Any]
    channel: npt.NDArray[Any]


def _read_part(file: h5py.File, part: str) -> list[_Recording]:
    """The recordings of single digits."""
    names = [name.decode("ascii", "replace") for name in hdf5.vector(file, f"{part}_labels", "S").tolist()]
    single = [(name, match) for name in names if len((match := _match(file, part, name))[3]) == 1]
    shown = tqdm(single, desc=f"{part} of N-TIDIGITS", unit="recordings", leave=False, disable=None)
    return [_read(file, part, name, match) for name, match in shown]


def _match(file: h5py.File, part: str, name: str) -> re.Match[str]:
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{file.filename}: {part}_labels has {name!r}; expected are names such as 'man-ae-a-1'")
    return match


def _read(file: h5py.File, part: str, name: str, match: re.Match[str]) -> _Recording:
    time_s = hdf5.vector(file, f"{part}_timestamps/{name}", "f")
    channel = hdf5.vector(file, f"{part}_addresses/{name}", "iu")
    if len(time_s) != len(channel):
        raise DataError(f"{file.filename}: {name} has {len(time_s)} timestamps and {len(channel)} addresses")
    speaker, take, digit = match.groups()
    return _Recording(part, speaker, _TAKES[take], CLASSES.index(digit), time_s, channel)
