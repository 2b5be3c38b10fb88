"""TSSL-BP (Zhang & Li 2020, Temporal spike sequence learning via backpropagation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from quant.errors import ConfigError
from trainer.neurons import Fire, Population
from trainer.rules.rule import Did, Gradients, Rule, check_features, replay
from trainer.rules.surrogate import surrogate_spike
from trainer.surrogates import SLOPES

if TYPE_CHECKING:
    from trainer.config import Config

_TRAINS = frozenset(
    {"bias", "self_weight", "synapse", "delay", "zero", "subtract", "dense_recurrent", "sparse_recurrent", "normalize"}
)
_SLOWEST_RISE = 1e-6
_MOST_EARLIER = 8.0  # bound of 1 / rise, in thresholds
_QUIET = 0.25  # trace of the neuron's own spikes, decaying with its leak, below which it counts as quiet


@dataclass(frozen=True, slots=True)
class Tssl(Rule):
    """The gradient passes at spikes, by the inverse of the potential's rise.

    A higher potential makes a spike come earlier, by the inverse of the potential's rise in the step: the gradient
    passes where there is a spike, times `1 / rise`, and not where there is none. A neuron that has been quiet has no
    spike to move; there the surrogate stands in. Bound, quiet neurons and the part of the reset follow the authors'
    last code (github.com/stonezwr/TSSL-BP, functions/tsslbp.py), whose synapses are in front of the neurons.
    """

    def check(self, config: Config) -> None:
        if config.train.surrogate.learned:
            raise ConfigError("train.surrogate.learned: the width has no gradient under the rule tssl; schedule it")
        check_features(config, "tssl", _TRAINS)

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        return replay(did, gradient, _fire_in_time)


def _fire_in_time(population: Population) -> Fire:
    numbers, surrogate, trace = population.numbers, SLOPES[population.dynamics.surrogate], torch.zeros(())
    leak, threshold = numbers.leak.detach(), numbers.threshold.detach()

    def fire(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal trace
        potential, quiet = excess.detach(), trace < _QUIET
        earlier = (threshold / (potential - before.detach()).clamp(min=_SLOWEST_RISE)).clamp(max=_MOST_EARLIER)

        def slope(z: Tensor) -> Tensor:
            return torch.where(potential >= threshold, earlier, torch.where(quiet, surrogate(z), 0.0))

        spikes = surrogate_spike(excess, numbers, slope)
        trace = leak * trace + spikes.detach()
        # The reset moves with its spike: its response changes by 1 - leak per step.
        return spikes, spikes.detach() + (1 - leak) * (spikes - spikes.detach())

    return fire
