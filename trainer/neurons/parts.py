"""The registry of a neuron's parts."""

from __future__ import annotations

from trainer.neurons.adaptation import Adaptation
from trainer.neurons.bias import Bias
from trainer.neurons.delay import Delay
from trainer.neurons.inhibition import Inhibition
from trainer.neurons.part import Part
from trainer.neurons.quantity import LEAK, THRESHOLD
from trainer.neurons.refractory import Refractory
from trainer.neurons.self_weight import SelfWeight
from trainer.neurons.synapse import Synapse

# In the order in which they act at each place of a step.
PARTS: tuple[type[Part], ...] = (Bias, Inhibition, SelfWeight, Synapse, Adaptation, Delay, Refractory)
QUANTITIES = {one.name: one for one in (LEAK, THRESHOLD, *(one for part in PARTS for one in part.quantities))}
