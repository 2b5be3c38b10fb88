"""What training minimizes: losses of a batch's answer, by name, and the price of inactive or overactive neurons.

Losses are float32, one value per sample.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol

import torch
from torch import Tensor, nn

from trainer.arithmetic import Real
from trainer.distributed import total
from trainer.neurons import Dynamics, Numbers, Population, mask
from trainer.rules import SurrogateGradient
from trainer.schema import Range
from trainer.walk import walk

if TYPE_CHECKING:
    from trainer.network import Network

_Fraction = Annotated[float, Range(0.0, 1.0)]
_Steps = Annotated[int, Range(0, 1_000_000)]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a network says about a batch.

    Attributes:
        logits: `(batch, classes)`, the scores as the softmax sees them.
        outputs: `(T, batch, classes)`, the last layer's spikes or potentials, in real units; 0 after a sample's end.
        steps, labels: int64 `(batch,)`.
        targets: `(batch, classes)`, a teacher's probabilities, which stand for the labels, or None.
        traces: `(T, batch, outputs)`, what a regression's outputs are to be in every step, 0 after the end, or None.
        gain: what a unit of output counts for in a softmax.
    """

    logits: Tensor
    outputs: Tensor
    steps: Tensor
    labels: Tensor
    targets: Tensor | None = None
    traces: Tensor | None = None
    gain: float | Tensor = 1.0


class Loss(Protocol):
    """A loss with its options filled in: a frozen dataclass that is called with an answer.

    Attributes:
        unit: what it is measured in.
        steps_differ: whether a spike's gradient depends on its step.
    """

    unit: ClassVar[str]
    steps_differ: ClassVar[bool] = False

    def __call__(self, answer: Answer) -> Tensor:
        """One value per sample, `(batch,)`."""


@dataclass(frozen=True, slots=True)
class CrossEntropy(Loss):
    """Of the softmax of the logits to the label or the teacher.

    Attributes:
        smoothing: the part of the target that is spread over all classes.
    """

    unit: ClassVar[str] = "nats"
    smoothing: _Fraction = 0.0

    def __call__(self, answer: Answer) -> Tensor:
        target = answer.labels if answer.targets is None else answer.targets
        return nn.functional.cross_entropy(answer.logits, target, reduction="none", label_smoothing=self.smoothing)


@dataclass(frozen=True, slots=True)
class SpikeCount(Loss):
    """Squared distance of the output neurons' rates, in spikes per step, from a high one for the class, else a low one.

    Shrestha & Orchard 2018, SLAYER, equation 22, per step, so that long samples weigh no more than short ones.

    Attributes:
        right, wrong: the rate wanted of the class and of the others, in spikes per step.
        margin: a distance that costs nothing (Zhang & Li 2019, ST-RSBP).
    """

    unit: ClassVar[str] = "squared spikes per step"
    right: _Fraction = 0.5
    wrong: _Fraction = 0.05
    margin: _Fraction = 0.0

    def __call__(self, answer: Answer) -> Tensor:
        rates = answer.outputs.sum(dim=0) / answer.steps[:, None]
        target = torch.full_like(rates, self.wrong).scatter(1, answer.labels[:, None], self.right)
        errors = rates - target
        return (errors.square() * (errors.abs() > self.margin)).sum(dim=1)


@dataclass(frozen=True, slots=True)
class RelativeCount(Loss):
    """Half the squared distance of the spike counts, as fractions of the largest, from 1 for the class, else 0.

    Its gradient for every spike is that distance, as in Lee, Delbruck & Pfeiffer 2016: the largest count is no function
    of the spikes there.
    """

    unit: ClassVar[str] = "squared shares"

    def __call__(self, answer: Answer) -> Tensor:
        counts = answer.outputs.sum(dim=0)
        shares = (counts / counts.amax(dim=1, keepdim=True).clamp(min=1)).detach() + counts - counts.detach()
        target = nn.functional.one_hot(answer.labels, counts.shape[1])
        return 0.5 * (shares - target).square().sum(dim=1)


