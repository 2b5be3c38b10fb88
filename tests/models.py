"""Random integer models for tests: every feature, the whole range of widths, and thresholds within reach."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from quant.arithmetic import Widths, weight_range
from quant.formats import IntArray, signed_range
from quant.model import IntModel, Layer
from quant.neurons import PARTS, RESETS, Lif, Part, Reset, SelfWeight, Synapse
from quant.neurons.part import REFRACTORY, Quantity
from quant.projections import Dense
from quant.readouts import READOUTS

WATCHDOG_CYCLES = 5000


def dense_layer(
    weight: dict[int, IntArray],
    leak: IntArray,
    threshold: IntArray,
    bits: tuple[int, int, int],
    reset: Reset = "zero",
    *parts: Part,
) -> Layer:
    """A layer of dense projections: weights by source (its own number: recurrence), and its three widths."""
    projections = tuple(Dense(source, matrix) for source, matrix in weight.items())
    return Layer((len(leak),), projections, Lif(leak, threshold, reset, parts), Widths(*bits))


def changed(
    layer: Layer, weight: dict[int, IntArray] | None = None, bits: Widths | None = None, **neuron: Any
) -> Layer:
    """The layer with other weights, other widths, or other fields of its neurons."""
    projections = None if weight is None else tuple(Dense(source, matrix) for source, matrix in weight.items())
    return Layer(layer.shape, projections or layer.projections, replace(layer.neuron, **neuron), bits or layer.integers)


@dataclass(frozen=True)
class Limits:
    """How large random models may get."""

    layers: int = 4
    inputs: int = 20
    neurons: int = 12


def random_model(rng: np.random.Generator, limits: Limits | None = None, always: type[Part] | None = None) -> IntModel:
    """A random network, any feature on or off in each layer, but for the part that is `always` there."""
    limits = limits or Limits()
    inputs = int(rng.integers(1, limits.inputs + 1))
    sizes, layers = [inputs], []
    for _ in range(int(rng.integers(1, limits.layers + 1))):
        layers.append(random_layer(rng, sizes, int(rng.integers(1, limits.neurons + 1)), always))
        sizes.append(layers[-1].neurons)
    return IntModel("random", (inputs,), tuple(layers), str(rng.choice(list(READOUTS))))  # type: ignore[arg-type]


def random_folding(rng: np.random.Generator, model: IntModel) -> Folding:
    """Any lanes, few as likely as many, any units, 1 or 2 events per cycle, some layers' weights loaded at run time."""
    lanes = [int((layer.neurons + 1) ** rng.random()) for layer in model.layers]
    units = [int(rng.integers(1, count + 1)) for count in lanes]
    loaded = [index for index in range(1, len(lanes) + 1) if rng.random() < 0.2]
    return Folding(lanes, units, int(rng.integers(1, 3)), loaded)


def random_safety(rng: np.random.Generator) -> Safety:
    """Any protection; a watchdog that no random stall wakes."""
    code = str(rng.choice(["none", "none", "parity", "secded"]))
    return Safety(code, WATCHDOG_CYCLES if rng.random() < 0.3 else None, bool(rng.random() < 0.3))


