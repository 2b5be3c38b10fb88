"""The neurons of one layer walking through time, in plain PyTorch; trainer/kernels computes the same, compiled.

The equations are those of docs/semantics.md (the golden model: quant/golden.py). One walk serves both phases of
training: `Real` leaves every value as it is, `Integer` rounds and saturates like the hardware, on integers held in
float32, and lets the gradient pass the rounding unchanged (straight through).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor
from torch.autograd import Function

from quant.formats import signed_range
from quant.neurons import Reset
from quant.readouts import SCORE_BITS
from trainer.surrogates import SLOPES, Slope, Surrogate

Rule = Literal["surrogate", "tssl"]


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
        width: `(1,)`, of the surrogate derivative, in thresholds.
    """

    weight: Tensor
    inputs: int
    self_weight: Tensor | None
    leak: Tensor
    synapse_leak: Tensor | None
    threshold: Tensor
    unit: Tensor
    width: Tensor

    @property
    def loop_bound(self) -> Tensor:
        """`(N,)`: the self-recurrent weight with which the gradient around a neuron's own loop would never shrink."""
        kept = 1 - self.leak if self.synapse_leak is None else (1 - self.leak) * (1 - self.synapse_leak)
        return (kept * self.threshold).detach()

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
    """What the neurons do, and how the gradient passes a spike.

    Attributes:
        spiking: whether they fire at all.
        reset: what a spike does to the membrane.
        surrogate: the derivative of a spike.
        rule: "surrogate", that derivative everywhere; "tssl", TSSL-BP (`_FireInTime`).
    """

    spiking: bool
    reset: Reset
    surrogate: Surrogate
    rule: Rule = "surrogate"


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What a layer did, float32 `(T, batch, N)` each; 0 after a sample's end.

    Attributes:
        outputs: the spikes, 0 or 1; of neurons that do not fire, the membrane potentials u.
        potential: the membrane potentials u, before the reset.
        current: the filtered currents c, or None without a synaptic filter.
    """

    outputs: Tensor
    potential: Tensor
    current: Tensor | None


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
        return _Saturate.apply(value, *signed_range(self.state_bits))

    def total(self, values: Tensor) -> Tensor:
        if len(values) << (self.state_bits - 1) < 1 << (SCORE_BITS - 1):  # the bound is out of reach
            return values.sum(dim=0, dtype=torch.float64)
        sums = torch.zeros_like(values[0], dtype=torch.float64)
        for value in values:
            sums = (sums + value).clamp(*signed_range(SCORE_BITS))
        return sums


def alive(drives: Tensor, ends: Tensor) -> Tensor:
    """`(T, batch, 1)`: 1 in the steps of a sample, 0 beyond its end."""
    return (torch.arange(len(drives), device=drives.device)[:, None] < ends)[:, :, None].to(drives.dtype)


def walk(drives: Tensor, ends: Tensor, numbers: Numbers, arithmetic: Arithmetic, dynamics: Dynamics) -> States:
    """Run the neurons through all steps, from rest, in plain PyTorch: the definition that every kernel repeats.

    Args:
        drives: `(T, batch, N)`, the input current of every step, all sources summed, recurrence excluded.
        ends: int64 `(batch,)`, steps of each sample, `1 .. T`.
        numbers, arithmetic, dynamics: see there.
    """
    spikes = membrane = current = trace = torch.zeros_like(drives[0])
    recurrent = numbers.recurrent
    outputs, potentials, currents = [], [], []
    for drive in drives.unbind(0):
        if recurrent is not None:
            drive = drive + spikes @ recurrent.T
        if numbers.self_weight is not None:
            drive = drive + _Recur.apply(spikes, numbers.self_weight, numbers.loop_bound)
        if numbers.synapse_leak is not None:
            current = arithmetic.saturate(arithmetic.round(current * numbers.synapse_leak) + drive)
            currents.append(current)
        else:
            current = drive
        potential = arithmetic.saturate(arithmetic.round(membrane * numbers.leak) + current)
        potentials.append(potential)
        if dynamics.spiking:
            fire = potential, numbers.threshold, numbers.width, SLOPES[dynamics.surrogate]
            if dynamics.rule == "tssl":
                spikes = _FireInTime.apply(*fire, potential.detach() - membrane.detach(), trace)
                trace = numbers.leak.detach() * trace + spikes.detach()
                # The reset moves with its spike: its response changes by 1 - leak per step.
                resetting = spikes.detach() + (1 - numbers.leak.detach()) * (spikes - spikes.detach())
            else:
                spikes = _Fire.apply(*fire)
                # No gradient flows through the reset: the surrogate's error would be multiplied once more in every
                # step, and training long samples becomes unstable.
                resetting = spikes.detach()
            membrane = _RESETS[dynamics.reset](potential, resetting, numbers.threshold)
            outputs.append(spikes)
        else:
            membrane = potential
            outputs.append(potential)
    within = alive(drives, ends)
    return States(
        torch.stack(outputs) * within,
        torch.stack(potentials) * within,
        torch.stack(currents) * within if currents else None,
    )


_RESETS = {
    "zero": lambda potential, spikes, threshold: potential * (1 - spikes),
    "subtract": lambda potential, spikes, threshold: potential - spikes * threshold,
}


class _Recur(Function):
    """A neuron's own spike times its self-recurrent weight.

    Toward the spike, the gradient sees the weight only up to the bound: step by step, a stronger one would multiply
    the surrogate's gradient without limit, and samples of hundreds of steps would have none left to learn from.
    """

    @staticmethod
    def forward(ctx: Any, spikes: Tensor, self_weight: Tensor, bound: Tensor) -> Tensor:
        ctx.save_for_backward(spikes, self_weight, bound)
        return spikes * self_weight

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        spikes, self_weight, bound = ctx.saved_tensors
        return gradients[0] * self_weight.clamp(-bound, bound), (gradients[0] * spikes).sum(dim=0), None


class _Fire(Function):
    """`u >= theta`, with a surrogate derivative of the relative distance `x = (u - theta) / theta`.

    The width's gradient is that of a smooth spike `width * H(x / width)` whose derivative is the surrogate.
    """

    @staticmethod
    def forward(ctx: Any, potential: Tensor, threshold: Tensor, width: Tensor, slope: Slope) -> Tensor:
        ctx.save_for_backward(potential, threshold, width)
        ctx.slope = slope
        return (potential >= threshold).to(potential.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        potential, threshold, width = ctx.saved_tensors
        ratio = potential / threshold
        toward_distance = gradients[0] * ctx.slope((ratio - 1).abs() / width)
        toward_potential = toward_distance / threshold  # dx/du = 1 / theta
        toward_threshold = -(toward_potential * ratio).sum(dim=0)  # dx/dtheta = -u / theta**2
        toward_width = -(toward_distance * (ratio - 1) / width).sum().reshape(1)
        return toward_potential, toward_threshold, toward_width, None


class _FireInTime(Function):
    """The same spike, with the derivative of TSSL-BP (Zhang & Li 2020, Temporal spike sequence learning).

    A higher potential makes a spike come earlier, by the inverse of the potential's rise in the step: the gradient
    passes where there is a spike, times `1 / rise`, and not where there is none. A neuron that has been quiet has no
    spike to move; there the surrogate stands in. Bound, quiet neurons and the part of the reset follow the authors'
    last code (github.com/stonezwr/TSSL-BP, functions/tsslbp.py), whose synapses are in front of the neurons.
    """

    @staticmethod
    def forward(
        ctx: Any, potential: Tensor, threshold: Tensor, width: Tensor, slope: Slope, rise: Tensor, trace: Tensor
    ) -> Tensor:
        ctx.save_for_backward(potential, threshold, width, rise, trace)
        ctx.slope = slope
        return (potential >= threshold).to(potential.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        potential, threshold, width, rise, trace = ctx.saved_tensors
        ratio = potential / threshold
        fired = potential >= threshold
        earlier = (threshold / rise.clamp(min=_SLOWEST_RISE)).clamp(max=_MOST_EARLIER)
        slope = torch.where(fired, earlier, torch.where(trace < _QUIET, ctx.slope((ratio - 1).abs() / width), 0.0))
        toward_potential = gradients[0] * slope / threshold
        return toward_potential, -(toward_potential * ratio).sum(dim=0), None, None, None, None


_SLOWEST_RISE = 1e-6
_MOST_EARLIER = 8.0  # bound of 1 / rise, in thresholds
_QUIET = 0.25  # trace of the neuron's own spikes, decaying with its leak, below which it counts as quiet


class _TowardZero(Function):
    """Rounding toward zero; the gradient passes straight through."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        return value.trunc()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _Saturate(Function):
    """Clamping to the range of a state; no gradient reaches a state that stands at its bound."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, low: int, high: int) -> Tensor:
        bounded = value.clamp(low, high)
        ctx.save_for_backward((bounded > low) & (bounded < high))
        return bounded

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0] * ctx.saved_tensors[0], None, None
