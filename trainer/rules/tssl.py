"""TSSL-BP (Zhang & Li 2020, Temporal spike sequence learning via backpropagation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor
from torch.autograd import Function

from quant.errors import ConfigError
from trainer.neurons import Fire, Population
from trainer.rules.rule import Did, Gradients, replay
from trainer.surrogates import SLOPES, Slope

if TYPE_CHECKING:
    from trainer.config import Config

_TRAINS = frozenset({"bias", "self_weight", "synapse", "delay", "zero", "subtract"})
_SLOWEST_RISE = 1e-6
_MOST_EARLIER = 8.0  # bound of 1 / rise, in thresholds
_QUIET = 0.25  # trace of the neuron's own spikes, decaying with its leak, below which it counts as quiet


@dataclass(frozen=True, slots=True)
class Tssl:
    """The gradient passes at spikes, by the inverse of the potential's rise.

    A higher potential makes a spike come earlier, by the inverse of the potential's rise in the step: the gradient
    passes where there is a spike, times `1 / rise`, and not where there is none. A neuron that has been quiet has no
    spike to move; there the surrogate stands in. Bound, quiet neurons and the part of the reset follow the authors'
    last code (github.com/stonezwr/TSSL-BP, functions/tsslbp.py), whose synapses are in front of the neurons.
    """

    broadcast: ClassVar[bool] = False

    def check(self, config: Config) -> None:
        if config.train.surrogate.learned:
            raise ConfigError("train.surrogate.learned: the width has no gradient under the rule tssl; schedule it")
        for index, layer in enumerate(config.network.layers, start=1):
            for name in (layer.reset, *(part.key for part in layer.parts)):
                if name not in _TRAINS:
                    raise ConfigError(
                        f"network.layers[{index}] has {name}; train.rule tssl needs a threshold that stays and a reset "
                        "in the step of its spike: leave it out, or take the rule surrogate"
                    )

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        return replay(did, gradient, _fire_in_time)


def _fire_in_time(population: Population) -> Fire:
    numbers, slope, trace = population.numbers, SLOPES[population.dynamics.surrogate], torch.zeros(())
    leak = numbers.leak.detach()

    def fire(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal trace
        rise = excess.detach() - before.detach()
        spikes = _FireInTime.apply(excess, numbers.threshold, numbers.width, slope, rise, trace)
        trace = leak * trace + spikes.detach()
        # The reset moves with its spike: its response changes by 1 - leak per step.
        return spikes, spikes.detach() + (1 - leak) * (spikes - spikes.detach())

    return fire


class _FireInTime(Function):
    """The same spike as in `surrogate`, with the derivative of TSSL-BP."""

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
        of_potential = gradients[0] * slope / threshold
        return of_potential, -(of_potential * ratio).sum(dim=0), None, None, None, None
