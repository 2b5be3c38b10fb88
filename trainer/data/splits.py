"""Ways to divide a data set into training, validation and test parts: the section `[data.split]`.

The parts are disjoint, the same for the same options, and the validation part always comes out of the training part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from quant.errors import ConfigError, DataError
from quant.formats import IntArray
from quant.spikes import SPLITS, SpikeSet, Split
from trainer.data.labelled import Labelled
from trainer.events import pick
from trainer.schema import Range

Fraction = Annotated[float, Range(0.0001, 0.9)]
Seed = Annotated[int, Range(0, 2**32 - 1)]
Mask = npt.NDArray[np.bool_]

_SHOWN = 20


class Partition(Protocol):
    """A way to divide a data set, with its options filled in: a frozen dataclass with these members."""

    __dataclass_fields__: ClassVar[dict]

    def choose(self, data: Labelled) -> dict[Split, IntArray]:
        """The indices of each part's samples, ascending."""


@dataclass(frozen=True, slots=True)
class Official:
    """The data set's own test part, and its own validation part if it has one.

    Attributes:
        validation: fraction of the training part that validates, each class alike, where the data set has no such part.
        test: fraction of all samples that tests, each class alike, where the data set has no such part.
        seed: draws them.
    """

    validation: Fraction = 0.1
    test: Fraction = 0.1
    seed: Seed = 1

    def choose(self, data: Labelled) -> dict[Split, IntArray]:
        draw = np.random.default_rng(self.seed)
        test, validation = data.part == "test", data.part == "validation"
        if not test.any():
            test = _stratified(data.samples.label, ~validation, self.test, draw)
        return _carve(data, test, validation, self.validation, draw)


@dataclass(frozen=True, slots=True)
class Speakers:
    """The test part is all recordings of some speakers.

    Attributes:
        test: these speakers.
        validation_speakers: these validate.
        validation: if there are none, this fraction of the rest does, each class alike.
        seed: draws it.
    """

    test: tuple[str, ...]
    validation_speakers: tuple[str, ...] = ()
    validation: Fraction = 0.1
    seed: Seed = 1

    def __post_init__(self) -> None:
        _check_lists("speakers", self.test, self.validation_speakers)

    def choose(self, data: Labelled) -> dict[Split, IntArray]:
        test = _among(data.speaker, self.test, "test")
        validation = _among(data.speaker, self.validation_speakers, "validation_speakers")
        return _carve(data, test, validation, self.validation, np.random.default_rng(self.seed))


@dataclass(frozen=True, slots=True)
class Utterances:
    """The test part is some takes of every speaker and class.

    Attributes:
        test: their numbers.
        validation_utterances: these validate.
        validation: if there are none, this fraction of the rest does, each class alike.
        seed: draws it.
    """

    test: tuple[int, ...]
    validation_utterances: tuple[int, ...] = ()
    validation: Fraction = 0.1
    seed: Seed = 1

    def __post_init__(self) -> None:
        _check_lists("utterances", self.test, self.validation_utterances)

    def choose(self, data: Labelled) -> dict[Split, IntArray]:
        test = _among(data.utterance, self.test, "test")
        validation = _among(data.utterance, self.validation_utterances, "validation_utterances")
        return _carve(data, test, validation, self.validation, np.random.default_rng(self.seed))


@dataclass(frozen=True, slots=True)
class Random:
    """Parts drawn at random, each class alike.

    Attributes:
        test: the fraction of all samples that tests.
        validation: the fraction of the rest that validates.
        seed: draws both.
    """

    test: Fraction = 0.1
    validation: Fraction = 0.1
    seed: Seed = 1

    def choose(self, data: Labelled) -> dict[Split, IntArray]:
        draw = np.random.default_rng(self.seed)
        everything = np.ones(len(data.samples), dtype=np.bool_)
        test = _stratified(data.samples.label, everything, self.test, draw)
        return _carve(data, test, np.zeros_like(test), self.validation, draw)


# Which of them a data set offers, by what is known of its samples.
BY_TAKE: dict[str, type] = {"official": Official, "speakers": Speakers, "utterances": Utterances, "random": Random}
BY_SPEAKER: dict[str, type] = {"official": Official, "speakers": Speakers, "random": Random}
BY_TAKE_UNPARTED: dict[str, type] = {"speakers": Speakers, "utterances": Utterances, "random": Random}
PLAIN: dict[str, type] = {"official": Official, "random": Random}


def divide(data: Labelled, partition: Partition) -> Mapping[Split, SpikeSet]:
    """The three parts of the data set.

    Raises:
        DataError: if a part is empty, or a speaker or take does not occur.
    """
    chosen = partition.choose(data)
    for split in SPLITS:
        if not len(chosen[split]):
            raise DataError(
                f"data.split: the {split} part of the {len(data.samples)} samples is empty; "
                "raise its fraction or choose another split"
            )
    return {split: pick(data.samples, chosen[split]) for split in SPLITS}


def _carve(
    data: Labelled, test: Mask, validation: Mask, fraction: float, draw: np.random.Generator
) -> dict[Split, IntArray]:
    if not validation.any():
        validation = _stratified(data.samples.label, ~test, fraction, draw)
    return {
        "train": np.flatnonzero(~test & ~validation),
        "validation": np.flatnonzero(validation),
        "test": np.flatnonzero(test),
    }


def _stratified(label: IntArray, among: Mask, fraction: float, draw: np.random.Generator) -> Mask:
    """A `fraction` of each class of the samples `among`."""
    chosen = np.zeros(len(label), dtype=np.bool_)
    for value in np.unique(label):
        members = draw.permutation(np.flatnonzero(among & (label == value)))
        chosen[members[: round(fraction * len(members))]] = True
    return chosen


def _among(values: npt.NDArray, wanted: tuple[str, ...] | tuple[int, ...], key: str) -> Mask:
    occurring = np.unique(values)
    for value in wanted:
        if value not in occurring:
            shown = ", ".join(map(str, occurring[:_SHOWN])) + (", ..." if len(occurring) > _SHOWN else "")
            raise DataError(f"data.split.{key}: {value!r} does not occur; there are {shown}")
    return np.isin(values, np.array(wanted, dtype=values.dtype))


def _check_lists(kind: str, test: tuple, validation: tuple) -> None:
    if not test:
        raise ConfigError(f"data.split.test is empty; name the {kind} that test")
    both = [value for value in test if value in validation]
    if both:
        raise ConfigError(f"data.split: {both[0]!r} is in test and in validation_{kind}; leave it in one")
