"""Recordings through the audio front end, divided into parts; for training also at other speeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from quant.formats import IntArray
from quant.spikes import SpikeSet, Split
from trainer.data.binning import StepBins
from trainer.data.labelled import Labelled, StrArray
from trainer.data.splits import BY_TAKE, Official, Partition, divide
from trainer.events import join, pick
from trainer.frontend.ear import Ear, Sound
from trainer.schema import FilePath, Named, Range


@dataclass(frozen=True, slots=True, eq=False)
class Recordings:
    """All recordings with their class, speaker and take, `(S,)` each."""

    sounds: tuple[Sound, ...]
    label: IntArray
    speaker: StrArray
    take: IntArray


@dataclass(frozen=True, slots=True)
class Heard:
    """The options that all data sets of recordings share.

    Attributes:
        path: where the data set is; what is expected there, each says.
        ear: how sound becomes spikes.
        bins: what of the spikes' steps and channels is merged.
        split: which recordings test.
        speeds: training recordings are also heard at these multiples of their speed.
    """

    path: FilePath
    ear: Ear = Ear()
    bins: StepBins = StepBins()
    split: Annotated[Partition, Named(BY_TAKE)] = Official()
    speeds: tuple[Annotated[float, Range(0.25, 4.0)], ...] = ()

    @property
    def channels(self) -> int:
        return self.bins.channels(self.ear.channels)

    def hear(self, found: Recordings, part: StrArray) -> Mapping[Split, SpikeSet]:
        """The three parts; the training part holds every recording once more at each of `speeds`.

        Args:
            part: str `(S,)`, where the makers of the data set put each recording.

        A recording played faster has higher resonances, as from a shorter vocal tract, and takes less time: the speaker
        it then sounds like is another one (Ko et al. 2015, audio augmentation for speech recognition).
        """
        data = Labelled(self._spikes(found.sounds, found), part, found.speaker, found.take)
        parts = dict(divide(data, self.split))
        chosen = self.split.choose(data)["train"]
        # All recordings are heard, whatever the division: then the front end's memory serves every division.
        played = ([_played(sound, speed) for sound in found.sounds] for speed in self.speeds)
        parts["train"] = join([parts["train"], *(pick(self._spikes(sounds, found), chosen) for sounds in played)])
        return parts

    def _spikes(self, sounds: Sequence[Sound], found: Recordings) -> SpikeSet:
        return self.bins.merge(replace(self.ear.hear(sounds), label=found.label.astype(np.int32)))


def _played(sound: Sound, speed: float) -> Sound:
    """The recording, played at `speed` times its own."""
    return Sound(sound.samples, round(sound.rate_hz * speed))
