"""Neurons and their parts in training. A new part is a file here and a line in `PARTS`."""

from __future__ import annotations

from trainer.neurons.lif import Fire, Population, walk
from trainer.neurons.numbers import Dynamics, Numbers, States, mask
from trainer.neurons.part import Part
from trainer.neurons.parts import PARTS, QUANTITIES
from trainer.neurons.quantity import LEAK, THRESHOLD, Quantity, logit
from trainer.neurons.resets import RESETS

__all__ = [
    "LEAK",
    "PARTS",
    "QUANTITIES",
    "RESETS",
    "THRESHOLD",
    "Dynamics",
    "Fire",
    "Numbers",
    "Part",
    "Population",
    "Quantity",
    "States",
    "logit",
    "mask",
    "walk",
]
