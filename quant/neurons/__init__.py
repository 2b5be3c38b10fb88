"""Neurons and their parts. A new part is a file here and a line in `PARTS`."""

from __future__ import annotations

from quant.neurons.adaptation import Adaptation
from quant.neurons.bias import Bias
from quant.neurons.delay import Delay
from quant.neurons.inhibition import Inhibition
from quant.neurons.lif import Lif
from quant.neurons.part import Part
from quant.neurons.refractory import Refractory
from quant.neurons.resets import RESETS, Reset
from quant.neurons.self_weight import SelfWeight
from quant.neurons.synapse import Synapse

# In the order in which they act at each place of a step, and in which hardware stores their parameters.
PARTS: tuple[type[Part], ...] = (SelfWeight, Bias, Inhibition, Synapse, Adaptation, Delay, Refractory)

__all__ = [
    "PARTS",
    "RESETS",
    "Adaptation",
    "Bias",
    "Delay",
    "Inhibition",
    "Lif",
    "Part",
    "Refractory",
    "Reset",
    "SelfWeight",
    "Synapse",
]
