"""Populations of neurons: what the parameters of their nodes make of them, by the rules of a framework.

The gain of a current vanishes into a neuron's own units: its threshold, and nothing else, is divided by it
(docs/semantics.md, scales). A new kind is a function here and a line in `POPULATIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from quant.arithmetic import Array
from quant.foreign.assumed import Rules
from quant.foreign.linear import Terms, diagonal
from quant.foreign.nodes import Node, NodeError, number
from quant.neurons import Bias, Lif, Part, Synapse

PARAMETERS = ("tau", "tau_mem", "tau_syn", "r", "w_in", "v_leak", "v_threshold", "v_reset", "threshold")


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Neurons on the way to a layer.

    Attributes:
        key: of their node, or of the output where linear nodes lead to it.
        neuron: what they are; what other populations' ways to them add is left out.
        terms: what reaches them.
        gain: by what their current is multiplied, `(N,)`; their threshold is already divided by it.
        fires: whether they have spikes, or potentials only.
    """

    key: str
    neuron: Lif
    terms: Terms
    gain: Array
    fires: bool

    def in_real_units(self) -> Population:
        """The same where potentials are compared with each other: currents take the gain, thresholds give it back."""
        scaled = {
            source: diagonal(self.key, self.gain) if matrix is None else matrix * self.gain[:, None]
            for source, matrix in self.terms.by_source.items()
        }
        parts = tuple(Bias(part.value * self.gain) if isinstance(part, Bias) else part for part in self.neuron.parts)
        neuron = replace(self.neuron, threshold=self.neuron.threshold * self.gain, parts=parts)
        return replace(self, neuron=neuron, terms=Terms(scaled, self.terms.constant))


@dataclass(frozen=True, slots=True)
class Numbers:
    """The parameters of a population's node, each for all of its neurons: `(N,)`, float64."""

    key: str
    node: Node
    size: int

    def __call__(self, name: str, default: float | None = None) -> Array:
        values = number(self.key, self.node, name, None if default is None else np.full(1, default)).reshape(-1)
        if values.size not in (1, self.size):
            raise NodeError(self.key, f"its {name} has {values.size} numbers; it has {self.size} neurons")
        return np.broadcast_to(values, self.size).copy()


class Dynamics(NamedTuple):
    """Of neurons without their threshold: what they keep, the gain of their current, and their parts."""

    leak: Array
    gain: Array
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of neurons: its dynamics, and the name of its threshold, or None if it never fires."""

    dynamics: Callable[[Rules, Numbers], Dynamics]
    threshold: str | None = None


def _leaky(rules: Rules, numbers: Numbers) -> Dynamics:
    tau = numbers("tau")
    return Dynamics(rules.leak(tau), rules.gain(rules.framework.gain, numbers("r", 1.0), tau))


def _leaking(rules: Rules, numbers: Numbers) -> Dynamics:
    """As `_leaky`, without spikes."""
    tau, gain = numbers("tau"), rules.framework.gain_li or rules.framework.gain
    return Dynamics(rules.leak(tau), rules.gain(gain, numbers("r", 1.0), tau))


def _filtered(rules: Rules, numbers: Numbers) -> Dynamics:
    tau, tau_syn = numbers("tau_mem"), numbers("tau_syn")
    into_filter = rules.gain(rules.framework.gain_filter, numbers("w_in", 1.0), tau_syn)
    into_membrane = rules.gain(rules.framework.gain_membrane, numbers("r", 1.0), tau)
    return Dynamics(rules.leak(tau), into_filter * into_membrane, (Synapse(rules.leak(tau_syn)),))


def _integrating(rules: Rules, numbers: Numbers) -> Dynamics:
    return Dynamics(np.ones(numbers.size), rules.gain_if(numbers("r", 1.0)))


def _plain(rules: Rules, numbers: Numbers) -> Dynamics:
    return Dynamics(np.zeros(numbers.size), np.ones(numbers.size))


POPULATIONS: Mapping[str, Kind] = {
    "LIF": Kind(_leaky, "v_threshold"),
    "CubaLIF": Kind(_filtered, "v_threshold"),
    "IF": Kind(_integrating, "v_threshold"),
    "Threshold": Kind(_plain, "threshold"),
    "LI": Kind(_leaking),
    "CubaLI": Kind(_filtered),
    "I": Kind(_integrating),
}


def population(key: str, node: Node, size: int, rules: Rules, terms: Terms) -> Population:
    """The neurons of a node that these terms reach.

    Raises:
        NodeError: if a parameter is missing or wrong, or hardware has no such neurons.
    """
    numbers, kind, framework = Numbers(key, node, size), POPULATIONS[node.kind], rules.framework
    if node.kind not in framework.kinds:
        raise NodeError(key, f"{rules.source} has no such neurons, or computes them as hardware does not")
    for name in ("v_leak", "v_reset"):
        if numbers(name, 0.0).any():
            raise NodeError(key, f"its {name} is not 0; hardware resets to 0 and decays to 0: train with {name} = 0")
    if kind.threshold and framework.several and not rules.single_spikes:
        raise NodeError(
            key,
            f"neurons of {rules.source} may fire several times in a step, and those of the hardware once: "
            "say --single-spikes if the network was trained that way",
        )
    leak, gain, parts = kind.dynamics(rules, numbers)
    threshold = numbers(kind.threshold) if kind.threshold else np.ones(size)
    if threshold.min() <= 0:
        raise NodeError(key, "its threshold is not positive")
    for states in (leak, *(part.leak for part in parts if isinstance(part, Synapse))):
        if not (np.isfinite(states).all() and states.min() >= 0 and states.max() <= 1):
            own = " (files that Norse itself writes are norse-export)" if rules.source == "norse" else ""
            raise NodeError(key, f"its time constant is below the time step, {rules.dt}: give --dt as trained{own}")
    if not (np.isfinite(gain).all() and gain.min() > 0):
        raise NodeError(key, "the gain of its current is not a positive number")
    reset = framework.reset_cuba if node.kind == "CubaLIF" and framework.reset_cuba else rules.reset
    neuron = Lif(leak, threshold / gain, reset, (*_bias(terms, size), *parts), strict=framework.strict)
    return Population(key, neuron, terms, gain, kind.threshold is not None)


def read_out(key: str, size: int, terms: Terms) -> Population:
    """What linear nodes put out at the end: potentials of neurons that keep nothing and never fire."""
    neuron = Lif(np.zeros(size), np.ones(size), parts=_bias(terms, size))
    return Population(key, neuron, terms, np.ones(size), fires=False)


def _bias(terms: Terms, size: int) -> tuple[Part, ...]:
    return (Bias(np.broadcast_to(terms.constant, size).copy()),) if terms.constant.any() else ()
