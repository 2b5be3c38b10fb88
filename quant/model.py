"""The graph of a network, in integers and in real numbers: what training ends in and everything else begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from quant.arithmetic import LEAK_BITS, STATE_BITS, WEIGHT_BITS, Arithmetic, Array, Integer, Real, Widths
from quant.errors import ModelError, brief
from quant.neurons import RESETS, Lif
from quant.projections import Projection
from quant.readouts import READOUTS, Readout

CHANNELS = (1, 32768)
NEURONS = (1, 1 << 20)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A population of neurons and what reaches it (equations: docs/semantics.md).

    Attributes:
        shape: `(N,)` or `(C, H, W)`; flattened in row-major order wherever neurons are numbered.
        projections: their currents add up.
        neuron: the neurons' parameters.
        widths: of the integers; None in a `RealModel`.
    """

    shape: tuple[int, ...]
    projections: tuple[Projection, ...]
    neuron: Lif
    widths: Widths | None = None

    @property
    def neurons(self) -> int:
        """Number of neurons, N."""
        return math.prod(self.shape)

    @property
    def integers(self) -> Widths:
        """The widths of a layer that has them."""
        assert self.widths is not None, "a layer of real numbers has no widths"
        return self.widths

    @property
    def arithmetic(self) -> Arithmetic:
        """What the layer computes in."""
        return Real() if self.widths is None else Integer(self.widths)

    @property
    def parameters(self) -> int:
        """How many numbers the layer holds: weights and parameters of its neurons."""
        tensors = [*(one.weight for one in self.projections), *(one.values for one in self.neuron.tensors())]
        return sum(tensor.size for tensor in tensors)

    def spread(self) -> Lif:
        """The neuron with a number for each of the N neurons in every tensor, in the layer's arithmetic."""
        positions, dtype = self.neurons // self.shape[0], self.arithmetic.dtype

        def each(values: Array) -> Array:
            return np.repeat(values.astype(dtype), positions)

        neuron = self.neuron.mapped(each)
        return replace(neuron, parts=tuple(part.mapped(each) for part in neuron.parts))


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A whole network. Layer `l` of the specification is `layers[l - 1]`; source 0 is the input.

    Attributes:
        name: of the network.
        input_shape: `(N_0,)` or `(C, H, W)`.
        layers: at least one.
        readout: how the last layer's steps become scores.
        classes: a name per neuron of the last layer; by default their numbers.
    """

    name: str
    input_shape: tuple[int, ...]
    layers: tuple[Layer, ...]
    readout: Readout
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_shape("input", self.input_shape, CHANNELS)
        _check_choice("readout", self.readout, tuple(READOUTS))
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

    @property
    def inputs(self) -> int:
        """Number of input channels."""
        return math.prod(self.input_shape)

    def shape(self, source: int) -> tuple[int, ...]:
        """Shape of source `source` (0: the input, `l`: layer `l`)."""
        return self.input_shape if source == 0 else self.layers[source - 1].shape

    def size(self, source: int) -> int:
        """Number of channels of source `source`."""
        return math.prod(self.shape(source))

    def spikes(self, layer: int) -> bool:
        """Whether layer `layer` (1-based) emits spikes: all do but the last where the read-out takes potentials."""
        return layer < len(self.layers) or READOUTS[self.readout].spiking

    def sources(self, layer: int) -> tuple[int, ...]:
        """The earlier sources that layer `layer` (1-based) reads, each once, in the order of its projections."""
        return tuple(dict.fromkeys(one.source for one in self.layers[layer - 1].projections if one.source != layer))

    def recurrent(self, layer: int) -> bool:
        """Whether layer `layer` (1-based) reads its own spikes of the step before."""
        return any(one.source == layer for one in self.layers[layer - 1].projections)


@dataclass(frozen=True, slots=True, eq=False)
class IntModel(_Model):
    """A network of integers: what the hardware computes, exactly.

    Raises:
        ModelError: on construction, if anything breaks the format; the message names tensor, value and limit.
    """


@dataclass(frozen=True, slots=True, eq=False)
class RealModel(_Model):
    """The same graph with real numbers, float64: leaks are fractions, thresholds positive, widths None.

    Raises:
        ModelError: on construction, if the parts do not fit together.
    """


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


def _check_layer(model: _Model, index: int) -> None:
    layer, where = model.layers[index - 1], f"layers.{index}"
    _check_shape(where, layer.shape, NEURONS)
    _check_choice(f"{where}.reset", layer.neuron.reset, tuple(RESETS))
    if not model.sources(index):
        raise ModelError(f"{where}.projections: none reads an earlier layer; layer {index} needs one of 0..{index - 1}")
    if isinstance(model, IntModel):
        widths = layer.integers
        check_range(f"{where}.weight_bits", widths.weight_bits, WEIGHT_BITS)
        check_range(f"{where}.leak_bits", widths.leak_bits, LEAK_BITS)
        check_range(f"{where}.state_bits", widths.state_bits, STATE_BITS)
        if layer.neuron.strict:
            raise ModelError(f"{where}: fires above its threshold; integers fire at it: add 1 to the threshold")
    limits = None if layer.widths is None else layer.widths.weight
    for place, projection in enumerate(layer.projections, start=1):
        if not 0 <= projection.source <= index:
            raise ModelError(
                f"{where}.projections.{place}.source: {brief(projection.source)} is not an earlier layer; "
                f"layer {index} may read 0..{index - 1}, and itself"
            )
        shape = projection.expected_shape(layer.shape, model.shape(projection.source))
        name = f"{where}.projections.{place}.weight"
        _check_tensor(name, projection.weight, shape, limits, binary=limits == (-1, 1))
    for name, values, quantity in layer.neuron.tensors():
        limits = None if layer.widths is None else quantity.range(layer.widths)
        _check_tensor(f"{where}.{name}", values, layer.shape[:1], limits)


def _check_tensor(
    name: str, tensor: Array, shape: tuple[int, ...], limits: tuple[int, int] | None, *, binary: bool = False
) -> None:
    """`limits` are those of integers; None: any finite real numbers."""
    kind, word = (np.floating, "real") if limits is None else (np.signedinteger, "a signed integer")
    if not np.issubdtype(tensor.dtype, kind):
        raise ModelError(f"{name}: dtype is {tensor.dtype}; it must be {word}")
    if tensor.shape != shape:
        raise ModelError(f"{name}: shape is {tensor.shape}; it must be {shape}")
    if limits is None:
        wrong, allowed = ~np.isfinite(tensor), "any finite number"
    else:
        low, high = limits
        wrong = (tensor < low) | (tensor > high)
        wrong = wrong | (tensor == 0) if binary else wrong
        allowed = "-1 or +1" if binary else f"{low}..{high}"
    if wrong.any():
        position = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ModelError(f"{name}[{', '.join(map(str, position))}] is {tensor[position]}; allowed is {allowed}")


def _check_shape(where: str, shape: tuple[int, ...], limits: tuple[int, int]) -> None:
    if len(shape) not in (1, 3) or any(axis < 1 for axis in shape):
        raise ModelError(f"{where}.shape is {brief(list(shape))}; it must be [N] or [C, H, W], each at least 1")
    check_range(f"{where}.shape: its size", math.prod(shape), limits)


def check_range(where: str, value: int, limits: tuple[int, int]) -> None:
    """Refuse a number beyond its limits."""
    low, high = limits
    if not low <= value <= high:
        raise ModelError(f"{where} is {brief(value)}; allowed is {low}..{high}")


def _check_choice(where: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ModelError(f"{where} is {brief(value)}; allowed is {' or '.join(map(repr, choices))}")
