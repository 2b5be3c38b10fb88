"""Data sets: each a file here that turns recordings into spike trains, and one line in `SOURCES`.

The options of a data set are a frozen dataclass; an instance of it is the section `[data]` of a configuration and
the loader at once.
"""

from __future__ import annotations

from trainer.data.digits import Digits
from trainer.data.fsdd import Fsdd
from trainer.data.source import Source

SOURCES: dict[str, type[Source]] = {
    "digits": Digits,
    "fsdd": Fsdd,
}
