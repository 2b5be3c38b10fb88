"""From real numbers to integers with nothing but data: the float-to-integer path that needs no training framework.

A neuron's spikes do not change when its weights, self-weight, bias, adaptation step and threshold are all multiplied by
one positive constant (docs/semantics.md). So each neuron gets the scale at which its weights round best, and the widths
of the states follow from what they do on the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from quant import golden
from quant.arithmetic import LEAK_BITS, STATE_BITS, WEIGHT_BITS, Array, Widths, weight_range
from quant.errors import ModelError
from quant.formats import IntArray, signed_bits, smallest_dtype
from quant.golden import BoolArray
from quant.model import IntModel, Layer, RealModel, check_range
from quant.neurons import Lif, Part, SelfWeight, Synapse
from quant.neurons.part import LEAK, SIGNED, THRESHOLD, Tensor
from quant.spikes import SpikeSet

FRACTION_BITS = 4
_CANDIDATES = 64  # scales tried per neuron
_MOST_UNITS = 2.0**16  # that a bias or what a spike subtracts may take to be kept exactly
_ROOM = 2.0 ** (STATE_BITS[1] - 4)  # of a state's units that numbers beside the weights may take; exactly, four times
_HEADROOM = 2.0  # how far the range of the states reaches beyond what they do on the data


def calibrate(
    model: RealModel,
    samples: SpikeSet,
    *,
    weight_bits: int | Sequence[int] = 8,
    leak_bits: int = 8,
    fraction_bits: int = 0,
    state_bits: int | None = None,
    reached: Sequence[Array] | None = None,
) -> IntModel:
    """The integer model nearest to a network of real numbers.

    Args:
        model: the network.
        samples: typical input; the widths of the states are chosen so that they rarely saturate on input like it.
        weight_bits: width of the weights, of all layers or of each.
        leak_bits: width of the leak codes.
        fraction_bits: by how many bits states are finer than weights, so that little is lost where they decay; the
            model's weights are wider by them and end in as many zeros, which hardware does not store.
        state_bits: the most that states may have; None: as many as the samples ask for.
        reached: what `largest_states` gives for model and samples, if it is known.

    Raises:
        ModelError: if a width is out of its range, or there is not one for each layer.
    """
    widths = _checked(model, weight_bits, leak_bits, fraction_bits)
    widest = STATE_BITS[1] if state_bits is None else state_bits
    check_range("state_bits", widest, STATE_BITS)
    units = scales(model, weight_bits=widths, fraction_bits=fraction_bits)
    layers = [
        _layer(*each, leak_bits, fraction_bits, widest, spiking=model.spikes(index))
        for index, each in enumerate(
            zip(model.layers, widths, units, reached or largest_states(model, samples), strict=True), start=1
        )
    ]
    return IntModel(model.name, model.input_shape, tuple(layers), model.readout, model.classes)


def rounded(
    model: RealModel, *, weight_bits: int | Sequence[int], leak_bits: int, fraction_bits: int
) -> list[list[str]]:
    """Of each layer, which of its numbers integers of these widths only come near to; states are not looked at.

    A threshold that nothing subtracts is never in it: where all else is exact, the next integer above is, too.

    Raises:
        ModelError: as `calibrate`.
    """
    widths = _checked(model, weight_bits, leak_bits, fraction_bits)
    found = []
    each = zip(model.layers, widths, scales(model, weight_bits=widths, fraction_bits=fraction_bits), strict=True)
    for index, (layer, bits, grid) in enumerate(each, start=1):
        low, high = weight_range(bits)
        weights = np.concatenate([one.weight.reshape(len(grid), -1) for one in layer.projections], axis=1)
        units = weights / grid[:, None]
        exact = _whole(units) and low <= units.min() and units.max() <= high and (bits > 1 or units.all())
        names = [] if exact else ["weights"]
        for name, values, quantity in layer.neuron.tensors():
            if quantity is THRESHOLD and not _subtracts(model, index):
                continue
            if quantity is THRESHOLD and _takes_too_much(layer.neuron):
                names.append(name)
                continue
            code = (
                values * 2**leak_bits
                if quantity.code
                else values
                if quantity.steps
                else values / grid * 2**fraction_bits
            )
            if not _whole(code) or (quantity.code and code.max() >= 2**leak_bits):
                names.append(name)
        found.append(names)
    return found


def _whole(units: Array) -> bool:
    return bool(np.abs(units - np.rint(units)).max(initial=0.0) < 1e-9)


def most_fraction_bits(weight_bits: int) -> int:
    """The most by which states can be finer than weights: weights of one bit are -1 or 1, and nothing else."""
    return WEIGHT_BITS[1] - weight_bits if weight_bits > 1 else 0


def default_fraction_bits(weight_bits: Sequence[int]) -> int:
    """For networks that were not trained in integers."""
    return max(0, min(FRACTION_BITS, *map(most_fraction_bits, weight_bits)))


def scales(model: RealModel, *, weight_bits: int | Sequence[int], fraction_bits: int) -> list[Array]:
    """`(P,)` per layer: the real numbers that the weights' integers are multiples of, one of each neuron or channel.

    Where potentials are compared with each other, all neurons of the layer share one.
    """
    room = _ROOM / 2**fraction_bits
    found = []
    for index, (layer, bits) in enumerate(zip(model.layers, _each(model, weight_bits), strict=True), start=1):
        weights = np.concatenate([one.weight for one in layer.projections], axis=1).reshape(layer.shape[0], -1)
        others = _with_a_scale(layer.neuron, subtracts=_subtracts(model, index))
        beside = np.abs(others).max(axis=1)
        if model.spikes(index):
            beside = np.maximum(beside, layer.neuron.threshold)
        else:
            weights, others, beside = weights.reshape(1, -1), others.reshape(1, -1), beside.max(keepdims=True)
        found.append(np.broadcast_to(_scales(weights, others, beside / room, bits), layer.shape[:1]))
    return found


def _subtracts(model: RealModel, index: int) -> bool:
    """Whether the spikes of a layer take its threshold from its membranes; neurons that are read out never spike."""
    return model.spikes(index) and model.layers[index - 1].neuron.reset != "zero"


def _checked(model: RealModel, weight_bits: int | Sequence[int], leak_bits: int, fraction_bits: int) -> list[int]:
    """The width of each layer's weights; refuses widths that hardware does not have."""
    widths = _each(model, weight_bits)
    check_range("leak_bits", leak_bits, LEAK_BITS)
    for bits in widths:
        check_range("weight_bits", bits, WEIGHT_BITS)
        check_range(f"fraction_bits of weights of {bits} bits", fraction_bits, (0, most_fraction_bits(bits)))
    return widths


