"""The neurons of one layer walking through time, in plain PyTorch: the definition that every kernel repeats.

The equations are those of docs/semantics.md (the golden model: quant/golden.py). One walk serves both phases of
training, by the arithmetic it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.arithmetic import Arithmetic
from trainer.neurons.numbers import Dynamics, Numbers, States, mask
from trainer.neurons.part import Part
from trainer.neurons.parts import PARTS
from trainer.neurons.resets import RESETS

# From what of the potential counts against the threshold, and the membrane of the step before: the spikes, and the
# same as the reset sees them. A rule brings one whose spikes pass a gradient (trainer/rules).
Fire = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The neurons of a layer: the numbers that they compute with, in which arithmetic, and what they do."""

    numbers: Numbers
    arithmetic: Arithmetic
    dynamics: Dynamics

    @property
    def parts(self) -> list[type[Part]]:
        """The parts that these neurons have and that do something, in the order in which they act."""
        spiking, names = self.dynamics.spiking, self.numbers.neuron
        return [part for part in PARTS if part.quantities[0].name in names and (spiking or not part.needs_spikes)]

    def holding(self, learned: Iterable[Tensor]) -> Population:
        """The same neurons with other tensors for `numbers.learned`, in its order."""
        return replace(self, numbers=self.numbers.holding(dict(zip(self.numbers.learned, learned, strict=True))))

    def states(self, outputs: Tensor, potential: Tensor, kept: Iterable[Tensor]) -> States:
        """What the neurons did, `kept` being the states of parts in order."""
        keys = [part.key for part in self.parts if part.keeps]
        return States(outputs, potential, dict(zip(keys, kept, strict=True)))


def walk(currents: Tensor, ends: Tensor, population: Population, fire: Fire | None = None) -> States:
    """Run the neurons through all steps, from rest.

    Args:
        currents: `(T, batch, N)`, the input current of every step, all sources summed, recurrence excluded.
        ends: int64 `(batch,)`, steps of each sample, `1 .. T`.
        fire: by default, spikes without a gradient.
    """
    numbers, arithmetic, dynamics = population.numbers, population.arithmetic, population.dynamics
    fire = fire or _crossing(numbers.threshold)
    outputs = spikes = resetting = membrane = torch.zeros_like(currents[0])
    parts = [part(numbers, arithmetic, membrane) for part in population.parts]
    reset, recurrent = RESETS[dynamics.reset], numbers.recurrent
    trail, potentials = [], []
    for current in currents.unbind(0):
        if recurrent is not None:
            current = current + outputs @ recurrent.T
        for part in parts:
            current = part.current(part.inhibited(current, outputs), spikes)
        kept = reset.later(arithmetic.round(membrane * numbers.leak), resetting, numbers.threshold)
        before, membrane = membrane, arithmetic.saturate(kept + current)
        for part in parts:
            membrane = part.potential(membrane, spikes)
        potentials.append(membrane)
        if dynamics.spiking:
            excess = membrane
            for part in parts:
                excess = part.excess(excess, spikes)
            spikes, resetting = fire(excess, before)
            membrane = reset.after(membrane, resetting, numbers.threshold)
            outputs = spikes
            for part in parts:
                outputs = part.output(outputs)
            trail.append(outputs)
    within = mask(currents, ends)
    return population.states(
        torch.stack(trail if dynamics.spiking else potentials) * within,
        torch.stack(potentials) * within,
        (torch.stack(part.trail) * within for part in parts if part.keeps),
    )


def _crossing(threshold: Tensor) -> Fire:
    def fire(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        spikes = (excess >= threshold).to(excess.dtype)
        return spikes, spikes

    return fire
