"""The contents of a layer's memories, as lines for `$readmemh`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.core import codes
from hwgen.core.plan import LOAD_BITS, HardwarePlan, LayerPlan
from quant.formats import IntArray, hex_words
from quant.model import IntModel, Layer
from quant.neurons import Lif, SelfWeight, Synapse


def weight_words(layer: Layer, plan: LayerPlan) -> Iterator[str]:
    """Word `group * rows + row`: the weights of all lanes, lane 0 in the lowest bits (scsr_weights.v)."""
    columns = weight_columns(layer, plan)
    if plan.weight_bits == 1:
        columns = (columns > 0).astype(np.int64)
    idle = plan.groups * plan.lanes - plan.neurons
    by_lane = np.pad(columns, ((0, idle), (0, 0))).reshape(plan.groups, plan.lanes, plan.rows)
    for group in by_lane:
        yield from _protected(
            hex_words(list(group), [plan.weight_bits] * plan.lanes), plan.code, plan.lanes * plan.weight_bits
        )


def load_words(model: IntModel, plan: HardwarePlan) -> bytes:
    """What the stream `s_load` carries: the words of all loaded memories, 16 bits at a time, lower byte first."""
    parts: list[bytes] = []
    for layer in plan.loaded:
        size = layer.weights.slices * LOAD_BITS // 8
        words = weight_words(model.layers[layer.index - 1], layer)
        parts.extend(int(word, 16).to_bytes(size, "little") for word in words)
    return b"".join(parts)


def param_words(layer: Layer, plan: LayerPlan) -> Iterator[str]:
    """Of each word of `units` neurons, their leaks, thresholds, self-weights and synapse leaks, each where there is one
    (scsr_neuron.v, scsr_update.v)."""
    neuron = layer.spread()
    if (shifts := leak_shifts(layer)) is not None:
        neuron = shifts
    self_weight, synapse = neuron.part(SelfWeight), neuron.part(Synapse)
    fields: list[tuple[IntArray, int]] = [(neuron.leak, plan.code_bits)]
    if plan.spiking:
        fields.append((neuron.threshold, plan.threshold_bits))
    if plan.self_bits and self_weight is not None:
        fields.append((self_weight.weight, plan.self_bits))
    if synapse is not None:
        fields.append((synapse.leak, plan.code_bits))

    def by_unit(field: IntArray) -> IntArray:
        lanes = np.pad(field, (0, plan.groups * plan.lanes - plan.neurons)).reshape(plan.groups, plan.lanes)
        filled = np.pad(lanes, ((0, 0), (0, plan.group_words * plan.units - plan.lanes)))
        return filled.reshape(-1, plan.units)[: plan.words].T

    columns = [by_unit(field) for field, _ in fields]
    words = hex_words(
        [column[unit] for unit in range(plan.units) for column in columns],
        [width for _ in range(plan.units) for _, width in fields],
    )
    return _protected(words, plan.code, plan.param_word_bits)


def _protected(words: Iterator[str], code: str, width: int) -> Iterator[str]:
    """The words with their check bits."""
    if code == "none":
        return words
    digits = -(-(width + codes.check_bits(code, width).bits) // 4)
    return (f"{codes.protect(int(word, 16), code, width):0{digits}x}" for word in words)


def leak_shifts(layer: Layer) -> Lif | None:
    """The layer's neurons with shifts `k` for leaks, where every leak is `2**F - 2**(F - k)`, else None.

    Such a leak needs no multiplier: `F` is the layer's leak width, `k` is in `0 .. F` (scsr_decay.v).
    """
    bits = layer.integers.leak_bits
    kept = [(1 << bits) - (1 << (bits - shift)) for shift in range(bits + 1)]
    neuron = layer.spread()
    synapse = neuron.part(Synapse)
    leaks = [neuron.leak] if synapse is None else [neuron.leak, synapse.leak]
    if not all(np.isin(leak, kept).all() for leak in leaks):
        return None
    shifted = [np.searchsorted(kept, leak).astype(np.int64) for leak in leaks]
    parts = tuple(Synapse(shifted[1]) if isinstance(part, Synapse) else part for part in neuron.parts)
    return Lif(shifted[0], neuron.threshold, neuron.reset, parts)


def weight_columns(layer: Layer, plan: LayerPlan) -> IntArray:
    """The layer's weights `(neurons, rows)` in the order of the weight memory's rows."""
    blocks = [
        np.sum([one.weight for one in layer.projections if one.source == link.source], axis=0) for link in plan.links
    ]
    return np.concatenate(blocks, axis=1).astype(np.int64)
