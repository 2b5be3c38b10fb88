"""The integer model: what training ends in and what hardware, golden model and file format begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from quant.errors import ModelError, brief
from quant.formats import IntArray, signed_range, unsigned_range

Reset = Literal["zero", "subtract"]
Readout = Literal["spike_count", "membrane_sum"]

RESETS: tuple[str, ...] = get_args(Reset)
READOUTS: tuple[str, ...] = get_args(Readout)

WEIGHT_BITS = (1, 16)
LEAK_BITS = (1, 12)
STATE_BITS = (4, 24)
SIZE = (1, 32768)


def weight_range(bits: int) -> tuple[int, int]:
    """Smallest and largest weight of `bits` bits; one bit means -1 or +1, never 0."""
    return (-1, 1) if bits == 1 else signed_range(bits)


@dataclass(frozen=True, slots=True, eq=False)
class IntLayer:
    """One layer of `neurons` leaky integrate-and-fire neurons (equations: docs/semantics.md).

    Attributes:
        neurons: number of neurons, N.
        weight: source index -> int array `(N, N_source)`, in the order in which the sources are listed.
        leak: int array `(N,)`; a neuron keeps `leak / 2**leak_bits` of its membrane per step.
        threshold: int array `(N,)`, at least 1.
        weight_bits, leak_bits, state_bits: widths in bits of weights, leak codes and states.
        reset: what a spike does to the membrane.
        recurrent: dense recurrent weights `(N, N)` or None.
        self_weight: self-recurrent weights `(N,)` or None.
        synapse_leak: leak codes of the synaptic filter `(N,)` or None.
    """

    neurons: int
    weight: Mapping[int, IntArray]
    leak: IntArray
    threshold: IntArray
    weight_bits: int
    leak_bits: int
    state_bits: int
    reset: Reset
    recurrent: IntArray | None = None
    self_weight: IntArray | None = None
    synapse_leak: IntArray | None = None

    @property
    def sources(self) -> tuple[int, ...]:
        """Indices of the layers read, 0 being the input."""
        return tuple(self.weight)

    @property
    def fan_in(self) -> IntArray:
        """All weights driven by events, `(N, sum of source sizes [+ N])`: the sources in order, then recurrent."""
        blocks = [*self.weight.values(), *([] if self.recurrent is None else [self.recurrent])]
        return np.concatenate(blocks, axis=1).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class IntModel:
    """A whole network. Layer `l` of the specification is `layers[l - 1]`; source 0 is the input.

    Raises:
        ModelError: on construction, if anything breaks the format; the message names tensor, value and limit.
    """

    name: str
    inputs: int
    layers: tuple[IntLayer, ...]
    readout: Readout
    classes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        _check_range("inputs", self.inputs, SIZE)
        _check_choice("readout", self.readout, READOUTS)
        if not self.layers:
            raise ModelError("layers: the list is empty; a model has at least one layer")
        for index in range(1, len(self.layers) + 1):
            _check_layer(self, index)
        outputs = self.layers[-1].neurons
        if not self.classes:
            object.__setattr__(self, "classes", tuple(str(index) for index in range(outputs)))
        if len(self.classes) != outputs:
            raise ModelError(
                f"classes: {len(self.classes)} names for {outputs} neurons in the last layer; give one per neuron"
            )

    def size(self, source: int) -> int:
        """Number of channels of source `source` (0: the input, `l`: layer `l`)."""
        return self.inputs if source == 0 else self.layers[source - 1].neurons

    def spikes(self, layer: int) -> bool:
        """Whether layer `layer` (1-based) emits spikes: all do but the last of a `membrane_sum` read-out."""
        return layer < len(self.layers) or self.readout == "spike_count"


def tensors(layer: IntLayer) -> Iterator[tuple[str, IntArray, tuple[int, ...], tuple[int, int]]]:
    """Each tensor of a layer with its name inside the layer, the shape it must have, and its range.

    The shape of a weight matrix repeats the matrix's own number of columns: a layer does not know its sources' sizes.
    """
    n = layer.neurons
    weights, states = weight_range(layer.weight_bits), signed_range(layer.state_bits)
    leaks = unsigned_range(layer.leak_bits)
    for source, weight in layer.weight.items():
        yield f"weight.{source}", weight, (n, weight.shape[-1] if weight.ndim else 0), weights
    if layer.recurrent is not None:
        yield "recurrent", layer.recurrent, (n, n), weights
    if layer.self_weight is not None:
        yield "self", layer.self_weight, (n,), states
    yield "leak", layer.leak, (n,), leaks
    if layer.synapse_leak is not None:
        yield "synapse_leak", layer.synapse_leak, (n,), leaks
    yield "threshold", layer.threshold, (n,), (1, states[1])


def check_sources(where: str, index: int, sources: Sequence[int]) -> None:
    """Refuse a source list of layer `index` (1-based) that is empty, repeats, or names a layer that is not earlier."""
    if not sources:
        raise ModelError(f"{where}.sources: the list is empty; layer {index} needs at least one of 0..{index - 1}")
    for source in sources:
        if not 0 <= source < index:
            raise ModelError(
                f"{where}.sources: {brief(source)} is not an earlier layer; layer {index} may read 0..{index - 1}"
            )
    if len(set(sources)) != len(sources):
        raise ModelError(f"{where}.sources: {brief(list(sources))} names a source twice; name each once")


def _check_layer(model: IntModel, index: int) -> None:
    layer, where = model.layers[index - 1], f"layers.{index}"
    _check_range(f"{where}.neurons", layer.neurons, SIZE)
    _check_range(f"{where}.weight_bits", layer.weight_bits, WEIGHT_BITS)
    _check_range(f"{where}.leak_bits", layer.leak_bits, LEAK_BITS)
    _check_range(f"{where}.state_bits", layer.state_bits, STATE_BITS)
    _check_choice(f"{where}.reset", layer.reset, RESETS)
    check_sources(where, index, layer.sources)
    for name, tensor, shape, limits in tensors(layer):
        source = name.removeprefix("weight.")
        if source != name:
            shape = (layer.neurons, model.size(int(source)))
        _check_tensor(f"{where}.{name}", tensor, shape, limits, binary=limits == (-1, 1))


def _check_tensor(
    name: str, tensor: IntArray, shape: tuple[int, ...], limits: tuple[int, int], *, binary: bool
) -> None:
    if not np.issubdtype(tensor.dtype, np.signedinteger):
        raise ModelError(f"{name}: dtype is {tensor.dtype}; it must be a signed integer")
    if tensor.shape != shape:
        raise ModelError(f"{name}: shape is {tensor.shape}; it must be {shape}")
    low, high = limits
    wrong = (tensor < low) | (tensor > high)
    if binary:
        wrong |= tensor == 0
    if wrong.any():
        position = tuple(int(i) for i in np.argwhere(wrong)[0])
        allowed = "-1 or +1" if binary else f"{low}..{high}"
        raise ModelError(f"{name}[{', '.join(map(str, position))}] is {int(tensor[position])}; allowed is {allowed}")


def _check_range(where: str, value: int, limits: tuple[int, int]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise ModelError(f"{where} is {brief(value)}; allowed is {low}..{high}")


def _check_choice(where: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(f"{where} is {brief(value)}; allowed is {' or '.join(map(repr, choices))}")
