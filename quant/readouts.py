"""Read-outs: how the last layer's steps become a score per class. A new kind is a class here and a registry line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from quant.arithmetic import Array, saturate
from quant.neurons.naive import clamp

SCORE_BITS = 32

Readout = Literal["spike_count", "membrane_sum"]


class ReadoutKind(Protocol):
    """A read-out, vectorized and for one class.

    Attributes:
        spiking: whether it reads spikes; else potentials `u` of neurons that never spike.
    """

    spiking: bool

    def score(self, before: Array, value: Array, *, first: bool) -> Array:
        """The scores behind a step that put out `value`; `first` is a sample's first step."""

    def naive_score(self, before: int, value: int, *, first: bool) -> int:
        """The same for one class."""


class _Sum:
    def __init__(self, *, spiking: bool) -> None:
        self.spiking = spiking

    def score(self, before: Array, value: Array, *, first: bool) -> Array:
        return saturate(before + value, SCORE_BITS)

    def naive_score(self, before: int, value: int, *, first: bool) -> int:
        return clamp(before + value, SCORE_BITS)


READOUTS: Mapping[str, ReadoutKind] = {"spike_count": _Sum(spiking=True), "membrane_sum": _Sum(spiking=False)}
