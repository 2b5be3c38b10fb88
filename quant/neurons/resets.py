"""What a spike does to the membrane: one class per kind, and the registry of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np

from quant.arithmetic import Array

Reset = Literal["zero", "subtract"]


class ResetKind(Protocol):
    """A reset, vectorized and for one neuron."""

    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        """The membrane behind a potential `u` and the spikes `s`."""

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        """The same for one neuron."""


class _Zero:
    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        return np.where(s, 0, u)

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        return 0 if s else u


class _Subtract:
    def after(self, u: Array, s: Array, threshold: Array) -> Array:
        return np.where(s, u - threshold, u)

    def naive_after(self, u: int, s: int, threshold: int) -> int:
        return u - threshold if s else u


RESETS: Mapping[str, ResetKind] = {"zero": _Zero(), "subtract": _Subtract()}
