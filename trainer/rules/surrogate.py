"""Backpropagation through time with a surrogate derivative of the spike (Neftci et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.autograd import Function

from trainer.neurons import Fire, Numbers, Population
from trainer.rules.rule import Did, Gradients, Rule, replay
from trainer.surrogates import SLOPES, Slope

if TYPE_CHECKING:
    from trainer.config import Config


@dataclass(frozen=True, slots=True)
class SurrogateGradient(Rule):
    """The surrogate derivative in every step; none through the reset.

    There the surrogate's error would be multiplied once more in every step, and training long samples becomes
    unstable.
    """

    def check(self, config: Config) -> None:
        """It trains everything."""

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        return replay(did, gradient, surrogate_fire)


def surrogate_fire(population: Population, strength: float = 1.0) -> Fire:
    """Spikes with `strength` times the surrogate derivative."""
    numbers, slope = population.numbers, SLOPES[population.dynamics.surrogate]

    def fire(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        spikes = surrogate_spike(excess, numbers, lambda z: strength * slope(z))
        return spikes, spikes.detach()

    return fire


def surrogate_spike(excess: Tensor, numbers: Numbers, slope: Slope) -> Tensor:
    """Spikes `excess >= threshold`, 0 or 1, with `slope` as their derivative (trainer/surrogates.py)."""
    return _Fire.apply(excess, numbers.threshold, numbers.width, slope)


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
        of_distance = gradients[0] * ctx.slope((ratio - 1).abs() / width)
        of_potential = of_distance / threshold  # dx/du = 1 / theta
        of_threshold = -(of_potential * ratio).sum(dim=0)  # dx/dtheta = -u / theta**2
        of_width = -(of_distance * (ratio - 1) / width).sum().reshape(1)
        return of_potential, of_threshold, of_width, None
