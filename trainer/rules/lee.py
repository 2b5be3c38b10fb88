"""Lee's rule: the membrane potential at a sample's end as the signal that has a gradient.

Lee, Delbruck and Pfeiffer 2016, Training deep spiking neural networks using backpropagation, Frontiers in Neuroscience
10:508. With the reset by subtraction, a membrane is a sum of traces, `V = sum_k w_k x_k - theta a`: `x_k` the spikes of
input k and `a` the neuron's own, each decaying with the membrane's leak. Their values at the end say how a weight and
a threshold move it; what spikes do between is neglected. A hidden neuron that stayed silent takes no part, as a
rectifier below 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import torch
from torch import Tensor

from quant.errors import ConfigError
from trainer.distributed import total
from trainer.neurons import mask
from trainer.rules.rule import Did, Gradients, Rule, check_counts, check_features
from trainer.schema import Range, unparse

if TYPE_CHECKING:
    from trainer.config import Config


@dataclass(frozen=True, slots=True)
class Lee(Rule):
    """`delta_i x_k` for weights and `-delta_i a_i` for thresholds.

    Attributes:
        normalize: scale the error `delta` of each layer so that it neither fades nor grows from layer to layer: the
            derivative's factor, the inverse threshold, is taken relative to its root mean square over the neurons
            that spiked, and times `sqrt(neurons / inputs that spiked)`.
        balance: how strongly thresholds follow the neurons' shares of the layer's spikes, so that all take part.
    """

    normalize: bool = True
    balance: Annotated[float, Range(0.0, 1.0)] = 0.0

    def check(self, config: Config) -> None:
        check_counts(config, "lee")
        if config.train.loss.steps_differ:
            loss = unparse(config.train)["loss"]["name"]
            raise ConfigError(
                f"train.rule lee learns from one error for a whole sample; train.loss {loss} has one in every step: "
                "take spike_count, relative_count or cross_entropy"
            )
        check_features(config, "lee", frozenset({"subtract", "inhibition"}))

    def backward(self, did: Did, gradient: Tensor) -> Gradients:
        assert did.sources is not None
        numbers, spikes, neurons = did.population.numbers, did.states.outputs, gradient.shape[2]
        last = (did.ends - 1).clamp(min=0)
        error = gradient[last, torch.arange(len(last), device=last.device)]
        active = (spikes.sum(dim=0) > 0).to(error)
        if did.hidden:
            error = error * active
        unit = numbers.unit.detach()
        gain = 1 / (numbers.threshold * unit)  # in real terms, as all of a normalized error
        error = error * gain
        if self.normalize:
            mean = ((gain.square() * active).sum(dim=1) / active.sum(dim=1).clamp(min=1)).sqrt()
            mean = torch.where(mean > 0, mean, gain.square().mean().sqrt())
            inputs = (did.sources.sum(dim=0) > 0).sum(dim=1).clamp(min=1)
            error = error / mean[:, None] * (neurons / inputs).sqrt()[:, None]
        error = error * unit
        age = last - torch.arange(len(gradient), device=last.device)[:, None]  # (T, B): steps to the end
        decay = numbers.leak ** age.clamp(min=0)[:, :, None] * mask(gradient, did.ends)
        own = (spikes * decay).sum(dim=0)
        threshold = -(error * own).sum(dim=0)
        if self.balance:
            counts = spikes.sum(dim=(0, 1))
            samples = total((did.ends > 0).sum().to(counts))
            threshold -= self.balance * (neurons * counts - counts.sum()) / (numbers.threshold * samples)
        found = {"threshold": threshold}
        if "inhibition" in numbers.neuron:
            others = spikes.sum(dim=2, keepdim=True) - spikes
            found["inhibition"] = -(error * (others[:-1] * decay[1:]).sum(dim=0)).sum(dim=0)
        return Gradients(error * decay, numbers=found)
