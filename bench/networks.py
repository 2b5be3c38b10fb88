"""Random networks for benches and tests: the shape is given, the numbers are drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.core.folding import Folding
from quant import model
from quant.arithmetic import Widths
from quant.formats import IntArray
from quant.model import IntModel
from quant.neurons import Lif, Part, SelfWeight, Synapse
from quant.projections import Dense


@dataclass(frozen=True, slots=True)
class Layer:
    """A random layer: neurons, sources, lanes, and its features; `sparse_recurrent` is how many neurons each reads."""

    neurons: int
    sources: tuple[int, ...]
    lanes: int
    self_weight: bool = False
    dense_recurrent: bool = False
    synapse: bool = False
    subtract: bool = False
    sparse_recurrent: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A random network and the input density under which it is measured."""

    name: str
    inputs: int
    layers: tuple[Layer, ...]
    density: float
    weight_bits: int = 4
    units: tuple[int, ...] | None = None
    ports: int = 1
    state_bits: int = 16
    leak_bits: int = 8
    shift_leaks: bool = False
    loaded: tuple[int, ...] = ()

    @property
    def folding(self) -> Folding:
        return Folding([layer.lanes for layer in self.layers], self.units, self.ports, self.loaded)


def random_network(case: Case, seed: int = 0) -> IntModel:
    """The network of a case: random weights, thresholds low enough that every layer spikes."""
    rng = np.random.default_rng(seed)
    sizes, layers = [case.inputs], []
    reach, one = 1 << (case.weight_bits - 1), 1 << case.leak_bits

    def weights(neurons: int, inputs: int) -> IntArray:
        if case.weight_bits == 1:
            return rng.choice(np.array([-1, 1], dtype=np.int32), (neurons, inputs))
        return rng.integers(-reach, reach, (neurons, inputs), dtype=np.int32)

    def leaks(neurons: int, least: float, most: float) -> IntArray:
        if case.shift_leaks:
            kept = one - (one >> np.arange(case.leak_bits + 1))
            return rng.choice(kept[(kept >= least * one) & (kept < one)], neurons)
        return rng.integers(int(least * one), int(most * (one - 1)), neurons, dtype=np.int32)

    for layer in case.layers:
        n = layer.neurons
        projections = [Dense(source, weights(n, sizes[source])) for source in layer.sources]
        leak, threshold = leaks(n, 0.704, 1.0), rng.integers(2, min(4 * reach, 1 << (case.state_bits - 1)), n)
        if layer.dense_recurrent:
            projections.append(Dense(len(sizes), weights(n, n)))
        if layer.sparse_recurrent:
            chosen = rng.permuted(np.tile(np.arange(n) < layer.sparse_recurrent, (n, 1)), axis=1)
            projections.append(Dense(len(sizes), weights(n, n) * chosen))
        parts: list[Part] = []
        if layer.self_weight:
            parts.append(SelfWeight(rng.integers(-20, 20, n, dtype=np.int32)))
        if layer.synapse:
            parts.append(Synapse(leaks(n, 0.0, 0.393)))
        neuron = Lif(leak, threshold, "subtract" if layer.subtract else "zero", tuple(parts))
        widths = Widths(case.weight_bits, case.leak_bits, case.state_bits)
        layers.append(model.Layer((n,), tuple(projections), neuron, widths))
        sizes.append(n)
    return IntModel("core", (case.inputs,), tuple(layers), "spike_count")
