"""What a layer of neurons computes with, and what it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from quant.neurons import Reset
from trainer.surrogates import Surrogate


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The numbers that a layer of N neurons computes with, float32: real ones, or integers (leaks: on their grid).

    Attributes:
        weight: `(N, inputs)`, or `(N, inputs + N)` with recurrent weights: the columns of all sources side by side,
            then the recurrent ones.
        inputs: number of channels of all sources together.
        neuron: `(N,)` each, by their names in the model file: "leak", the fraction kept per step, "threshold",
            positive, and those of the parts that the neurons have. In integer mode leaks are multiples of
            `2**-leak_bits`.
        unit: `(N,)` or `(1,)`, what 1 stands for in real terms: the neuron's scale, or 1 in real numbers.
        width: `(1,)`, of the surrogate derivative, in thresholds.
    """

    weight: Tensor
    inputs: int
    neuron: Mapping[str, Tensor]
    unit: Tensor
    width: Tensor

    @property
    def learned(self) -> Mapping[str, Tensor]:
        """All numbers that may have a gradient, by name."""
        return {"weight": self.weight, "width": self.width, **self.neuron}

    def holding(self, learned: Mapping[str, Tensor]) -> Numbers:
        """The same layer with other tensors for `learned`."""
        neuron = {name: learned[name] for name in self.neuron}
        return Numbers(learned["weight"], self.inputs, neuron, self.unit, learned["width"])

    @property
    def leak(self) -> Tensor:
        return self.neuron["leak"]

    @property
    def threshold(self) -> Tensor:
        return self.neuron["threshold"]

    @property
    def feed_forward(self) -> Tensor:
        """The weights from the sources, `(N, inputs)`."""
        return self.weight[:, : self.inputs]

    @property
    def recurrent(self) -> Tensor | None:
        """The recurrent weights, `(N, N)`, 0 where sparse recurrence has none; None without recurrence."""
        return self.weight[:, self.inputs :] if self.weight.shape[1] > self.inputs else None


@dataclass(frozen=True, slots=True)
class Dynamics:
    """What the neurons do.

    Attributes:
        spiking: whether they fire at all.
        reset: what a spike does to the membrane.
        surrogate: the derivative of a spike.
    """

    spiking: bool
    reset: Reset
    surrogate: Surrogate


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What a layer did, float32 `(T, batch, N)` each; 0 after a sample's end.

    Attributes:
        outputs: the spikes, 0 or 1, as others see them; of neurons that do not fire, the membrane potentials u.
        potential: the membrane potentials u, before the reset.
        of_parts: the states of the parts that have one, by the part's name.
    """

    outputs: Tensor
    potential: Tensor
    of_parts: Mapping[str, Tensor]


def mask(currents: Tensor, ends: Tensor) -> Tensor:
    """`(T, batch, 1)`: 1 in the steps of a sample, 0 beyond its end."""
    return (torch.arange(len(currents), device=currents.device)[:, None] < ends)[:, :, None].to(currents.dtype)
