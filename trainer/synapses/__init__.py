"""Synapses: what becomes of the change that an optimizer wants of a stored weight, after any rule.

A new kind is a file here and a line in `SYNAPSES`.
"""

from __future__ import annotations

from collections.abc import Mapping

from trainer.synapses.metaplastic import Metaplastic
from trainer.synapses.pcm import Pcm
from trainer.synapses.synapse import Ideal, Store, Synapse

SYNAPSES: Mapping[str, type[Synapse]] = {"ideal": Ideal, "metaplastic": Metaplastic, "pcm": Pcm}

__all__ = ["SYNAPSES", "Ideal", "Metaplastic", "Pcm", "Store", "Synapse"]
