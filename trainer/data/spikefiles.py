"""Spike trains from spike files (docs/formats.md), for data that other programs have coded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np

from quant import spikes
from quant.errors import DataError
from quant.spikes import SpikeSet, Split
from trainer.data.binning import StepBins
from trainer.data.labelled import check_labels, unnamed
from trainer.data.splits import PLAIN, Official, Partition, divide
from trainer.events import join
from trainer.schema import FilePath, Named, Range


@dataclass(frozen=True, slots=True)
class SpikeFiles:
    """Options of the data set.

    Attributes:
        train: a spike file; alone, it holds all samples, and `split` must say which of them test.
        raw_channels: number of channels in the files.
        class_names: the classes that the files' labels are indices into.
        test, validation: spike files of these parts; without one, the part is taken out of `train`.
        bins, split: what of the steps and channels is merged, and which samples test.
    """

    train: FilePath
    raw_channels: Annotated[int, Range(1, 32768)]
    class_names: tuple[str, ...]
    test: FilePath = ""
    validation: FilePath = ""
    bins: StepBins = StepBins()
    split: Annotated[Partition, Named(PLAIN)] = Official()

    @property
    def channels(self) -> int:
        return self.bins.channels(self.raw_channels)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.class_names

    def load(self) -> Mapping[Split, SpikeSet]:
        paths = {"train": self.train, "validation": self.validation, "test": self.test}
        found = {part: self._read(Path(path)) for part, path in paths.items() if path}
        part = np.repeat(list(found), [len(samples) for samples in found.values()])
        return divide(unnamed(self.bins.merge(join(list(found.values()))), part), self.split)

    def _read(self, path: Path) -> SpikeSet:
        samples = spikes.read(path)
        if samples.channels != self.raw_channels:
            raise DataError(f"{path} has {samples.channels} channels; data.raw_channels is {self.raw_channels}")
        check_labels(path, samples.label, self.class_names)
        return samples