def _each(model: RealModel, weight_bits: int | Sequence[int]) -> list[int]:
    widths = [weight_bits] * len(model.layers) if isinstance(weight_bits, int) else list(weight_bits)
    if len(widths) != len(model.layers):
        raise ModelError(f"{len(widths)} weight widths for {len(model.layers)} layers; give one for all, or one each")
    return widths


def saturated(model: IntModel, samples: SpikeSet) -> float:
    """The share of neurons and steps in which a state stands at a bound of its range."""
    bounds = [layer.integers.state[1] for layer in model.layers]
    there = sum(int((reached >= bounds[place]).sum()) for place, reached in _magnitudes(model, samples))
    return there / max(1, int(samples.steps.sum()) * sum(layer.neurons for layer in model.layers))


def largest_states(model: RealModel, samples: SpikeSet) -> list[Array]:
    """Of each layer `(N,)`, the largest magnitude that a neuron's states reach on the samples, in real units."""
    largest = [np.zeros(layer.neurons) for layer in model.layers]
    for place, reached in _magnitudes(model, samples):
        largest[place] = np.maximum(largest[place], reached.max(axis=0))
    return largest


def _magnitudes(model: IntModel | RealModel, samples: SpikeSet) -> Iterator[tuple[int, Array]]:
    """Layer by layer, of each step the largest magnitude of every neuron's states, `(batch, N)`; 0 beyond the end."""
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
                yield index - 1, np.where(mask[step, :, None], np.maximum.reduce(reached), 0)
                outputs[step] = o
            sources.append(outputs & mask[:, :, None])


