"""Data sets: each a file here that turns recordings into spike trains, and one line in `SOURCES`.

The options of a data set are a frozen dataclass; an instance of it is the section `[data]` of a configuration and
the loader at once.
"""

from __future__ import annotations

from trainer.data.cues import Cues
from trainer.data.digits import Digits
from trainer.data.eventfiles import EventFiles
from trainer.data.fsdd import Fsdd
from trainer.data.heidelberg import Shd, Ssc
from trainer.data.match import DelayedMatch
from trainer.data.mnist import Mnist
from trainer.data.ntidigits import NTidigits
from trainer.data.patterns import Patterns
from trainer.data.source import Source
from trainer.data.spikefiles import SpikeFiles
from trainer.data.spikelists import SpikeLists
from trainer.data.ti46 import Ti46Alpha, Ti46Digits
from trainer.data.tonicsets import Tonic

SOURCES: dict[str, type[Source]] = {
    "cues": Cues,
    "delayed_match": DelayedMatch,
    "digits": Digits,
    "event_files": EventFiles,
    "fsdd": Fsdd,
    "mnist": Mnist,
    "n_tidigits": NTidigits,
    "patterns": Patterns,
    "shd": Shd,
    "spike_files": SpikeFiles,
    "spike_lists": SpikeLists,
    "ssc": Ssc,
    "ti46_alpha": Ti46Alpha,
    "ti46_digits": Ti46Digits,
    "tonic": Tonic,
}
