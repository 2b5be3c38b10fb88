"""The contents of a layer's memories, as lines for `$readmemh`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hwgen.plan import LayerPlan
from quant.formats import IntArray, hex_words
from quant.model import IntLayer


def weight_words(layer: IntLayer, plan: LayerPlan) -> Iterator[str]:
    """Word `group * rows + row`: the weights of all lanes, lane 0 in the lowest bits (scsr_weights.v)."""
    columns = weight_columns(layer, plan)
    if layer.weight_bits == 1:
        columns = (columns > 0).astype(np.int64)
    idle = plan.groups * plan.lanes - plan.neurons
    by_lane = np.pad(columns, ((0, idle), (0, 0))).reshape(plan.groups, plan.lanes, plan.rows)
    for group in by_lane:
        yield from hex_words(list(group), [layer.weight_bits] * plan.lanes)


def param_words(layer: IntLayer, plan: LayerPlan) -> Iterator[str]:
    """Word `neuron`: leak, threshold, self-weight and synapse leak, each where there is one (scsr_neuron.v)."""
    fields: list[tuple[IntArray, int]] = [(layer.leak, plan.leak_bits)]
    if plan.spiking:
        fields.append((layer.threshold, plan.threshold_bits))
    if plan.self_bits and layer.self_weight is not None:
        fields.append((layer.self_weight, plan.self_bits))
    if layer.synapse_leak is not None:
        fields.append((layer.synapse_leak, plan.leak_bits))
    return hex_words([field for field, _ in fields], [width for _, width in fields])


def weight_columns(layer: IntLayer, plan: LayerPlan) -> IntArray:
    """The layer's weights `(neurons, rows)` in the order of the weight memory's rows."""
    blocks = [layer.recurrent if link.recurrent else layer.weight[link.source] for link in plan.links]
    return np.concatenate([block for block in blocks if block is not None], axis=1).astype(np.int64)
