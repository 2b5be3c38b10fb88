"""What a spike does to the membrane: one class per kind, and the registry of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor


class ResetKind:
    """A reset, for spikes that are 0 or 1; each kind overrides what it changes.

    Attributes:
        adds: whether it adds a threshold to the input current.
    """

    adds: ClassVar[bool] = False

    def later(self, kept: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        """What is left of the membrane in the next step, behind its decay."""
        return kept

    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        """The membrane behind a step's potential and spikes."""
        return potential


class _Zero(ResetKind):
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential * (1 - spikes)


class _Subtract(ResetKind):
    def after(self, potential: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return potential - spikes * threshold


class _LateSubtract(ResetKind):
    adds = True

    def later(self, kept: Tensor, spikes: Tensor, threshold: Tensor) -> Tensor:
        return kept - spikes * threshold


RESETS: Mapping[str, ResetKind] = {"zero": _Zero(), "subtract": _Subtract(), "late_subtract": _LateSubtract()}
