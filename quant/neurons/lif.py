"""The leaky integrate-and-fire neuron: the order of one step, and what its parts hook into (docs/semantics.md)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from quant.arithmetic import Arithmetic, Array, Widths, naive_decay, naive_saturate
from quant.neurons.delay import Delay
from quant.neurons.part import LEAK, THRESHOLD, Part, State, Tensor, Tensors, tensor
from quant.neurons.resets import RESETS, Reset


@dataclass(frozen=True, slots=True, eq=False)
class Lif(Tensors):
    """The neurons of one layer; every tensor is `(P,)`: one number per neuron, or per channel of a layer with axes.

    Attributes:
        leak: fraction of the membrane kept per step; in integers its code.
        threshold: at least 1 in integers.
        reset: what a spike does to the membrane, a key of `RESETS`.
        parts: what these neurons have besides, in the order of `quant.neurons.PARTS`.
        strict: they fire above their threshold, not at it: in real numbers only, since integers have a next one.
    """

    kind: ClassVar[str] = "lif"

    leak: Array = tensor("leak", LEAK)
    threshold: Array = tensor("threshold", THRESHOLD)
    reset: Reset = "zero"
    parts: tuple[Part, ...] = ()
    strict: bool = False

    def tensors(self) -> Iterator[Tensor]:
        """All tensors, in the order in which hardware stores them."""
        yield from self.own_tensors()
        for part in self.parts:
            yield from part.own_tensors()

    def acting(self, *, spiking: bool) -> tuple[Part, ...]:
        """The parts that do something: all, or those that do not need spikes."""
        return tuple(part for part in self.parts if spiking or not part.needs_spikes)

    @property
    def lateral(self) -> bool:
        """Whether a neuron reads what the others of its layer put out in the step before."""
        return any(part.lateral for part in self.parts)

    @property
    def history(self) -> int:
        """How many of a neuron's past spikes its step reads; of the layer's outputs, its own is one of them."""
        delay = max((part.history for part in self.parts if isinstance(part, Delay)), default=0)
        return max(RESETS[self.reset].history, (1 + delay) * self.lateral, *(part.history for part in self.parts), 0)

    def rest(self, shape: tuple[int, ...], arithmetic: Arithmetic) -> State:
        """The states before the first step of neurons `shape`."""
        names = ("v", *(name for part in self.parts for name in part.states))
        names += ("others",) * self.lateral
        states: State = {name: np.zeros(shape, dtype=arithmetic.dtype) for name in names}
        return {**states, "past": np.zeros((self.history, *shape), dtype=np.bool_)}

    def step(self, was: State, x: Array, arithmetic: Arithmetic, *, spiking: bool) -> tuple[State, Array, Array]:
        """One step of all neurons, given the sum `x` of their projections.

        Returns:
            The states behind the step, the potentials `u`, and the outputs `o`, bool.
        """
        now: State = {}
        for part in self.parts:
            x = part.current(x, was, now, arithmetic)
        x = RESETS[self.reset].before(x, was["past"], self.threshold)
        u = arithmetic.saturate(arithmetic.decay(was["v"], self.leak) + x)
        for part in self.parts:
            u = part.potential(u, was)
        threshold = self.threshold
        for part in self.parts:
            threshold = part.threshold(threshold, was, now, arithmetic)
        fires = u > threshold if self.strict else u >= threshold
        s = fires if spiking else np.zeros(u.shape, dtype=np.bool_)
        now["v"] = RESETS[self.reset].after(u, s, self.threshold)
        now["past"] = np.concatenate([s[None], was["past"]])[: self.history]
        o = s
        for part in self.parts:
            o = part.output(o, was)
        if self.lateral:
            now["others"] = np.sum(o, axis=-1, dtype=arithmetic.dtype, keepdims=True) - o
        return now, u, o

    def naive_rest(self) -> State:
        """The states of one neuron before the first step."""
        names = ("v", *(name for part in self.parts for name in part.states))
        return {**dict.fromkeys(names, 0), "past": [0] * self.history, "others": 0}

    def naive_step(self, i: int, was: State, x: int, widths: Widths, *, spiking: bool) -> tuple[State, int, int]:
        """The step of neuron `i` in plain Python numbers: what judges `step`.

        What the others put out is known behind the last of them, and set then (quant/naive.py).
        """
        now: State = {}
        for part in self.parts:
            x = part.naive_current(i, x, was, now, widths)
        theta = int(self.threshold[i])
        x = RESETS[self.reset].naive_before(x, was["past"], theta)
        u = naive_saturate(naive_decay(was["v"], int(self.leak[i]), widths.leak_bits) + x, widths.state_bits)
        for part in self.parts:
            u = part.naive_potential(i, u, was)
        threshold = theta
        for part in self.parts:
            threshold = part.naive_threshold(i, threshold, was, now, widths)
        s = 1 if spiking and u >= threshold else 0
        now["v"] = RESETS[self.reset].naive_after(u, s, theta)
        now["past"] = [s, *was["past"]][: self.history]
        o = s
        for part in self.parts:
            o = part.naive_output(i, o, was)
        return now, u, o
