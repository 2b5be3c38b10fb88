"""Random integer models for tests: every feature, the whole range of widths, and thresholds within reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hwgen.plan import Safety
from hwgen.planner import Folding
from quant.formats import IntArray, signed_range
from quant.model import READOUTS, RESETS, IntLayer, IntModel, weight_range

WATCHDOG_CYCLES = 5000


@dataclass(frozen=True)
class Limits:
    """How large random models may get."""

    layers: int = 4
    inputs: int = 20
    neurons: int = 12


def random_model(rng: np.random.Generator, limits: Limits | None = None) -> IntModel:
    """A random network, any feature on or off in each layer."""
    limits = limits or Limits()
    inputs = int(rng.integers(1, limits.inputs + 1))
    sizes, layers = [inputs], []
    for _ in range(int(rng.integers(1, limits.layers + 1))):
        layers.append(random_layer(rng, sizes, int(rng.integers(1, limits.neurons + 1))))
        sizes.append(layers[-1].neurons)
    return IntModel("random", inputs, tuple(layers), str(rng.choice(READOUTS)))  # type: ignore[arg-type]


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


def random_layer(rng: np.random.Generator, sizes: list[int], neurons: int) -> IntLayer:
    """A random layer behind sources of the given sizes; it reads any non-empty selection of them."""
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
    state_low, state_high = signed_range(state_bits)
    self_reach = min(state_high, 2 * reach + 1)
    threshold_reach = max(1, min(state_high, reach * int(rng.integers(1, 4))))
    return IntLayer(
        neurons=neurons,
        weight={int(source): weights(neurons, sizes[source]) for source in chosen},
        leak=leaks(),
        threshold=rng.integers(1, threshold_reach + 1, neurons, dtype=np.int32),
        weight_bits=weight_bits,
        leak_bits=leak_bits,
        state_bits=state_bits,
        reset=str(rng.choice(RESETS)),  # type: ignore[arg-type]
        recurrent=weights(neurons, neurons) if rng.random() < 0.4 else None,
        self_weight=(
            rng.integers(max(state_low, -self_reach), self_reach + 1, neurons, dtype=np.int32)
            if rng.random() < 0.5
            else None
        ),
        synapse_leak=leaks() if rng.random() < 0.4 else None,
    )


def tiny_model() -> IntModel:
    """Two layers, a skip connection, self-recurrence: a fixed model for snapshots and error cases."""
    return IntModel(
        name="tiny",
        inputs=3,
        layers=(
            IntLayer(
                neurons=4,
                weight={0: np.array([[3, -2, 1], [2, 2, -1], [-3, 4, 2], [1, 1, 1]], dtype=np.int8)},
                leak=np.array([12, 8, 15, 10], dtype=np.int8),
                threshold=np.array([3, 2, 4, 2], dtype=np.int8),
                weight_bits=4,
                leak_bits=4,
                state_bits=8,
                reset="zero",
                self_weight=np.array([-2, 1, 0, 3], dtype=np.int8),
            ),
            IntLayer(
                neurons=2,
                weight={
                    1: np.array([[2, -1, 3, 1], [-2, 3, 1, 2]], dtype=np.int8),
                    0: np.array([[1, 0, -1], [0, 2, 1]], dtype=np.int8),
                },
                leak=np.array([14, 13], dtype=np.int8),
                threshold=np.array([4, 3], dtype=np.int8),
                weight_bits=3,
                leak_bits=4,
                state_bits=8,
                reset="subtract",
            ),
        ),
        readout="spike_count",
        classes=("no", "yes"),
    )


def recurrent_model() -> IntModel:
    """One binary-weight layer with dense recurrence and a synaptic filter before a membrane read-out."""
    rng = np.random.default_rng(5)
    return IntModel(
        name="recurrent",
        inputs=5,
        layers=(
            IntLayer(
                neurons=6,
                weight={0: rng.choice(np.array([-1, 1], dtype=np.int8), (6, 5))},
                leak=np.full(6, 200, dtype=np.int16),
                threshold=np.array([1, 2, 1, 2, 3, 1], dtype=np.int8),
                weight_bits=1,
                leak_bits=8,
                state_bits=12,
                reset="zero",
                recurrent=rng.choice(np.array([-1, 1], dtype=np.int8), (6, 6)),
                synapse_leak=np.full(6, 100, dtype=np.int16),
            ),
            IntLayer(
                neurons=3,
                weight={1: rng.integers(-8, 8, (3, 6), dtype=np.int8)},
                leak=np.array([250, 240, 230], dtype=np.int16),
                threshold=np.ones(3, dtype=np.int8),
                weight_bits=4,
                leak_bits=8,
                state_bits=16,
                reset="zero",
            ),
        ),
        readout="membrane_sum",
    )
