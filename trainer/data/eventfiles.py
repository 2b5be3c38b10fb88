"""Events as people have them: a file per recording in a folder per class, or one table of all recordings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from quant.errors import ConfigError, DataError
from quant.spikes import SPLITS, SpikeSet, Split
from trainer.data import columns as files
from trainer.data.binning import TimeBins, TimedSample, collect
from trainer.data.columns import Columns
from trainer.data.labelled import Labelled
from trainer.data.splits import BY_TAKE, Official, Partition, divide
from trainer.schema import FilePath, Named, Range

_PER_MS = {"s": 0.001, "ms": 1.0, "us": 1e3, "ns": 1e6}
_COLUMNS = ("t", "x", "y", "p", "channel", *files.TEXTS, "utterance", files.IGNORED)
_SHOWN = 8
_PARTS = f"parts are {', '.join(SPLITS)}"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recording:
    """Where a recording came from, and what is known about it."""

    where: str
    events: Columns
    label: int
    part: str = ""
    speaker: str = ""
    utterance: int = -1


@dataclass(frozen=True, slots=True)
class Events:
    """The options that all data sets of events share.

    Attributes:
        path: where the data set is.
        class_names: the classes; a label is one of them.
        size: of the sensor, `[width, height]` for x and y, `[channels]` for x or channel alone.
        columns: what the columns of the events are, of t, x, y, p (polarity) and channel; "_" is left out.
        time_unit: of t.
        start: what time 0 is: "zero", or "first_event" of each recording, for clocks that were running already.
        pool_pixels: squares of so many pixels in both directions become one.
        bins, split: how events become spikes, and who tests.
    """

    path: FilePath
    class_names: tuple[str, ...]
    size: tuple[Annotated[int, Range(1, 32768)], ...]
    columns: tuple[str, ...] = ("t", "x", "y", "p")
    time_unit: Literal["s", "ms", "us", "ns"] = "us"
    start: Literal["zero", "first_event"] = "zero"
    pool_pixels: Annotated[int, Range(1, 32768)] = 1
    bins: TimeBins = TimeBins()
    split: Annotated[Partition, Named(BY_TAKE)] = Official()

    def __post_init__(self) -> None:
        if len(set(self.class_names)) < len(self.class_names):
            raise ConfigError("data.class_names has a name twice; every class needs one of its own")
        for column in self.columns:
            if column not in _COLUMNS:
                raise ConfigError(f"data.columns has {column!r}; allowed are {', '.join(_COLUMNS)}")
            if column != files.IGNORED and self.columns.count(column) > 1:
                raise ConfigError(f"data.columns has {column!r} twice; write {files.IGNORED!r} for one of them")
        if "t" not in self.columns or self._place not in (("x", "y"), ("x",), ("channel",)):
            raise ConfigError("data.columns must have t, and either x and y, or x or channel alone")
        if len(self.size) != len(self._place):
            wanted = "[width, height]" if len(self._place) == 2 else "[channels]"
            raise ConfigError(f"data.size is {list(self.size)}; with {' and '.join(self._place)} it is {wanted}")

    @property
    def channels(self) -> int:
        return self.bins.channels(self._raw_channels)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.class_names

    @property
    def _place(self) -> tuple[str, ...]:
        """The columns that say where an event happened."""
        return tuple(name for name in ("x", "y", "channel") if name in self.columns)

    @property
    def _pooled_size(self) -> tuple[int, ...]:
        return tuple(-(-length // self.pool_pixels) for length in self.size)

    @property
    def _raw_channels(self) -> int:
        return int(np.prod(self._pooled_size)) * (2 if "p" in self.columns else 1)

    def divided(self, recordings: Iterable[Recording]) -> Mapping[Split, SpikeSet]:
        """The three parts of the recordings.

        Raises:
            DataError: naming the first recording with an impossible event, or if there is no recording.
        """
        known: list[tuple[str, str, int]] = []

        def samples() -> Iterator[TimedSample]:
            for one in recordings:
                yield self._sample(one)
                known.append((one.part, one.speaker, one.utterance))
            if not known:
                raise DataError(f"{self.path}: no recordings")

        per_ms = _PER_MS[self.time_unit]
        found = collect(Path(self.path), samples(), self.bins, channels=self._raw_channels, per_ms=per_ms)
        part, speaker, utterance = (np.array(column) for column in zip(*known, strict=True))
        return divide(Labelled(found, part, speaker, utterance), self.split)

    def label(self, where: str, name: str) -> int:
        """The index of a class.

        Raises:
            DataError: if there is no such class.
        """
        if name not in self.class_names:
            shown = ", ".join(self.class_names[:_SHOWN]) + (", ..." if len(self.class_names) > _SHOWN else "")
            raise DataError(f"{where} has the label {name[:40]!r}; data.class_names are {shown}")
        return self.class_names.index(name)

    def _sample(self, one: Recording) -> TimedSample:
        """The recording's events by time and channel."""
        time = one.events["t"]
        if self.start == "first_event" and len(time):
            time = time - time.min()
        _check(one.where, "t", time, ~(np.isfinite(time) & (time >= 0)), "times are 0 or later; see data.start")
        place = [
            self._whole(one, name, size) // self.pool_pixels for name, size in zip(self._place, self.size, strict=True)
        ]
        pixels = int(np.prod(self._pooled_size))
        channel = np.ravel_multi_index(tuple(reversed(place)), tuple(reversed(self._pooled_size)))
        if "p" in one.events:
            polarity = np.where(one.events["p"] == -1, 0, one.events["p"])
            _check(one.where, "p", polarity, ~np.isin(polarity, (0, 1)), "a polarity is 0 or 1, or -1 or 1")
            channel += polarity.astype(np.int64) * pixels
        return TimedSample(time, channel, one.label)

    def _whole(self, one: Recording, name: str, size: int) -> npt.NDArray[np.int64]:
        values = one.events[name]
        wrong = ~((values >= 0) & (values < size) & (values % 1 == 0))
        _check(one.where, name, values, wrong, f"allowed is 0..{size - 1} by data.size")
        return values.astype(np.int64)