def _layer(
    layer: Layer,
    weight_bits: int,
    grid: Array,
    reach: Array,
    leak_bits: int,
    fraction_bits: int,
    widest: int,
    *,
    spiking: bool,
) -> Layer:
    positions, scale = layer.neurons // layer.shape[0], grid / 2**fraction_bits
    needed = reach.reshape(layer.shape[0], -1).max(axis=1) * _HEADROOM / scale
    neuron = layer.neuron
    for tensor in neuron.tensors():
        compared = spiking or tensor.quantity is not THRESHOLD
        if compared and not (tensor.quantity.code or tensor.quantity.steps):
            needed = np.maximum(needed, np.abs(tensor.values) / scale + 1)
    most = int(min(needed.max(), 2.0 ** STATE_BITS[1]))
    state_bits = min(widest, max(STATE_BITS[0], signed_bits(-most, most)))
    widths = Widths(weight_bits + fraction_bits, leak_bits, state_bits)

    def coded(tensor: Tensor) -> IntArray:
        """The integers nearest to real numbers, within their range."""
        if tensor.quantity is LEAK:
            codes = np.rint(tensor.values * 2**leak_bits)
        elif tensor.quantity.steps:
            codes = np.rint(tensor.values)
        elif tensor.quantity is THRESHOLD and (neuron.strict or neuron.reset == "zero"):
            # Integer potentials reach it exactly where they reach the next integer above it. (A threshold that is also
            # subtracted is better rounded to the nearest, unless the difference can be given back.)
            units = np.round(tensor.values / scale, 9)
            codes = np.floor(units) + 1 if neuron.strict else np.ceil(units)
        else:
            codes = np.rint(tensor.values / scale)
        limits = tensor.quantity.range(widths)
        found: IntArray = codes.clip(*limits).astype(smallest_dtype(*limits))
        return found

    spread = np.repeat(grid, positions)[:, None]
    low, high = weight_range(weight_bits)
    projections = []
    for one in layer.projections:
        codes = np.where(one.weight < 0, -1, 1) if weight_bits == 1 else np.rint(one.weight / spread).clip(low, high)
        codes = codes.astype(np.int64) << fraction_bits
        projections.append(replace(one, weight=codes.astype(smallest_dtype(*widths.weight))))
    parts = tuple(type(part)(*map(coded, part.own_tensors())) for part in neuron.parts)
    leak, threshold = map(coded, neuron.own_tensors())
    if neuron.strict and neuron.reset == "late_subtract":
        taken = np.rint(neuron.threshold / scale).clip(*THRESHOLD.range(widths))
        parts = _given_back(parts, threshold - taken.astype(np.int64), widths)
    return Layer(layer.shape, tuple(projections), Lif(leak, threshold, neuron.reset, parts), widths)


def _given_back(parts: tuple[Part, ...], difference: IntArray, widths: Widths) -> tuple[Part, ...]:
    """The parts of neurons from whose membranes a spike takes more than it should, by so much.

    A self-weight gives it back in the step in which it is taken; through a synaptic filter it would last.
    """
    if any(isinstance(part, Synapse) for part in parts) or not difference.any():
        return parts
    others = tuple(part for part in parts if not isinstance(part, SelfWeight))
    own = sum((part.weight for part in parts if isinstance(part, SelfWeight)), difference)
    limits = SIGNED.range(widths)
    return SelfWeight(own.clip(*limits).astype(smallest_dtype(*limits))), *others


