"""E-prop: what a neuron's past made of its inputs, times an error that the last layer tells it in every step.

Bellec et al. 2020, A solution to the learning dilemma for recurrent networks of spiking neurons, Nature Communications
11:3625. An eligibility trace says how a weight moves its own neuron, by way of that neuron's own states alone: the
membrane, whose reset does not count, and the adaptive threshold. What reaches it by way of other neurons' spikes is
neglected. Summed over a sample, traces times errors are backpropagation through time in which the recurrent spikes are
given numbers; that is how they are computed here, with the states of all steps in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import torch
from torch import Tensor

from quant.errors import ConfigError
from trainer.neurons import Population
from trainer.rules.rule import Did, Gradients, Rule, check_features, replay
from trainer.rules.surrogate import SurrogateGradient, surrogate_fire
from trainer.schema import Range

if TYPE_CHECKING:
    from trainer.config import Config

_RESETS, _PARTS = {"subtract", "late_subtract"}, {"adaptation", "bias", "refractory"}
_TRAINS = frozenset({*_RESETS, *_PARTS, "dense_recurrent", "sparse_recurrent"})


@dataclass(frozen=True, slots=True)
class Eprop(Rule):
    """The pseudo-derivative is `dampening` times `train.surrogate`, whose triangle of width 1 is the authors'.

    As in backpropagation, the gradient passes from a spike to later thresholds by a step of at most a threshold.

    Attributes:
        feedback: what brings the error of the last layer to a hidden one: "symmetric", the weights between the two,
            or "random", a fixed matrix of normal numbers over the square root of its neurons (broadcast alignment).
        dampening: the largest pseudo-derivative, in inverse thresholds.
        seed: draws the fixed matrices.
        online: carry traces along step by step, in memory that does not grow with the steps (trainer/online.py).
    """

    broadcast: ClassVar[bool] = True

    feedback: Literal["symmetric", "random"] = "symmetric"
    dampening: Annotated[float, Range(0.0001, 10.0)] = 0.3
    seed: Annotated[int, Range(0, 2**32 - 1)] = 1
    online: bool = False

    def check(self, config: Config) -> None:
        check_features(config, "eprop", _TRAINS)
        layers = config.network.layers
        if self.online:
            self._check_online(config)
        for index in range(1, len(layers)):
            if self.feedback == "symmetric" and index not in layers[-1].sources:
                raise ConfigError(
                    f"network.layers[{index}] does not feed the last layer and would get no error by symmetric "
                    f'feedback; take train.rule.feedback = "random", or add {index} to the last layer\'s sources'
                )

    def _check_online(self, config: Config) -> None:
        learned, train = config.plasticity, config.train
        for bad, where, remedy in (
            (not hasattr(train.loss, "of_steps"), "train.loss", 'take "squared_error" or "step_cross_entropy"'),
            (config.network.readout != "membrane_last", "network.readout", 'take "membrane_last"'),
            (learned.leak or config.network.leak_spread, "plasticity.leak", "set it to false, and leak_spread to 0"),
            (learned.adaptation_leak, "plasticity.adaptation_leak", "set it to false"),
            (config.network.imported, "network.imported", "its leaks may differ: set train.rule.online to false"),
            (train.surrogate.learned, "train.surrogate.learned", "set it to false"),
        ):
            if bad:
                raise ConfigError(f"{where}: train.rule eprop has no online form for this; {remedy}")

    def hear(self, layer: int, weight: Tensor, error: Tensor) -> Tensor:
        if self.feedback == "random":
            draw = torch.Generator().manual_seed(self.seed + layer)
            weight = (torch.randn(weight.shape, generator=draw) / weight.shape[1] ** 0.5).to(weight)
        return error @ weight

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        found = self._alone(did, gradient)
        numbers, currents = did.population.numbers, found.currents
        if numbers.recurrent is None or not did.population.dynamics.spiking:
            return found
        assert currents is not None
        d_recurrent = currents[1:].flatten(0, 1).T @ did.states.outputs[:-1].flatten(0, 1)
        weight = torch.nn.functional.pad(d_recurrent, (numbers.inputs, 0))
        return replace(found, numbers={**found.numbers, "weight": weight})

    def _alone(self, did: Did, gradient: Tensor) -> Gradients:
        """The gradients of neurons for which the spikes of others are given: they have no recurrent weights."""
        from trainer import kernels  # which import the rules

        numbers, recurrent, spikes = did.population.numbers, did.population.numbers.recurrent, did.states.outputs
        dampening = self.dampening if did.population.dynamics.spiking else 1.0
        alone = replace(did.population, numbers=replace(numbers, weight=numbers.feed_forward))
        if (kernel := kernels.find(did.currents, alone, SurrogateGradient())) is not None:
            return kernel.backward(did.ends, _damped(alone, dampening), did.states, dampening * gradient)
        currents = did.currents.clone()
        if recurrent is not None and did.population.dynamics.spiking:
            currents[1:] += spikes[:-1] @ recurrent.T
        fire = partial(surrogate_fire, strength=dampening)
        return replay(replace(did, currents=currents, population=alone), gradient, fire)


def _damped(population: Population, dampening: float) -> Population:
    """Neurons whose undamped gradient is the damped one of `population`, if `dampening` is taken times the outputs'.

    A step of adaptation is the only way from a neuron's spike to its later ones.
    """
    numbers, neuron = population.numbers, dict(population.numbers.neuron)
    if "adaptation_step" in neuron:
        neuron["adaptation_step"] = dampening * neuron["adaptation_step"].clamp(max=numbers.threshold)
    return replace(population, numbers=replace(numbers, neuron=neuron))
