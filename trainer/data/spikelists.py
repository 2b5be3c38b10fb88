"""Spike trains as text, one file per sample, a format of experiments with reservoirs and TI46.

A file is `<class>/<speaker>_u<utterance>_c<class>.dat`. Its lines are `channel<TAB>step`, in any order, between a first
and a last line `-1<TAB>-1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from quant.errors import ConfigError, DataError
from quant.files import check_size, memory_limit
from quant.formats import IntArray
from quant.spikes import SpikeSet, Split
from trainer.data.binning import StepBins
from trainer.data.disk import check_present
from trainer.data.labelled import Labelled
from trainer.data.splits import BY_TAKE_UNPARTED, Partition, divide
from trainer.events import from_events
from trainer.schema import FilePath, Named, Range

_CLASS = re.compile(r"[A-Za-z0-9]{1,32}")
_NAME = re.compile(r"([A-Za-z0-9]+)_u([0-9]{1,6})_c([A-Za-z0-9]+)\.dat")
_LINE = re.compile(r"(-?[0-9]{1,9})[ \t]+(-?[0-9]{1,9})")
_TIMES = 100  # what Python makes of a line takes so many times its memory
_MARK = (-1, -1)
_LAYOUT = "<class>/<speaker>_u<utterance>_c<class>.dat"


@dataclass(frozen=True, slots=True)
class SpikeLists:
    """Options of the data set.

    Attributes:
        path: the folder of the classes' folders.
        split: who tests; the files name no test part.
        class_names: the classes, which are the names of the folders.
        raw_channels: number of channels in the files.
        first_channel, first_step: the numbers that the files give to the first channel and to the first step.
        bins: what of the steps and channels is merged.
    """

    path: FilePath
    split: Annotated[Partition, Named(BY_TAKE_UNPARTED)]
    class_names: tuple[str, ...] = tuple("0123456789")
    raw_channels: Annotated[int, Range(1, 32768)] = 78
    first_channel: Annotated[int, Range(0, 1)] = 0
    first_step: Annotated[int, Range(0, 1)] = 1
    bins: StepBins = StepBins()

    def __post_init__(self) -> None:
        for name in self.class_names:
            if not _CLASS.fullmatch(name):
                raise ConfigError(f"data.class_names has {name!r}; a class is named by 1 to 32 letters and digits")

    @property
    def channels(self) -> int:
        return self.bins.channels(self.raw_channels)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.class_names

    def load(self) -> Mapping[Split, SpikeSet]:
        found = [(label, *entry) for label, name in enumerate(self.class_names) for entry in self._files(name)]
        events = [self._events(path) for _, path, _, _ in found]
        sample = np.repeat(np.arange(len(found)), [len(channel) for channel, _ in events])
        samples = from_events(
            sample,
            np.concatenate([step for _, step in events]),
            np.concatenate([channel for channel, _ in events]),
            channels=self.raw_channels,
            steps=np.array([step.max(initial=0) + 1 for _, step in events]),
            label=np.array([label for label, *_ in found]),
        )
        speaker, utterance = np.array([entry[2] for entry in found]), np.array([entry[3] for entry in found])
        return divide(Labelled(self.bins.merge(samples), np.full(len(found), ""), speaker, utterance), self.split)

    def _files(self, name: str) -> list[tuple[Path, str, int]]:
        """Each file of a class with its speaker and utterance."""
        folder = Path(self.path) / name
        found = [(file, _NAME.fullmatch(file.name)) for file in sorted(folder.glob("*.dat"))]
        if not found:
            raise DataError(f"{folder}: no files *.dat; expected is {_LAYOUT}")
        for file, match in found:
            if match is None or match[3] != name:
                raise DataError(f"{file}: not a name of class {name!r}; expected is {_LAYOUT}")
        return [(file, match[1], int(match[2])) for file, match in found if match]

    def _events(self, path: Path) -> tuple[IntArray, IntArray]:
        """Channel and step of each event, both from 0 on."""
        rows = read_rows(path)
        channel, step = (rows - [self.first_channel, self.first_step]).T
        wrong = (channel < 0) | (channel >= self.raw_channels) | (step < 0)
        if wrong.any():
            line = int(np.argmax(wrong)) + 2
            raise DataError(
                f"{path}: line {line} is out of range; channels are {self.first_channel}.."
                f"{self.first_channel + self.raw_channels - 1} and steps count from {self.first_step}: "
                "look at data.raw_channels, first_channel and first_step"
            )
        return channel, step


def read_rows(path: Path) -> IntArray:
    """The lines between the marks, int64 `(E, 2)`.

    Raises:
        DataError: naming the first line that is not two whole numbers, or if a mark is missing.
    """
    check_present(path, _LAYOUT)
    check_size(path, memory_limit() // _TIMES)
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable text file ({error})") from None
    matches = [_LINE.fullmatch(line.strip()) for line in lines]
    if None in matches:
        number = matches.index(None) + 1
        raise DataError(f"{path}: line {number} is {lines[number - 1][:40]!r}; expected is channel<TAB>step")
    rows = [(int(match[1]), int(match[2])) for match in matches if match]
    if len(rows) < 2 or rows[0] != _MARK or rows[-1] != _MARK:
        raise DataError(f"{path}: the first and the last line must be -1<TAB>-1; is the file cut?")
    return np.array(rows[1:-1], dtype=np.int64).reshape(-1, 2)
