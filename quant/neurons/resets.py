"""What a spike does to the membrane: one class per kind, and the registry of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from quant.arithmetic import Array

Reset = Literal["zero", "subtract", "late_subtract"]


class ResetKind:
    """A reset, vectorized and for one neuron; like a part of a neuron, each kind overrides the hooks it needs.

    Attributes:
        history: how many past spikes of the neuron it reads.
    """

    history: ClassVar[int] = 0

    def before(self, x: Array, past: Array, threshold: Array) -> Array:
        """What reaches the membrane instead of the current `x`; `past[0]` are the spikes of the step before."""
        return x

    def naive_before(self, x: int, past: list[int], threshold: int) -> int:
        """The same for one neuron."""
        return x

    def current_range(self, low: Array, high: Array, threshold: Array) -> tuple[Array, Array]:
        """Smallest and largest of it, given those of `x`."""
        return low, high

    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        """The membrane behind a potential `u` and the spikes `s`."""
        return u

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        """The same for one neuron."""
        return u


class _Zero(ResetKind):
    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        return np.where(s, 0, u)

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        return 0 if s else u


class _Subtract(ResetKind):
    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        return np.where(s, u - threshold, u)

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        return u - threshold if s else u


class _LateSubtract(ResetKind):
    """The subtraction comes a step later, and is not decayed: what several training frameworks compute."""

    history = 1

    def before(self, x: Array, past: Array, threshold: Array) -> Array:
        subtracted: Array = threshold * past[0]
        return x - subtracted

    def naive_before(self, x: int, past: list[int], threshold: int) -> int:
        return x - threshold * past[0]

    def current_range(self, low: Array, high: Array, threshold: Array) -> tuple[Array, Array]:
        return low - threshold, high


RESETS: Mapping[str, ResetKind] = {"zero": _Zero(), "subtract": _Subtract(), "late_subtract": _LateSubtract()}