def random_layer(
    rng: np.random.Generator, sizes: list[int], neurons: int, always: type[Part] | None = None, *, flat: bool = False
) -> Layer:
    """A random layer behind sources of the given sizes; it reads any non-empty selection of them.

    `always`: a part that it has for sure. `flat`: no axes, and every source is read once.
    """
    weight_bits, leak_bits = int(rng.integers(1, 17)), int(rng.integers(1, 13))
    state_bits = int(rng.integers(4, 25))
    low, high = weight_range(weight_bits)
    # Narrower weights than the range allows, at times: what reaches a threshold is then a matter of many events.
    reach = max(1, high >> int(rng.integers(0, weight_bits)))

    def weights(*shape: int) -> IntArray:
        if weight_bits == 1:
            return rng.choice(np.array([-1, 1], dtype=np.int32), shape)
        return rng.integers(max(low, -reach - 1), reach + 1, shape, dtype=np.int32)

    shifts = rng.random() < 0.3

    def leaks() -> IntArray:
        top = 1 << leak_bits
        if shifts:  # leaks that need no multiplier
            return (top - (1 << rng.integers(0, leak_bits + 1, neurons))).astype(np.int32)
        return rng.integers(0 if rng.random() < 0.3 else top - 1 - top // 4, top, neurons, dtype=np.int32)

    chosen = rng.permutation(len(sizes))[: rng.integers(1, len(sizes) + 1)]
    state_high = signed_range(state_bits)[1]
    self_reach = min(state_high, 2 * reach + 1)
    threshold_reach = max(1, min(state_high, reach * int(rng.integers(1, 4))))
    matrices = {int(source): weights(neurons, sizes[source]) for source in chosen}
    leak, threshold = leaks(), rng.integers(1, threshold_reach + 1, neurons, dtype=np.int32)
    reset = str(rng.choice(list(RESETS)))
    if rng.random() < 0.4:
        matrices[len(sizes)] = weights(neurons, neurons)
        if weight_bits > 1 and rng.random() < 0.5:  # from few neurons each
            matrices[len(sizes)] *= rng.integers(0, neurons, (neurons, neurons)) < 2

    def numbers(quantity: Quantity) -> IntArray:
        if quantity.code:
            return leaks()
        low, high = quantity.range(Widths(weight_bits, leak_bits, state_bits))
        if quantity is REFRACTORY:  # long ones, everywhere, leave little to compare
            high = int(rng.choice([1, 1, 1, high]))
        return rng.integers(max(low, -self_reach), min(high, self_reach) + 1, neurons, dtype=np.int32)

    parts = [
        kind(**{one.name: numbers(one.metadata["quantity"]) for one in fields(kind) if one.metadata})
        for kind in PARTS
        if kind is always or rng.random() < 0.4
    ]
    bits = weight_bits, leak_bits, state_bits
    layer = dense_layer(matrices, leak, threshold, bits, reset, *parts)  # type: ignore[arg-type]
    if flat:
        return layer
    if rng.random() < 0.15:  # a source that is read twice
        again = layer.projections[0]
        layer = replace(layer, projections=(*layer.projections, Dense(again.source, weights(*again.weight.shape))))
    if rng.random() < 0.15:  # axes: a channel's parameters are shared by its positions
        rows = 2 if neurons % 2 == 0 else 1
        shared = replace(
            layer.neuron.mapped(lambda values: values[:rows]),
            parts=tuple(part.mapped(lambda values: values[:rows]) for part in parts),
        )
        layer = replace(layer, shape=(rows, 1, neurons // rows), neuron=shared)
    return layer


def without_part(layer: Layer, kind: type[Part]) -> Layer:
    """The layer without a part of its neurons."""
    parts = tuple(part for part in layer.neuron.parts if type(part) is not kind)
    return replace(layer, neuron=replace(layer.neuron, parts=parts))


def with_tensor(neuron: Lif, name: str, value: int) -> Lif:
    """The neurons with one value everywhere in the tensor of that name."""

    def filled(holder: Any) -> Any:
        return replace(
            holder,
            **{
                one.name: np.full_like(getattr(holder, one.name), value)
                for one in fields(holder)
                if one.metadata.get("name") == name
            },
        )

    return replace(filled(neuron), parts=tuple(filled(part) for part in neuron.parts))


def tiny_model() -> IntModel:
    """Two layers, a skip connection, self-recurrence: a fixed model for snapshots and error cases."""
    first = dense_layer(
        {0: np.array([[3, -2, 1], [2, 2, -1], [-3, 4, 2], [1, 1, 1]], dtype=np.int8)},
        np.array([12, 8, 15, 10], dtype=np.int8),
        np.array([3, 2, 4, 2], dtype=np.int8),
        (4, 4, 8),
        "zero",
        SelfWeight(np.array([-2, 1, 0, 3], dtype=np.int8)),
    )
    second = dense_layer(
        {
            1: np.array([[2, -1, 3, 1], [-2, 3, 1, 2]], dtype=np.int8),
            0: np.array([[1, 0, -1], [0, 2, 1]], dtype=np.int8),
        },
        np.array([14, 13], dtype=np.int8),
        np.array([4, 3], dtype=np.int8),
        (3, 4, 8),
        "subtract",
    )
    return IntModel("tiny", (3,), (first, second), "spike_count", ("no", "yes"))


def recurrent_model() -> IntModel:
    """One binary-weight layer with dense recurrence and a synaptic filter before a membrane read-out."""
    rng = np.random.default_rng(5)
    first = dense_layer(
        {
            0: rng.choice(np.array([-1, 1], dtype=np.int8), (6, 5)),
            1: rng.choice(np.array([-1, 1], dtype=np.int8), (6, 6)),
        },
        np.full(6, 200, dtype=np.int16),
        np.array([1, 2, 1, 2, 3, 1], dtype=np.int8),
        (1, 8, 12),
        "zero",
        Synapse(np.full(6, 100, dtype=np.int16)),
    )
    second = dense_layer(
        {1: rng.integers(-8, 8, (3, 6), dtype=np.int8)},
        np.array([250, 240, 230], dtype=np.int16),
        np.ones(3, dtype=np.int8),
        (4, 8, 16),
    )
    return IntModel("recurrent", (5,), (first, second), "membrane_sum")
