"""What integers do differently from the real numbers they stand for, spike by spike, and which of them is to blame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest

import numpy as np

from quant import golden
from quant.arithmetic import Array
from quant.calibration import calibrate, scales
from quant.model import IntModel, Layer, RealModel
from quant.neurons import Lif, SelfWeight
from quant.neurons.part import SIGNED, STEP, THRESHOLD, Quantity, Tensor
from quant.spikes import SpikeSet


@dataclass(frozen=True, slots=True)
class LayerDrift:
    """How a layer's spikes differ from those of the real network on the same input.

    Attributes:
        spikes: of the real network.
        differ: neurons and steps in which one spikes and the other does not.
        first: sample, step and neuron of the first of them, or None.
        by_step: of each step, how many differ.
    """

    spikes: int
    differ: int
    first: tuple[int, int, int] | None
    by_step: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What an integer model does differently.

    Attributes:
        model: the integers.
        layers: of each layer.
        accuracy_real, accuracy_integer: fractions of the labelled samples whose class is the label; None without any.
        same_class: fraction of the samples to which both give the same class.
        blame: by what is put back to real numbers, the differing spikes that are left; the rest stays rounded.
    """

    model: IntModel
    layers: tuple[LayerDrift, ...]
    accuracy_real: float | None
    accuracy_integer: float | None
    same_class: float
    blame: dict[str, int]


def drift(
    real: RealModel,
    samples: SpikeSet,
    typical: SpikeSet | None = None,
    *,
    weight_bits: int | list[int],
    leak_bits: int,
    fraction_bits: int,
    state_bits: int | None = None,
) -> Drift:
    """Calibrate a network and compare its integers with it; the arguments are those of `calibrate`.

    Args:
        samples: what both are run on.
        typical: by what the states get their widths; None: by `samples`.
    """
    made = partial(calibrate, real, weight_bits=weight_bits, leak_bits=leak_bits, fraction_bits=fraction_bits)
    model = made(samples if typical is None else typical, state_bits=state_bits)
    units = [one / 2**fraction_bits for one in scales(real, weight_bits=weight_bits, fraction_bits=fraction_bits)]
    layers = [LayerDrift(0, 0, None, ())] * len(real.layers)
    right_real = right_integer = same = 0
    for (chosen, wanted), (_, found) in zip(golden.run_set(real, samples), golden.run_set(model, samples), strict=True):
        for place, (a, b) in enumerate(zip(wanted.spikes[1:], found.spikes[1:], strict=True)):
            layers[place] = _more(layers[place], a, b, chosen.start)
        label = samples.label[chosen]
        right_real += int((wanted.classes == label).sum())
        right_integer += int((found.classes == label).sum())
        same += int((wanted.classes == found.classes).sum())
    blame = {"nothing": sum(layer.differ for layer in layers)}
    if state_bits is not None or typical is not None:
        blame["the states' range"] = _differing(real, made(samples), samples)
    for name, back in _BACK.items():
        blame[name] = _differing(real, _hybrid(real, model, units, back), samples)
    labelled = int((samples.label >= 0).sum())
    one, two = (right / labelled if labelled else None for right in (right_real, right_integer))
    return Drift(model, tuple(layers), one, two, same / max(1, len(samples)), blame)


def _more(layer: LayerDrift, wanted: golden.BoolArray, found: golden.BoolArray, begin: int) -> LayerDrift:
    differ = wanted != found
    first = layer.first
    if first is None and differ.any():
        sample = int(differ.any(axis=(0, 2)).argmax())
        step, neuron = (int(one) for one in np.argwhere(differ[:, sample])[0])
        first = (begin + sample, step, neuron)
    steps = zip_longest(layer.by_step, differ.sum(axis=(1, 2)).tolist(), fillvalue=0)
    by_step = tuple(one + two for one, two in steps)
    return LayerDrift(layer.spikes + int(wanted.sum()), layer.differ + int(differ.sum()), first, by_step)


def _differing(real: RealModel, other: RealModel | IntModel, samples: SpikeSet) -> int:
    return sum(
        int((a != b).sum())
        for (_, one), (_, two) in zip(golden.run_set(real, samples), golden.run_set(other, samples), strict=True)
        for a, b in zip(one.spikes[1:], two.spikes[1:], strict=True)
    )


def _hybrid(real: RealModel, model: IntModel, units: list[Array], back: Callable[[Quantity | None], bool]) -> RealModel:
    """The network with its numbers rounded as in `model`, but those that `back` gives back; its states are not rounded.

    `back` is asked about the quantity of each of the neurons' tensors, and with None about the weights.
    """

    def layer(own: Layer, coded: Layer, unit: Array) -> Layer:
        each = np.repeat(unit, own.neurons // own.shape[0])[:, None]
        projections = tuple(
            one if back(None) else replace(one, weight=two.weight * each)
            for one, two in zip(own.projections, coded.projections, strict=True)
        )
        taken = {one.name: one.values for one in own.neuron.tensors() if back(one.quantity)}

        def value(tensor: Tensor) -> Array:
            if tensor.name in taken:
                return taken[tensor.name]
            factor = 2.0**-coded.integers.leak_bits if tensor.quantity.code else 1.0 if tensor.quantity.steps else unit
            found: Array = tensor.values * factor
            return found

        # What a self-weight gives back, because integers subtract too much, belongs to the threshold.
        rounded = np.rint(_self_weight(own) / unit) * unit
        given_back = 0 if back(THRESHOLD) else _self_weight(coded) * unit - rounded
        self_weight = SelfWeight((_self_weight(own) if back(SIGNED) else rounded) + given_back)
        parts = tuple(
            self_weight if isinstance(part, SelfWeight) else type(part)(*map(value, part.own_tensors()))
            for part in coded.neuron.parts
        )
        leak, threshold = (value(one) for one in coded.neuron.own_tensors())
        strict = own.neuron.strict and back(THRESHOLD)
        return Layer(own.shape, projections, Lif(leak, threshold, own.neuron.reset, parts, strict))

    layers = tuple(layer(*each) for each in zip(real.layers, model.layers, units, strict=True))
    return RealModel(real.name, real.input_shape, layers, real.readout, real.classes)


def _self_weight(layer: Layer) -> Array:
    """`(N,)`, 0 where there is none."""
    return sum((part.weight for part in layer.neuron.parts if isinstance(part, SelfWeight)), np.zeros(layer.neurons))


_BACK: dict[str, Callable[[Quantity | None], bool]] = {
    "states": lambda quantity: False,
    "states, weights": lambda quantity: quantity is None,
    "states, leaks": lambda quantity: quantity is not None and quantity.code,
    "states, thresholds": lambda quantity: quantity is THRESHOLD,
    "states, other parameters": lambda quantity: quantity in (SIGNED, STEP),
}
