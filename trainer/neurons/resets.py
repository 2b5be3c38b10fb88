"""What a spike does to the membrane: one class per kind, and the registry of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class ResetKind(Protocol):
    """A reset, for spikes that are 0 or 1.

    Attributes:
        adds: whether it adds a threshold to the input current.
    """

    adds: bool

    def later(self, kept: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        """What is left of the membrane in the next step, behind its decay."""

    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        """The membrane behind a step's potential and spikes."""


class _AtOnce:
    adds = False

    def later(self, kept: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return kept


class _Zero(_AtOnce):
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential * (1 - spikes)


class _Subtract(_AtOnce):
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential - spikes * threshold


class _LateSubtract:
    adds = True

    def later(self, kept: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return kept - spikes * threshold

    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential


RESETS: Mapping[str, ResetKind] = {"zero": _Zero(), "subtract": _Subtract(), "late_subtract": _LateSubtract()}
