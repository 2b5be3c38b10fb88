"""The area of a folded layer: its terms follow the Verilog, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from hwgen.core.footprint import Footprint, Storage, choice, small_rams, small_rom
from hwgen.engines.folded.plan import FoldedLayer


def footprint(layer: FoldedLayer) -> Footprint:
    """What a layer takes, its skip links included and the read-out not."""
    multipliers = 0 if layer.neuron.shift else layer.units * layer.neuron.states
    multipliers += layer.units * (layer.neuron.count_bits > 0)
    return Footprint(_terms(layer), tuple(_memories(layer)), (multipliers, layer.neuron.state_bits))


def _terms(layer: FoldedLayer) -> dict[str, float]:
    neuron = layer.neuron
    state = layer.units * neuron.state_bits
    rams = [(layer.words, layer.units * neuron.state_word_bits)]
    rams += [(2 << layer.position_bits, layer.row_bits)] * layer.ports
    rams += [(link.fifo_words, link.fifo_word_bits) for link in layer.links if link.fifo_words]
    rom = small_rom(layer.params.words, layer.params.word_bits)
    rom += layer.ports * small_rom(layer.weights.bank_words, layer.weights.word_bits)
    weights, lookup = layer.ports * layer.lanes * layer.weight_bits, 0
    if layer.slot_weights:
        rams += [(2 << layer.word_bits, layer.units)] * layer.lanes
        rom += small_rom(layer.slot_weights.bank_words, layer.slot_weights.word_bits)
        # Slots behind their memory, and what stands beside the look-up: words of weights twice, each lane's own once.
        lookup = layer.lanes * (layer.slot_bits + layer.weight_bits + layer.place_bits) + 2 * weights
    return {
        "layers": 1,
        "links": len(layer.links),
        "skips": sum(link.fifo_word_bits for link in layer.links if link.fifo_words),
        # With inhibition, what waits for its product takes at most as many bits of accumulators (measured for xc7).
        "sums": layer.lanes * neuron.brought_bits
        + layer.units * (neuron.count_bits > 0) * (neuron.sum_bits + neuron.state_word_bits + neuron.param_bits),
        "second sums": (layer.ports - 1) * layer.lanes * neuron.brought_bits,
        "weights": weights + lookup,
        "hold choice": layer.units * neuron.brought_bits * choice(layer.group_words),
        "bank choice": layer.ports * layer.lanes * layer.weight_bits * choice(layer.weights.banks),
        "counters": layer.count_bits + layer.position_bits + layer.group_bits + layer.word_bits,
        "rows": layer.ports * (layer.row_bits + layer.weights.address_bits),
        "state": state,
        "shifts": state * neuron.code_bits * neuron.states * neuron.shift,
        "filters": state * (neuron.states - 1),
        # A refractory neuron's mask over its past spikes takes as much as four such bits for each (measured for xc7).
        "subtractions": state * (neuron.reset != "zero") * layer.spiking
        + 4 * layer.units * neuron.history * ("refractory" in neuron.parts),
        "currents": layer.units * neuron.current_bits,
        "self-weights": layer.units * sum(map(neuron.width, ("self_weight", "bias", "adaptation_step"))),
        "thresholds": layer.units * neuron.width("threshold"),
        "parameters": layer.units * (neuron.param_bits + max(0, neuron.history - 1)),
        # Each lane's copy of the layer's spikes, in look-up tables of 64 bits (measured for xc7).
        "copies": layer.lanes * layer.spike_copy_bits / 64 * (layer.slots > 0),
        "several units": layer.units * layer.index_bits * (layer.units > 1),
        **small_rams(rams),
        "small tables": rom,
    }


def _memories(layer: FoldedLayer) -> Iterator[Storage]:
    """A layer's memories that may take block RAM."""
    yield Storage("ram", layer.words, layer.units * layer.neuron.state_word_bits)
    yield Storage("rom", layer.params.words, layer.params.word_bits)
    for _ in range(layer.ports):
        yield Storage("ram", 2 << layer.position_bits, layer.row_bits)
    for link in layer.links:
        yield Storage("ram", link.fifo_words, link.fifo_word_bits)
    for _ in range(layer.weights.banks):
        yield Storage(
            "loaded_ram" if layer.weights.loaded else "rom",
            layer.weights.bank_words,
            layer.weights.word_bits,
            layer.ports == 2,
        )
    if layer.slot_weights:
        for _ in range(layer.slot_weights.banks):
            yield Storage("rom", layer.slot_weights.bank_words, layer.slot_weights.word_bits)
        for _ in range(layer.lanes):
            yield Storage("free_ram", 2 << layer.word_bits, layer.units)
