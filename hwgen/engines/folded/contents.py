"""The contents of a folded layer's memories, as lines for `$readmemh`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.core import codes, neuron
from hwgen.engines.folded.plan import FoldedLayer, weights_of
from quant.formats import IntArray, hex_words
from quant.model import Layer


def weight_words(layer: Layer, plan: FoldedLayer) -> Iterator[str]:
    """Word `group * rows + row`: the weights of all lanes, lane 0 in the lowest bits (scsr_weights.v)."""
    columns = np.concatenate([weights_of(layer, link) for link in plan.links if link.rows], axis=1)
    columns = columns >> plan.neuron.zero_bits
    if plan.weight_bits == 1:
        columns = (columns > 0).astype(np.int64)
    idle = plan.groups * plan.lanes - plan.neurons
    by_lane = np.pad(columns, ((0, idle), (0, 0))).reshape(plan.groups, plan.lanes, plan.rows)
    for group in by_lane:
        words = hex_words(list(group), [plan.weight_bits] * plan.lanes)
        yield from codes.protected(words, plan.place.code, plan.lanes * plan.weight_bits)


def slot_words(layer: Layer, plan: FoldedLayer) -> Iterator[str]:
    """Word `group * slots + slot`: the slots of all lanes, lane 0 in the lowest bits (scsr_lookup.v).

    Slots that a neuron does not need have the weight 0.
    """
    weight = next(weights_of(layer, link) for link in plan.links if link.slots)
    weight = weight >> plan.neuron.zero_bits
    used = np.argsort(weight == 0, axis=1, kind="stable")[:, : plan.slots]
    group, lane = np.divmod(used, plan.lanes)
    word, place = group * plan.group_words + lane // plan.units, lane % plan.units
    fields = [(place, plan.place_bits), (word, plan.word_bits), (np.take_along_axis(weight, used, 1), plan.weight_bits)]
    idle = plan.groups * plan.lanes - plan.neurons
    by_group = [
        np.pad(field, ((0, idle), (0, 0))).reshape(plan.groups, plan.lanes, plan.slots)
        for field, bits in fields
        if bits
    ]
    widths = [bits for _, bits in fields if bits] * plan.lanes
    for group_fields in zip(*by_group, strict=True):
        words = hex_words([field[lane] for lane in range(plan.lanes) for field in group_fields], widths)
        yield from codes.protected(words, plan.place.code, sum(widths))


def param_words(layer: Layer, plan: FoldedLayer) -> Iterator[str]:
    """Of each word of `units` neurons, their parameters (scsr_neuron.v, scsr_update.v)."""

    def by_unit(field: IntArray) -> IntArray:
        lanes = np.pad(field, (0, plan.groups * plan.lanes - plan.neurons)).reshape(plan.groups, plan.lanes)
        filled = np.pad(lanes, ((0, 0), (0, plan.group_words * plan.units - plan.lanes)))
        return filled.reshape(-1, plan.units)[: plan.words].T

    columns = [by_unit(field) for field in neuron.parameters(layer, plan.neuron)]
    words = hex_words(
        [column[unit] for unit in range(plan.units) for column in columns],
        [width for _ in range(plan.units) for _, width in plan.neuron.fields],
    )
    return codes.protected(words, plan.place.code, plan.param_word_bits)