def _takes_too_much(neuron: Lif) -> bool:
    """Whether a spike takes a unit more than it should, and nothing gives it back."""
    filtered = any(isinstance(part, Synapse) for part in neuron.parts)
    return neuron.strict and neuron.reset == "late_subtract" and filtered


def _with_a_scale(neuron: Lif, *, subtracts: bool) -> Array:
    """`(P, n)`: the numbers beside the weights that are added to currents or potentials, and so round as weights do."""
    subtracted = [neuron.threshold] if subtracts else []
    scaled = [
        one.values
        for part in neuron.parts
        for one in part.own_tensors()
        if not (one.quantity.code or one.quantity.steps)
    ]
    return np.stack([*subtracted, *scaled, np.zeros(len(neuron.leak))], axis=1)


def _grid(numbers: Array) -> Array:
    """`(rows,)`: the largest number of which all numbers of a row are multiples, exactly; 0 where there is none."""
    mantissa, exponent = np.frexp(numbers)
    whole = (mantissa * 2.0**53).astype(np.int64)
    zeros = np.where(whole != 0, np.log2(whole & -whole, where=whole != 0, out=np.zeros(whole.shape)), 0)
    lowest = np.where(whole != 0, exponent - 53 + zeros, 64).min(axis=1)  # the exponent of the lowest bit
    units = np.ldexp(numbers, -lowest[:, None].astype(np.int64))
    fits = (np.abs(units) < 2.0**62).all(axis=1)
    common = np.gcd.reduce(np.where(fits[:, None], units, 0).astype(np.int64), axis=1)
    found: Array = np.ldexp(common.astype(np.float64), np.where(fits, lowest, 0).astype(np.int64))
    return found


def _scales(weights: Array, others: Array, least: Array, bits: int) -> Array:
    """`(rows,)`: of each row of real weights the scale at which its integers of `bits` bits lie nearest to it.

    Where weights and other numbers of a row are all multiples of one number, and fit, so they are of the scale: it is
    1, or a fraction of that number, as small as the weights allow. Weights that are nearly nothing beside a threshold
    or a bias get the scale `least`, at which these still fit.
    """
    if bits == 1:
        magnitude: Array = np.abs(weights).mean(axis=1)  # Rastegari et al. 2016, XNOR-Net
        return np.maximum(np.where(magnitude > 0, magnitude, 1.0), least)
    low, high = weight_range(bits)
    largest = np.abs(weights).max(axis=1)
    largest = np.where(largest > 0, largest, 1.0)
    best, error = np.ones(len(weights)), np.full(len(weights), np.inf)
    tried = np.unique(np.linspace(max(1, high // 3), high + 1, _CANDIDATES).round())
    for scale in (best, *(largest / code for code in tried)):
        codes = np.rint(weights / scale[:, None]).clip(low, high)
        found = np.square(codes * scale[:, None] - weights).sum(axis=1)  # (rows,)
        better = found < error * (1 - 1e-9)
        best, error = np.where(better, scale, best), np.where(better, found, error)
    best = np.maximum(best, least)
    grid = _grid(np.concatenate([weights, others], axis=1))
    exact = (grid > 0) & (np.abs(others).max(axis=1) <= _MOST_UNITS * grid) & (weights != 0).any(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # no positive, or no negative weight limits nothing
        above, below = high * grid / weights.max(axis=1).clip(min=0), low * grid / weights.min(axis=1).clip(max=0)
        finer = np.floor(np.minimum(np.minimum(above, below), 4 * grid / least))  # how many times all fits
    best = np.where(exact & (finer >= 1), grid / np.maximum(finer, 1), best)
    best = np.where(exact & (grid % 1 == 0) & (largest <= high) & (least <= 4), 1.0, best)
    alone = np.abs(others).max(axis=1) / high  # of a neuron without weights
    return np.where((weights == 0).all(axis=1) & (alone > 0), np.maximum(alone, least), best)