@dataclass(frozen=True, slots=True)
class VanRossum(Loss):
    """Distance of filtered output spike trains from filtered target trains: a spike every `period` steps, or none.

    Both are filtered with an exponential of `tau` steps; the squared distance is averaged over the steps. van Rossum
    2001; as a training loss in Zhang & Li 2020, TSSL-BP.

    Attributes:
        tau: time constant of the filter, in steps.
        period: steps between the spikes that the class is to give.
    """

    unit: ClassVar[str] = "squared spikes"
    steps_differ: ClassVar[bool] = True
    tau: Annotated[float, Range(0.1, 10_000.0)] = 5.0
    period: Annotated[int, Range(1, 10_000)] = 3

    def __call__(self, answer: Answer) -> Tensor:
        within = mask(answer.outputs, answer.steps)
        on = (torch.arange(len(answer.outputs), device=within.device) % self.period == self.period - 1).to(within.dtype)
        classes = answer.outputs.shape[2]
        target = on[:, None, None] * nn.functional.one_hot(answer.labels, classes).to(within.dtype)
        distance = _filtered(answer.outputs - target * within, answer.steps, self.tau)
        return distance.square().sum(dim=(0, 2)) / answer.steps


@dataclass(frozen=True, slots=True)
class StepLoss(Loss, ABC):
    """A loss of every step by itself: a sample's is the mean over those of its last steps that count.

    Attributes:
        last: so many steps at the end of a sample count; 0: all.
    """

    steps_differ: ClassVar[bool] = True
    last: _Steps = 0

    @abstractmethod
    def of_steps(self, answer: Answer) -> Tensor:
        """`(T, batch)`."""

    def shares(self, steps: Tensor, longest: int) -> Tensor:
        """`(longest, batch)`: what each step counts for in its sample's loss."""
        counted = steps.clamp(max=self.last) if self.last else steps
        step = torch.arange(longest, device=steps.device)[:, None]
        return ((step < steps) & (step >= steps - counted)) / counted.clamp(min=1)

    def __call__(self, answer: Answer) -> Tensor:
        return (self.of_steps(answer) * self.shares(answer.steps, len(answer.outputs))).sum(dim=0)


@dataclass(frozen=True, slots=True)
class StepCrossEntropy(StepLoss):
    """Cross entropy of the softmax of the potentials in every step (Bellec et al. 2020, e-prop)."""

    unit: ClassVar[str] = "nats"

    def of_steps(self, answer: Answer) -> Tensor:
        labels = answer.labels.expand(len(answer.outputs), -1)
        return nn.functional.cross_entropy((answer.outputs * answer.gain).movedim(2, 1), labels, reduction="none")


@dataclass(frozen=True, slots=True)
class SquaredError(StepLoss):
    """Mean squared distance of the outputs from the sample's traces, per step and output: for regression."""

    unit: ClassVar[str] = "mean squared error per step"

    def of_steps(self, answer: Answer) -> Tensor:
        assert answer.traces is not None, "a regression has traces"
        return (answer.outputs - answer.traces).square().mean(dim=2)


LOSSES: Mapping[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "step_cross_entropy": StepCrossEntropy,
    "squared_error": SquaredError,
    "spike_count": SpikeCount,
    "relative_count": RelativeCount,
    "van_rossum": VanRossum,
}


def inactivity(outputs: Tensor, steps: Tensor, low: float, high: float) -> Tensor:
    """Mean squared distance of the neurons' rates in a batch from the range `low .. high`, in spikes per step.

    Args:
        outputs: `(T, batch, N)`, a layer's spikes.
    """
    sums = total(torch.cat([outputs.sum(dim=(0, 1)), steps.sum().to(outputs.dtype).reshape(1)]))
    rates = sums[:-1] / sums[-1]
    return (rates - rates.detach().clamp(low, high)).square().mean()


def growth(weight: Tensor, beta: float, limit: float) -> Tensor:
    """Half the sum over the neurons of `exp(beta * (|w|**2 / limit**2 - 1))`; `weight` is `(N, inputs)`."""
    return 0.5 * (beta * ((weight / limit).square().sum(dim=1) - 1)).exp().sum()


def price_of_growth(network: Network) -> Tensor:
    """What all weights of a network cost, 0 unless `train.growth` has a strength."""
    how, none = network.config.train.growth, torch.zeros((), device=network.device)
    if not how.strength:
        return none
    return how.strength * sum((growth(one.connected_weight, how.beta, how.limit) for one in network.layers), none)


def _filtered(trains: Tensor, steps: Tensor, tau: float) -> Tensor:
    """`trains` `(T, batch, N)` through `y[t] = exp(-1 / tau) y[t - 1] + x[t]`: neurons that never fire."""
    ones = trains.new_ones(trains.shape[2])
    numbers = Numbers(
        weight=ones[:, None],
        inputs=1,
        neuron={"leak": ones * math.exp(-1 / tau), "threshold": ones},
        unit=ones[:1],
        width=ones[:1],
    )
    silent = Population(numbers, Real(), Dynamics(False, "zero", "fast_sigmoid"))
    return walk(trains, steps, silent, SurrogateGradient()).outputs
