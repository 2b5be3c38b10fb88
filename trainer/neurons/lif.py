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


class Walking:
    """Neurons on their way through time, from rest.

    Args:
        like: `(batch, N)`, of the shape and kind of their states.
        fire: by default, spikes without a gradient.
    """

    def __init__(self, population: Population, like: Tensor, fire: Fire | None = None) -> None:
        self._population, self._fire = population, fire or _crossing(population.numbers.threshold)
        self._outputs = self._spikes = self._resetting = self._membrane = rest = torch.zeros_like(like)
        self.parts = [part(population.numbers, population.arithmetic, rest) for part in population.parts]

    def step(self, current: Tensor) -> tuple[Tensor, Tensor]:
        """Outputs and potentials before the reset, `(batch, N)`, given the input currents from the sources."""
        numbers, arithmetic, dynamics = self._population.numbers, self._population.arithmetic, self._population.dynamics
        reset, spikes = RESETS[dynamics.reset], self._spikes
        if numbers.recurrent is not None:
            current = current + self._outputs @ numbers.recurrent.T
        for part in self.parts:
            current = part.current(part.inhibited(current, self._outputs), spikes)
        kept = reset.later(arithmetic.round(self._membrane * numbers.leak), self._resetting, numbers.threshold)
        before, potential = self._membrane, arithmetic.saturate(kept + current)
        for part in self.parts:
            potential = part.potential(potential, spikes)
        self._membrane = potential
        if not dynamics.spiking:
            return potential, potential
        excess = potential
        for part in self.parts:
            excess = part.excess(excess, spikes)
        self._spikes, self._resetting = self._fire(excess, before)
        self._membrane = reset.after(potential, self._resetting, numbers.threshold)
        self._outputs = self._spikes
        for part in self.parts:
            self._outputs = part.output(self._outputs)
        return self._outputs, potential


def walk(currents: Tensor, ends: Tensor, population: Population, fire: Fire | None = None) -> States:
    """Run the neurons through all steps, from rest.

    Args:
        currents: `(T, batch, N)`, the input current of every step, all sources summed, recurrence excluded.
        ends: int64 `(batch,)`, steps of each sample, `1 .. T`.
        fire: by default, spikes without a gradient.
    """
    walking, trail, potentials = Walking(population, currents[0], fire), [], []
    for current in currents.unbind(0):
        outputs, potential = walking.step(current)
        trail.append(outputs)
        potentials.append(potential)
    within = mask(currents, ends)
    return population.states(
        torch.stack(trail) * within,
        torch.stack(potentials) * within,
        (torch.stack(part.trail) * within for part in walking.parts if part.keeps),
    )


def _crossing(threshold: Tensor) -> Fire:
    def fire(excess: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        spikes = (excess >= threshold).to(excess.dtype)
        return spikes, spikes

    return fire
