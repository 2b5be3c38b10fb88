"""Read-outs: how the last layer's steps become a score per class. A new kind is a class here and a registry line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from quant.arithmetic import Array, naive_saturate, saturate

SCORE_BITS = 32

Readout = Literal["spike_count", "membrane_sum", "membrane_max", "membrane_last"]

# When the core says its scores: at the end of each sample, or those so far after every step.
Packets = Literal["sample", "step"]


class ReadoutKind:
    """A read-out, vectorized and for one class: unless a kind says otherwise, the score is what the last step put out.

    Attributes:
        spiking: whether it reads spikes; else potentials `u` of neurons that never spike.
    """

    def __init__(self, *, spiking: bool = False) -> None:
        self.spiking = spiking

    def score(self, before: Array, value: Array, *, first: bool) -> Array:
        """The scores behind a step that put out `value`; `first` is a sample's first step."""
        return value

    def naive_score(self, before: int, value: int, *, first: bool) -> int:
        """The same for one class."""
        return value


class _Sum(ReadoutKind):
    def score(self, before: Array, value: Array, *, first: bool) -> Array:
        return saturate(before + value, SCORE_BITS)

    def naive_score(self, before: int, value: int, *, first: bool) -> int:
        return naive_saturate(before + value, SCORE_BITS)


class _Max(ReadoutKind):
    def score(self, before: Array, value: Array, *, first: bool) -> Array:
        return value if first else np.maximum(before, value)

    def naive_score(self, before: int, value: int, *, first: bool) -> int:
        return value if first else max(before, value)


class _Last(ReadoutKind):
    """The default."""


READOUTS: Mapping[str, ReadoutKind] = {
    "spike_count": _Sum(spiking=True),
    "membrane_sum": _Sum(),
    "membrane_max": _Max(),
    "membrane_last": _Last(),
}
