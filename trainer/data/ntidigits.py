"""Spoken digits as spikes of 64 channels of an artificial cochlea: N-TIDIGITS18, its single digits.

J. Anumula, D. Neil, T. Delbruck and S.-C. Liu, Feature representations for neuromorphic audio spike streams, Frontiers
in Neuroscience 12, 2018: recordings of TIDIGITS, played to a CochleaAMS1b. For each part, `train` and `test`, the file
lists names in `<part>_labels`; a name's events are `<part>_timestamps/<name>` (s) and `<part>_addresses/<name>`
(channel). A name is `<man or woman>-<speaker>-<a or b>-<digits>`; strings of several digits are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import h5py
import numpy as np
from tqdm import tqdm

from quant.errors import DataError, brief
from quant.reader import Array
from quant.spikes import SpikeSet, Split
from trainer.data import hdf5
from trainer.data.binning import TimeBins, TimedSample, collect
from trainer.data.disk import check_present
from trainer.data.labelled import Labelled
from trainer.data.splits import BY_TAKE, Official, Partition, divide
from trainer.schema import FilePath, Named

CHANNELS = 64
CLASSES = ("o", "1", "2", "3", "4", "5", "6", "7", "8", "9", "z")

_NAME = re.compile(r"([a-z]+-[a-z0-9]+)-([ab])-([1-9oz]+)")
_TAKES = {"a": 1, "b": 2}
_PARTS = ("train", "test")
_LAYOUT = "the file n-tidigits.hdf5 of the data set"


@dataclass(frozen=True, slots=True)
class NTidigits:
    """Options of the data set.

    Attributes:
        path: the file `n-tidigits.hdf5`.
        bins, split: how events become spikes, and who tests; speakers are such as "man-ae", takes 1 (a) and 2 (b).
    """

    path: FilePath
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
        arrays = hdf5.arrays(path, _arrays)
        names = {part: next(arrays) for part in _PARTS}
        recordings = [one for part in _PARTS for one in _recordings(path, part, names[part])]
        if not recordings:
            raise DataError(f"{path}: no single digits; expected is {_LAYOUT}")
        shown = tqdm(recordings, desc=path.name, unit="recordings", leave=False, disable=None)
        events = (TimedSample(time_s, unit, one.label) for time_s, unit, one in zip(arrays, arrays, shown, strict=True))
        samples = collect(path, events, self.bins, channels=CHANNELS)
        part = np.array([one.part for one in recordings])
        speaker = np.array([one.speaker for one in recordings])
        return divide(Labelled(samples, part, speaker, np.array([one.take for one in recordings])), self.split)


@dataclass(frozen=True, slots=True)
class _Recording:
    part: str
    name: str
    speaker: str
    take: int
    label: int


def _recordings(path: Path, part: str, given: Array) -> Iterator[_Recording]:
    """The recordings of single digits among the names `given`."""
    names = [name.decode("ascii", "replace") for name in given.tolist()]
    for name, count in Counter(names).most_common(1):
        if count > 1:
            raise DataError(f"{path}: {part}_labels has {brief(name)} {count} times")
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            raise DataError(f"{path}: {part}_labels has {brief(name)}; expected are names such as 'man-ae-a-1'")
        speaker, take, digits = match.groups()
        if len(digits) == 1:
            yield _Recording(part, name, speaker, _TAKES[take], CLASSES.index(digits))


def _arrays(file: h5py.File) -> Iterator[Array]:
    """First the names of each part, then the times and the channels of each single digit."""
    names = {part: hdf5.names(file, f"{part}_labels") for part in _PARTS}
    yield from names.values()
    for part, given in names.items():
        for one in _recordings(Path(file.filename), part, given):
            time_s = hdf5.numbers(file, f"{part}_timestamps/{one.name}", "f")
            channel = hdf5.numbers(file, f"{part}_addresses/{one.name}", "iu")
            if len(time_s) != len(channel):
                problem = f"{one.name} has {len(time_s)} timestamps and {len(channel)} addresses"
                raise DataError(f"{file.filename}: {problem}")
            yield time_s
            yield channel
