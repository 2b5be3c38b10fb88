"""From real numbers to integers with nothing but data: the float-to-integer path that needs no training framework.

A neuron's spikes do not change when its weights, self-weight, bias, adaptation step and threshold are all multiplied by
one positive constant (docs/semantics.md). So each neuron gets the scale at which its weights round best, and the widths
of the states follow from what they do on the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from quant import golden
from quant.arithmetic import STATE_BITS, Array, Widths
from quant.errors import ModelError
from quant.formats import IntArray, signed_bits, smallest_dtype
from quant.golden import BoolArray
from quant.model import IntModel, Layer, RealModel
from quant.neurons import Lif
from quant.neurons.part import LEAK, THRESHOLD, Tensor
from quant.spikes import SpikeSet

_CANDIDATES = 64  # scales tried per neuron
_HEADROOM = 2.0  # how far the range of the states reaches beyond what they do on the data


def calibrate(
    model: RealModel, samples: SpikeSet, *, weight_bits: int | Sequence[int] = 8, leak_bits: int = 8
) -> IntModel:
    """The integer model nearest to a network of real numbers.

    Args:
        model: the network.
        samples: typical input; the widths of the states are chosen so that they rarely saturate on input like it.
        weight_bits: width of the weights, of all layers or of each.
        leak_bits: width of the leak codes.

    Raises:
        ModelError: if a width is out of its range, or there is not one for each layer.
    """
    widths = [weight_bits] * len(model.layers) if isinstance(weight_bits, int) else list(weight_bits)
    if len(widths) != len(model.layers):
        raise ModelError(f"{len(widths)} weight widths for {len(model.layers)} layers; give one for all, or one each")
    largest = _largest_states(model, samples)
    layers = [
        _layer(layer, bits, leak_bits, reach, together=not model.spikes(index))
        for index, (layer, bits, reach) in enumerate(zip(model.layers, widths, largest, strict=True), start=1)
    ]
    return IntModel(model.name, model.input_shape, tuple(layers), model.readout, model.classes)


def _largest_states(model: RealModel, samples: SpikeSet) -> list[Array]:
    """Of each layer `(N,)`, the largest magnitude that a neuron's states reach on the samples, in real units."""
    largest = [np.zeros(layer.neurons) for layer in model.layers]
    for chosen in golden.batches(model, samples):
        sources: list[BoolArray] = [samples.dense(chosen)]
        mask = np.arange(len(sources[0]))[:, None] < samples.steps[chosen][None, :]
        for index, layer in enumerate(model.layers, start=1):
            outputs = np.zeros((*mask.shape, layer.neurons), dtype=np.bool_)
            for step, (state, u, o) in enumerate(golden.walk(layer, index, sources, spiking=model.spikes(index))):
                reached = [
                    np.abs(u),
                    *(np.abs(values) for name, values in state.items() if name not in ("past", "others")),
                ]
                masked = np.where(mask[step, :, None], np.maximum.reduce(reached), 0.0)
                largest[index - 1] = np.maximum(largest[index - 1], masked.max(axis=0))
                outputs[step] = o
            sources.append(outputs & mask[:, :, None])
    return largest


def _layer(layer: Layer, weight_bits: int, leak_bits: int, reach: Array, *, together: bool) -> Layer:
    """`together`: potentials are compared with each other, so all neurons share one scale."""
    positions = layer.neurons // layer.shape[0]
    weights = np.concatenate([one.weight for one in layer.projections], axis=1).reshape(layer.shape[0], -1)
    scale = np.broadcast_to(_scales(weights.reshape(1, -1) if together else weights, weight_bits), layer.shape[:1])
    needed = reach.reshape(layer.shape[0], -1).max(axis=1) * _HEADROOM / scale
    neuron = layer.neuron
    for tensor in neuron.tensors():
        if not (tensor.quantity.code or tensor.quantity.steps):
            needed = np.maximum(needed, np.abs(tensor.values) / scale + 1)
    most = int(min(needed.max(), 2.0 ** STATE_BITS[1]))
    widths = Widths(weight_bits, leak_bits, min(STATE_BITS[1], max(STATE_BITS[0], signed_bits(-most, most))))

    def coded(tensor: Tensor) -> IntArray:
        """The integers nearest to real numbers, within their range."""
        if tensor.quantity is LEAK:
            codes = np.rint(tensor.values * 2**leak_bits)
        elif tensor.quantity.steps:
            codes = np.rint(tensor.values)
        elif tensor.quantity is THRESHOLD and neuron.reset == "zero":
            # Integer potentials reach it exactly where they reach the next integer above it. (A threshold that is also
            # subtracted is better rounded to the nearest.)
            codes = np.ceil(np.round(tensor.values / scale, 9))
        else:
            codes = np.rint(tensor.values / scale)
        limits = tensor.quantity.range(widths)
        found: IntArray = codes.clip(*limits).astype(smallest_dtype(*limits))
        return found

    spread = np.repeat(scale, positions)[:, None]
    low, high = widths.weight
    projections = []
    for one in layer.projections:
        codes = np.where(one.weight < 0, -1, 1) if weight_bits == 1 else np.rint(one.weight / spread).clip(low, high)
        projections.append(replace(one, weight=codes.astype(smallest_dtype(low, high))))
    parts = tuple(type(part)(*map(coded, part.own_tensors())) for part in neuron.parts)
    leak, threshold = map(coded, neuron.own_tensors())
    return Layer(layer.shape, tuple(projections), Lif(leak, threshold, neuron.reset, parts), widths)


def _scales(weights: Array, bits: int) -> Array:
    """`(rows,)`: of each row of real weights the scale at which its integers of `bits` bits lie nearest to it.

    Weights that are integers already, within the range, keep the scale 1.
    """
    if bits == 1:
        magnitude: Array = np.abs(weights).mean(axis=1)  # Rastegari et al. 2016, XNOR-Net
        return np.where(magnitude > 0, magnitude, 1.0)
    low, high = Widths(bits, 1, STATE_BITS[0]).weight
    largest = np.abs(weights).max(axis=1)
    largest = np.where(largest > 0, largest, 1.0)
    best, error = np.ones(len(weights)), np.full(len(weights), np.inf)
    tried = np.unique(np.linspace(max(1, high // 3), high + 1, _CANDIDATES).round())
    for scale in (best, *(largest / code for code in tried)):
        codes = np.rint(weights / scale[:, None]).clip(low, high)
        found = np.square(codes * scale[:, None] - weights).sum(axis=1)  # (rows,)
        better = found < error * (1 - 1e-9)
        best, error = np.where(better, scale, best), np.where(better, found, error)
    return best
