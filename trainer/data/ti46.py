"""Spoken letters and digits: TI46, through the audio front end.

LDC93S9 (M. Liberman and others, TI 46-Word, Linguistic Data Consortium, 1993; not free): 16 speakers (`f1`..`f8`,
`m1`..`m8`), 12.5 kHz, NIST SPHERE files named `<word><speaker>set<n>.wav` in `train/<speaker>` and
`<word><speaker>s<n>t<n>.wav` in `test/<speaker>`. The letters are `0a`..`0z` in `ti_alpha`, the digits `00`..`09` in
`ti20`, whose ten other words are left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits
from typing import ClassVar

import numpy as np

from quant.errors import DataError
from quant.spikes import SpikeSet, Split
from trainer.data.disk import check_present, read_sound
from trainer.data.heard import Heard, Recordings
from trainer.data.labelled import StrArray
from trainer.frontend.ear import Sound

_NAME = re.compile(r"([0-9a-z]{2})([fm][1-8])(?:set([0-9])|s([1-8])t([0-9]))\.wav")
_TEST_FROM = 10  # takes 0..9 are for training


@dataclass(frozen=True, slots=True)
class Ti46Alpha(Heard):
    """TI46-Alpha: 26 letters.

    Attributes:
        path: the folder that contains `ti_alpha/train/f1/0af1set0.wav`. Take `n` is `set<n>` of the training part, take
            `10 * s + t` is `s<s>t<t>` of the test part.
    """

    subset: ClassVar[str] = "ti_alpha"
    words: ClassVar[str] = ascii_lowercase

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self.words)

    def load(self) -> Mapping[Split, SpikeSet]:
        return self.hear(*_recordings(find(Path(self.path), self.subset, self.classes)))


@dataclass(frozen=True, slots=True)
class Ti46Digits(Ti46Alpha):
    """TI46-Digits: the ten digits of TI20, `ti20/train/f1/00f1set0.wav`; takes as in TI46-Alpha."""

    subset: ClassVar[str] = "ti20"
    words: ClassVar[str] = digits


@dataclass(frozen=True, slots=True)
class Recording:
    """A file and what its name says."""

    path: Path
    part: str
    label: int
    speaker: str
    take: int


def find(root: Path, subset: str, classes: tuple[str, ...]) -> list[Recording]:
    """The recordings of these words in the folder `subset`, in the order of their paths.

    Raises:
        DataError: if a part has none, or a file has a name that does not belong there.
    """
    found = []
    for part in ("train", "test"):
        files = sorted((root / subset / part).glob("*/*.wav"))
        if not files:
            example = f"0{classes[0]}f1{'set0' if part == 'train' else 's1t0'}.wav"
            check_present(root / subset / part / "f1" / example, "the tree of LDC93S9 below `path`")
        found += [_recording(path, part, classes) for path in files]
    chosen = [recording for recording in found if recording.label >= 0]
    if not chosen:
        raise DataError(f"{root / subset}: none of the {len(found)} recordings is of the words 0{classes[0]}, ...")
    return chosen


def _recording(path: Path, part: str, classes: tuple[str, ...]) -> Recording:
    match = _NAME.fullmatch(path.name)
    if match is None or match[2] != path.parent.name or (match[3] is not None) != (part == "train"):
        raise DataError(
            f"{path}: not a name of the {part} part; expected is <word><speaker>set<n>.wav in train/<speaker>, "
            "<word><speaker>s<n>t<n>.wav in test/<speaker>"
        )
    word, speaker, training_set, session, token = match.groups()
    take = int(training_set) if part == "train" else _TEST_FROM * int(session) + int(token)
    label = classes.index(word[1]) if word[0] == "0" and word[1] in classes else -1
    return Recording(path, part, label, speaker, take)


def _recordings(found: list[Recording]) -> tuple[Recordings, StrArray]:
    """The recordings, and the part of the data set that each belongs to."""
    recordings = Recordings(
        tuple(_read(one.path) for one in found),
        np.array([one.label for one in found]),
        np.array([one.speaker for one in found]),
        np.array([one.take for one in found]),
    )
    return recordings, np.array([one.part for one in found])


def _read(path: Path) -> Sound:
    check_present(path, "a recording of LDC93S9")
    with path.open("rb") as file:
        header = file.read(1024)
    if not header.startswith(b"NIST_1A"):
        raise DataError(f"{path}: not a NIST SPHERE file; expected are the files of LDC93S9 as they come")
    if b"shorten" in header:
        raise DataError(f"{path}: compressed by Shorten; expand it to a SPHERE file of plain PCM by sph2pipe")
    return read_sound(path)
