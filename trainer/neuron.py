"""The neurons of one layer walking through time: the only loop over steps in the project's training.

The equations are those of docs/semantics.md (the golden model: quant/golden.py). One walk serves both phases of
training: `Real` leaves every value as it is, `Integer` rounds and saturates like the hardware, on integers held in
float32, and lets the gradient pass the rounding unchanged (straight through).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd import Function

from quant.formats import signed_range
from quant.golden import SCORE_BITS
from quant.model import Reset


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The numbers that a layer of N neurons computes with, float32: real ones, or integers (leaks: on their grid).

    Attributes:
        weight: `(N, inputs)`, or `(N, inputs + N)` with dense recurrence: the columns of all sources side by side,
            then the recurrent ones.
        inputs: number of channels of all sources together.
        self_weight: `(N,)`, or None.
        leak, synapse_leak: `(N,)`, the fraction kept per step; in integer mode a multiple of `2**-leak_bits`.
        threshold: `(N,)`, positive.
        unit: `(N,)` or `(1,)`, what 1 stands for in real terms: the neuron's scale, or 1 in real numbers.
    """

    weight: Tensor
    inputs: int
    self_weight: Tensor | None
    leak: Tensor
    synapse_leak: Tensor | None
    threshold: Tensor
    unit: Tensor

    @property
    def feed_forward(self) -> Tensor:
        """The weights from the sources, `(N, inputs)`."""
        return self.weight[:, : self.inputs]

    @property
    def recurrent(self) -> Tensor | None:
        """The dense recurrent weights, `(N, N)`, or None."""
        return self.weight[:, self.inputs :] if self.weight.shape[1] > self.inputs else None


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What the neurons do: fire at all, how a spike resets them, and the width of the surrogate, in thresholds."""

    spiking: bool
    reset: Reset
    surrogate_width: float


class Arithmetic(Protocol):
    """How the state of a neuron is rounded and bounded."""

    def round(self, value: Tensor) -> Tensor:
        """What is stored for `value`, the product of a state and its leak."""

    def saturate(self, value: Tensor) -> Tensor:
        """What is stored for `value`, a sum."""

    def total(self, values: Tensor) -> Tensor:
        """The sum of `values` `(T, ...)` over the steps, float64, as the score register holds it at the end."""


@dataclass(frozen=True, slots=True)
class Real:
    """No rounding, no bounds."""

    def round(self, value: Tensor) -> Tensor:
        return value

    def saturate(self, value: Tensor) -> Tensor:
        return value

    def total(self, values: Tensor) -> Tensor:
        return values.sum(dim=0, dtype=torch.float64)


@dataclass(frozen=True, slots=True)
class Integer:
    """The hardware's arithmetic for states of `state_bits` bits."""

    state_bits: int

    def round(self, value: Tensor) -> Tensor:
        return _TowardZero.apply(value)

    def saturate(self, value: Tensor) -> Tensor:
        return value.clamp(*signed_range(self.state_bits))

    def total(self, values: Tensor) -> Tensor:
        if len(values) << (self.state_bits - 1) < 1 << (SCORE_BITS - 1):  # the bound is out of reach
            return values.sum(dim=0, dtype=torch.float64)
        sums = torch.zeros_like(values[0], dtype=torch.float64)
        for value in values:
            sums = (sums + value).clamp(*signed_range(SCORE_BITS))
        return sums


def walk(drives: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> Tensor:
    """Run the neurons through all steps, from rest.

    Args:
        drives: `(T, batch, N)`, the input current of every step, all sources summed, recurrence excluded.
        numbers, arithmetic, dynamics: see there.

    Returns:
        `(T, batch, N)`: the spikes, 0 or 1; of neurons that do not fire, the membrane potentials u.
    """
    spikes = membrane = current = torch.zeros_like(drives[0])
    recurrent = numbers.recurrent
    outputs = []
    for drive in drives.unbind(0):
        if recurrent is not None:
            drive = drive + spikes @ recurrent.T
        if numbers.self_weight is not None:
            drive = drive + spikes * numbers.self_weight
        if numbers.synapse_leak is not None:
            current = arithmetic.saturate(arithmetic.round(current * numbers.synapse_leak) + drive)
        else:
            current = drive
        potential = arithmetic.saturate(arithmetic.round(membrane * numbers.leak) + current)
        if dynamics.spiking:
            spikes = _Fire.apply(potential, numbers.threshold, dynamics.surrogate_width)
            membrane = _RESETS[dynamics.reset](potential, spikes.detach(), numbers.threshold)
            outputs.append(spikes)
        else:
            membrane = potential
            outputs.append(potential)
    return torch.stack(outputs)


# The gradient does not flow through the reset (its spikes come detached): the surrogate's error would then be
# multiplied once more in every step, and training long samples becomes unstable.
_RESETS = {
    "zero": lambda potential, spikes, threshold: potential * (1 - spikes),
    "subtract": lambda potential, spikes, threshold: potential - spikes * threshold,
}


class _Fire(Function):
    """`u >= theta`, with the derivative of a fast sigmoid of the relative distance `x = (u - theta) / theta`.

    The surrogate is `ds/dx = 1 / (1 + |x| / width)**2` (Zenke & Ganguli 2018, SuperSpike). Measuring the distance in
    thresholds makes the gradient independent of a neuron's scale, so it is the same in real numbers and in integers.
    """

    @staticmethod
    def forward(ctx: Any, potential: Tensor, threshold: Tensor, width: float) -> Tensor:
        ctx.save_for_backward(potential, threshold)
        ctx.width = width
        return (potential >= threshold).to(potential.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor | None, None]:
        potential, threshold = ctx.saved_tensors
        ratio = potential / threshold
        slope = (1 + (ratio - 1).abs() / ctx.width).square().reciprocal()
        toward_potential = gradients[0] * slope / threshold  # dx/du = 1 / theta
        if not ctx.needs_input_grad[1]:
            return toward_potential, None, None
        toward_threshold = -(toward_potential * ratio).sum(dim=0)  # dx/dtheta = -u / theta**2
        return toward_potential, toward_threshold, None


class _TowardZero(Function):
    """Rounding toward zero; the gradient passes straight through."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.trunc()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]
