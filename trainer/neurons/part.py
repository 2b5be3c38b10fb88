"""What a part of a neuron is in training: learned numbers, and arithmetic at fixed places of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic
from trainer.neurons.numbers import Numbers
from trainer.neurons.quantity import Quantity

if TYPE_CHECKING:
    from trainer.config import LayerConfig, NetworkConfig


class Part:
    """A part during one walk of a layer; what it leaves alone passes its hooks unchanged.

    Attributes:
        key: its name in the model file, and the option of a layer's configuration that asks for it.
        quantities: its numbers.
        keeps: whether it has a state of its own, which `trail` collects.
        needs_spikes: whether it does nothing where the neuron never spikes.
        adds: whether it adds a number as wide as a state to the input current.
        lateral: whether it does so for each of the layer's other neurons.
    """

    key: ClassVar[str]
    quantities: ClassVar[tuple[Quantity, ...]]
    keeps: ClassVar[bool] = False
    needs_spikes: ClassVar[bool] = False
    adds: ClassVar[bool] = False
    lateral: ClassVar[bool] = False

    def __init__(self, numbers: Numbers, arithmetic: Arithmetic, rest: Tensor) -> None:
        """`rest`: zeros `(batch, N)`."""
        self.numbers, self.arithmetic, self.state = numbers, arithmetic, rest
        self.trail: list[Tensor] = []

    @classmethod
    def start(cls, layer: LayerConfig, network: NetworkConfig, draw: torch.Generator) -> tuple[Tensor, ...]:
        """The parameters `(N,)` before training, one for each of `quantities`."""
        return tuple(torch.zeros(layer.neurons) for _ in cls.quantities)

    def inhibited(self, current: Tensor, outputs: Tensor) -> Tensor:
        """The input current behind this part, given what the layer put out in the step before."""
        return current

    def current(self, current: Tensor, spikes: Tensor) -> Tensor:
        """The input current behind this part, given the spikes of the step before."""
        return current

    def potential(self, potential: Tensor, spikes: Tensor) -> Tensor:
        """The potential behind this part, given the spikes of the step before."""
        return potential

    def excess(self, potential: Tensor, spikes: Tensor) -> Tensor:
        """What of the potential counts against the threshold, given the spikes of the step before."""
        return potential

    def output(self, spikes: Tensor) -> Tensor:
        """What the neuron puts out in this step, given its spikes."""
        return spikes

    def keep(self, state: Tensor) -> Tensor:
        """Take a new state."""
        self.state = state
        self.trail.append(state)
        return state


def loop(spikes: Tensor, weight: Tensor, bound: Tensor) -> Tensor:
    """A neuron's own spike times a weight `(N,)`, whose gradient for the spike never grows around the loop.

    Of the weight this gradient sees what is within `bound`: step by step, a stronger one would multiply the
    surrogate's gradient without limit, and samples of hundreds of steps would have none left to learn from.
    """
    bound = bound.detach()
    return spikes.detach() * weight + (spikes - spikes.detach()) * weight.detach().clamp(-bound, bound)
