"""The blocks of a folded layer, as the page of a build shows them."""

from __future__ import annotations

from hwgen.engines.folded.plan import FoldedLayer
from quant.page.records import Block, Memory


def blocks(layer: FoldedLayer) -> list[Block]:
    """From the collector to the neurons, in the order of the data."""
    neuron, weights = layer.neuron, layer.weights
    banks = [f"{weights.banks} banks"] if weights.banks > 1 else []
    parts = [part.replace("_", " ") for part in neuron.parts]
    return [
        Block("collector", []),
        Block(
            "event list",
            [f"2 × {layer.rows:,} events", *(["2 events per cycle"] if layer.ports > 1 else [])],
            memories=[Memory("event list", 2 << layer.position_bits, layer.ports * layer.row_bits)],
        ),
        Block(
            "weights",
            [f"{layer.weight_bits} bit each", *banks, *(["loaded at run time"] if weights.loaded else [])],
            memories=[Memory("weights", weights.words, weights.word_bits)],
        ),
        *_slots(layer),
        Block("lanes", [f"{layer.lanes:,} × {neuron.brought_bits}-bit sums"], layer.lanes),
        Block(
            "neurons",
            [f"{layer.units} per cycle", f"{neuron.state_bits}-bit states", *parts],
            layer.units,
            [
                Memory("states", layer.words, layer.units * neuron.state_word_bits),
                Memory("parameters", layer.params.words, layer.params.word_bits),
            ],
        ),
    ]


def _slots(layer: FoldedLayer) -> list[Block]:
    """Few recurrent weights, if the layer keeps them so: the weights, and the spikes that they are for."""
    if layer.slot_weights is None:
        return []
    memory = layer.slot_weights
    return [
        Block(
            "recurrent weights",
            [f"{layer.slots} for each neuron"],
            memories=[
                Memory("recurrent weights", memory.words, memory.word_bits),
                Memory("own spikes", 2 << layer.word_bits, layer.lanes * layer.units),
            ],
        )
    ]
