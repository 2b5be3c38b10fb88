"""The bias, a constant input current: `x + b`."""

from __future__ import annotations

from torch import Tensor

from trainer.neurons.part import Part
from trainer.neurons.quantity import Quantity


class Bias(Part):
    key = "bias"
    quantities = (Quantity("bias"),)
    adds = True

    def current(self, current: Tensor, spikes: Tensor) -> Tensor:
        return current + self.numbers.neuron["bias"]