@dataclass(frozen=True, slots=True)
class EventFiles(Events):
    """Events in files.

    `path` is a folder `<class>/*` or `<part>/<class>/*`, the parts being train, validation and test, with a file per
    recording; or one file with the events of all recordings, whose columns say which is whose: label and, as far as
    known, sample, speaker, utterance, part. Without `sample`, a recording begins where the label changes or the time
    falls.

    Attributes:
        file_name: a regular expression with the groups speaker and utterance, for splits by them.
    """

    file_name: str = ""

    def __post_init__(self) -> None:
        Events.__post_init__(self)
        for name in self.class_names:
            if name in ("", "..") or name != Path(name).name:
                raise ConfigError(f"data.class_names has {name!r}; a class is named as its folder is")
        try:
            re.compile(self.file_name)
        except re.error as error:
            raise ConfigError(f"data.file_name is no regular expression ({error})") from None

    def load(self) -> Mapping[Split, SpikeSet]:
        path = Path(self.path)
        if not path.exists():
            raise DataError(f"{path.absolute()}: no such folder or file; data.path names it")
        return self.divided(self._of_folder(path) if path.is_dir() else self._of_table(path))

    def _of_folder(self, path: Path) -> Iterator[Recording]:
        parts = [part for part in SPLITS if (path / part).is_dir() and part not in self.class_names]
        for folder in sorted(path.iterdir()) if parts else ():
            if folder.name not in SPLITS and any((folder / name).is_dir() for name in self.class_names):
                raise DataError(
                    f"{folder.absolute()}: has classes, but is no part; {_PARTS}: rename it or move it away"
                )
        folders: dict[str, Path] = {part: path / part for part in parts} or {"": path}
        found = [
            (part, label, file)
            for part, folder in folders.items()
            for label, name in enumerate(self.class_names)
            for file in self._files_of_class(folder, name)
        ]
        for part, label, file in tqdm(found, desc=path.name, unit="files", leave=False, disable=None):
            speaker, utterance = self._named(file)
            yield Recording(str(file), files.read(file, self.columns), label, part, speaker, utterance)

    def _files_of_class(self, folder: Path, name: str) -> list[Path]:
        if not (folder / name).is_dir():
            there = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
            shown = ", ".join(there[:_SHOWN]) + (", ..." if len(there) > _SHOWN else "")
            problem = f"no such folder; data.class_names names it, there are {shown or 'no folders'}"
            raise DataError(f"{folder.absolute() / name}: {problem}")
        found = sorted(file for file in (folder / name).iterdir() if file.suffix.lower() in files.READERS)
        if not found:
            raise DataError(f"{folder.absolute() / name}: no file that ends in {', '.join(files.READERS)}")
        return found

    def _named(self, file: Path) -> tuple[str, int]:
        """Speaker and utterance in a file's name."""
        if not self.file_name:
            return "", -1
        match = re.fullmatch(self.file_name, file.stem)
        if match is None:
            raise DataError(f"{file}: the name is not as data.file_name says, {self.file_name!r}")
        groups = match.groupdict()
        utterance = groups.get("utterance") or "-1"
        if not utterance.removeprefix("-").isdecimal():
            raise DataError(f"{file}: the utterance {utterance[:40]!r} is no number; look at data.file_name")
        return groups.get("speaker") or "", int(utterance)

    def _of_table(self, path: Path) -> Iterator[Recording]:
        if "label" not in self.columns:
            raise ConfigError(f"{path.absolute()} is one file: data.columns must say which column is the label")
        if path.suffix.lower() not in files.READERS:
            raise DataError(f"{path.absolute()}: the name must end in {', '.join(files.READERS)}")
        table = files.read(path, self.columns)
        if not len(table["t"]):
            raise DataError(f"{path.absolute()}: no events")
        for number, rows in enumerate(_recordings(table)):
            own = {name: column[rows] for name, column in table.items()}
            where = f"{path.absolute()}: recording {number}"
            for name in ("label", "part", "speaker", "utterance"):
                if name in own and (own[name] != own[name][0]).any():
                    raise DataError(f"{where} has several values of {name}; is data.columns right about sample?")
            about = {name: str(own[name][0]) for name in ("part", "speaker") if name in own}
            if about.get("part", "") not in ("", *SPLITS):
                raise DataError(f"{where} has the part {about['part'][:40]!r}; {_PARTS}")
            utterance = own.get("utterance", np.array([-1.0]))
            _check(where, "utterance", utterance, utterance % 1 != 0, "an utterance is a whole number")
            label = self.label(where, str(own["label"][0]))
            yield Recording(where, own, label, utterance=int(utterance[0]), **about)


def _recordings(table: Columns) -> Sequence[npt.NDArray[np.intp]]:
    """The rows of each recording of a table, in the order of their first ones."""
    if "sample" in table:
        _, first, number = np.unique(table["sample"], return_index=True, return_inverse=True)
        number = np.argsort(np.argsort(first))[number]
    else:
        begins = (table["label"][1:] != table["label"][:-1]) | (table["t"][1:] < table["t"][:-1])
        number = np.concatenate([[0], np.cumsum(begins)])
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def _check(where: str, name: str, values: Floats, wrong: npt.NDArray[np.bool_], allowed: str) -> None:
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(f"{where}: event {first} has {name} = {values[first]:g}; {allowed}")
