"""What a spike does to the membrane: one class per kind, and the registry of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class ResetKind(Protocol):
    """A reset, for spikes that are 0 or 1."""

    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        """The membrane behind a step's potential and spikes."""


class _Zero:
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential * (1 - spikes)


class _Subtract:
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential - spikes * threshold


RESETS: Mapping[str, ResetKind] = {"zero": _Zero(), "subtract": _Subtract()}
