"""Spoken words as spikes of 700 channels of an artificial cochlea: the Heidelberg data sets SHD and SSC.

B. Cramer, Y. Stradmann, J. Schemmel and F. Zenke, The Heidelberg spiking data sets for the systematic evaluation of
spiking neural networks, IEEE Transactions on Neural Networks and Learning Systems 33, 2022; zenkelab.org/datasets,
CC BY 4.0. A file has, per sample, the lists `spikes/times` (s) and `spikes/units` (channel), and a number in `labels`;
SHD has one in `extra/speaker` too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import h5py
import numpy as np
from tqdm import tqdm

from quant.errors import DataError
from quant.reader import Array
from quant.spikes import SpikeSet, Split
from trainer.data import hdf5
from trainer.data.binning import TimeBins, TimedSample, collect
from trainer.data.disk import check_present
from trainer.data.labelled import Labelled, StrArray, check_labels, unnamed
from trainer.data.splits import BY_SPEAKER, PLAIN, Official, Partition, divide
from trainer.events import join
from trainer.schema import FilePath, Named

UNITS = 700
WORDS = 35  # of the Speech Commands; the files number them

_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_GERMAN = ("null", "eins", "zwei", "drei", "vier", "fuenf", "sechs", "sieben", "acht", "neun")
_SHD_LAYOUT = "a folder with shd_train.h5 and shd_test.h5, unpacked"
_SSC_LAYOUT = "a folder with ssc_train.h5, ssc_valid.h5 and ssc_test.h5, unpacked"


@dataclass(frozen=True, slots=True)
class _Cochlea:
    """What both have: a folder, and the channels of the artificial cochlea."""

    path: FilePath
    bins: TimeBins = TimeBins()

    @property
    def channels(self) -> int:
        return self.bins.channels(UNITS)


@dataclass(frozen=True, slots=True)
class Shd(_Cochlea):
    """Spiking Heidelberg Digits: English and German digits, 20 classes, 12 speakers.

    Attributes:
        path: a folder with `shd_train.h5` and `shd_test.h5`.
        bins, split: how events become spikes, and who tests; speakers are "0" to "11".
    """

    split: Annotated[Partition, Named(BY_SPEAKER)] = Official()

    @property
    def classes(self) -> tuple[str, ...]:
        return _ENGLISH + _GERMAN

    def load(self) -> Mapping[Split, SpikeSet]:
        files = {part: Path(self.path) / f"shd_{part}.h5" for part in ("train", "test")}
        samples, part = _read_all(files, _SHD_LAYOUT, self.classes, self.bins)
        speaker = np.concatenate([_speakers(path, int((part == name).sum())) for name, path in files.items()])
        return divide(Labelled(samples, part, speaker, np.full(len(part), -1)), self.split)


@dataclass(frozen=True, slots=True)
class Ssc(_Cochlea):
    """Spiking Speech Commands: 35 words, numbered as in the files.

    Attributes:
        path: a folder with `ssc_train.h5`, `ssc_valid.h5` and `ssc_test.h5`.
        bins, split: how events become spikes, and which samples test.
    """

    split: Annotated[Partition, Named(PLAIN)] = Official()

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(word) for word in range(WORDS))

    def load(self) -> Mapping[Split, SpikeSet]:
        names = {"train": "train", "validation": "valid", "test": "test"}
        files = {part: Path(self.path) / f"ssc_{name}.h5" for part, name in names.items()}
        return divide(unnamed(*_read_all(files, _SSC_LAYOUT, self.classes, self.bins)), self.split)


def _read_all(
    files: Mapping[str, Path], layout: str, classes: tuple[str, ...], bins: TimeBins
) -> tuple[SpikeSet, StrArray]:
    """The samples of all files, and the part that each belongs to."""
    for path in files.values():
        check_present(path, layout)
    samples = [read(path, classes, bins) for path in files.values()]
    return join(samples), np.repeat(list(files), [len(part) for part in samples])


def read(path: Path, classes: tuple[str, ...], bins: TimeBins) -> SpikeSet:
    """All samples of a file.

    Raises:
        DataError: if an array is missing or not as expected.
    """
    arrays = hdf5.arrays(path, _arrays)
    label = next(arrays).astype(np.int64)
    check_labels(path, label, classes)
    shown = tqdm(label.tolist(), desc=path.name, unit="samples", leave=False, disable=None)
    samples = (TimedSample(time_s, unit, one) for time_s, unit, one in zip(arrays, arrays, shown, strict=True))
    return collect(path, samples, bins, channels=UNITS)


def _arrays(file: h5py.File) -> Iterator[Array]:
    """First the labels, then the times and the units of each sample."""
    count, times = hdf5.lists(file, "spikes/times", "f")
    count_too, units = hdf5.lists(file, "spikes/units", "iu")
    label = hdf5.numbers(file, "labels", "iu")
    if not len(label) == count == count_too or not count:
        raise DataError(f"{file.filename}: spikes/times, spikes/units and labels must have equal lengths of at least 1")
    yield label
    for number, (time_s, unit) in enumerate(zip(times, units, strict=True)):
        if len(time_s) != len(unit):
            problem = f"sample {number} has {len(time_s)} spikes/times and {len(unit)} spikes/units"
            raise DataError(f"{file.filename}: {problem}")
        yield time_s
        yield unit


def _speakers(path: Path, samples: int) -> np.ndarray:
    (speaker,) = hdf5.arrays(path, lambda file: [hdf5.numbers(file, "extra/speaker", "iu")])
    if len(speaker) != samples:
        raise DataError(f"{path}: extra/speaker has {len(speaker)} entries for {samples} samples")
    return speaker.astype(np.str_)
