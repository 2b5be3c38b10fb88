"""Samples with what is known about them, by which they can be split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from quant.errors import DataError
from quant.formats import IntArray
from quant.spikes import SpikeSet

StrArray = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A data set before it is split.

    Attributes:
        samples: the spike trains and their classes.
        part: str `(S,)`, "train", "validation" or "test": where the makers of the data set put the sample.
        speaker: str `(S,)`, "" where unknown.
        utterance: int64 `(S,)`, the number of the take, -1 where unknown.
    """

    samples: SpikeSet
    part: StrArray
    speaker: StrArray
    utterance: IntArray

    def __post_init__(self) -> None:
        count = len(self.samples)
        assert len(self.part) == len(self.speaker) == len(self.utterance) == count


def unnamed(samples: SpikeSet, part: StrArray) -> Labelled:
    """Samples whose speaker and take are unknown."""
    return Labelled(samples, part, np.full(len(samples), ""), np.full(len(samples), -1))


def check_labels(where: Path, label: IntArray, classes: tuple[str, ...]) -> None:
    """Check that all labels are indices into `classes`.

    Raises:
        DataError: naming the first of them.
    """
    wrong = (label < 0) | (label >= len(classes))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise DataError(f"{where}: sample {first} has label {label[first]}; classes are 0..{len(classes) - 1}")
