"""The plan of a folded layer: lanes, groups, words, and the memories that feed them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hwgen.core import codes
from hwgen.core.codes import CheckBits, check_bits
from hwgen.core.neuron import NeuronPlan, plan_neuron
from hwgen.core.plan import MAX_VECTOR_BITS, Link, Memory, Node, Place
from hwgen.engines.folded.fold import Fold
from quant.errors import BuildError
from quant.formats import IntArray, index_bits, signed_bits, unsigned_bits
from quant.model import Layer
from quant.projections import Dense

MAX_MEMORY_BITS = 1 << 30  # beyond the block RAM of any FPGA

# Depth and width of the block of RAM that most families share, of 16 Kbit and more.
BLOCK_SHAPES = ((16384, 1), (8192, 2), (4096, 4), (2048, 9), (1024, 18))
MAX_BANKS = 100  # their files have two digits
LOADED_BANK_WORDS = 16384  # of the iCE40 UltraPlus' large blocks, 16 bits wide
LOOKUP_BITS = 8192  # of memory that a lane must save to be worth its copy of the layer's spikes: half a block of RAM


@dataclass(frozen=True, slots=True)
class FoldedLayer(Node):
    """A layer of which some neurons accumulate at once, group after group. Widths are in bits.

    Attributes:
        lanes: neurons that accumulate at once.
        ports: events taken per cycle, one through each read port of the weight memory.
        weight_bits: width of a weight.
        weights: the weight memory, in the order of the links' rows.
        slot_weights: the memory of the slots, where there are any.
    """

    lanes: int
    ports: int
    weight_bits: int
    weights: Memory
    slot_weights: Memory | None = None

    @property
    def groups(self) -> int:
        return -(-self.neurons // self.lanes)

    @property
    def words(self) -> int:
        """Words of at most `units` neurons, in all groups."""
        return (self.groups - 1) * self.group_words + self.last_words

    @property
    def group_words(self) -> int:
        """Words in every group but the last."""
        return -(-self.lanes // self.units)

    @property
    def last_words(self) -> int:
        """Words in the last group."""
        return -(-self._last_neurons // self.units)

    @property
    def group_last_units(self) -> int:
        """Neurons in the last word of every group but the last."""
        return self.lanes - (self.group_words - 1) * self.units

    @property
    def last_units(self) -> int:
        """Neurons in the last word."""
        return self._last_neurons - (self.last_words - 1) * self.units

    @property
    def _last_neurons(self) -> int:
        """Neurons in the last group."""
        return self.neurons - (self.groups - 1) * self.lanes

    @property
    def folded(self) -> str:
        lanes = "1 lane" if self.lanes == 1 else f"{self.lanes} lanes"
        return f"1 group of {lanes}" if self.groups == 1 else f"{self.groups} groups of {lanes}"

    @property
    def memories(self) -> tuple[Memory, ...]:
        return tuple(memory for memory in (self.weights, self.slot_weights, self.params) if memory)

    @property
    def check_bits(self) -> int:
        slots = self.slot_code.bits * self.slot_weights.words if self.slot_weights else 0
        return self.weight_code.bits * self.weights.words + slots + self.param_code.bits * self.words

    @property
    def longest_cycles(self) -> int:
        return self.groups * max(self.rows + self.slots, self.group_words) + self.neurons

    @property
    def params(self) -> Memory:
        """The memory of the neurons' parameters."""
        word_bits = self.param_word_bits + self.param_code.bits
        return Memory(f"layer_{self.index}_params", self.words, word_bits, self.words)

    @property
    def param_word_bits(self) -> int:
        """Width of the parameters that are read at once, without check bits."""
        return self.units * self.neuron.param_bits

    @property
    def weight_code(self) -> CheckBits:
        return check_bits(self.place.code, self.lanes * self.weight_bits)

    @property
    def slot_number_bits(self) -> int:
        return index_bits(self.slots)

    @property
    def place_bits(self) -> int:
        """Width of a neuron's place in its word, as a slot names it."""
        return self.unit_bits if self.units > 1 else 0

    @property
    def slot_bits(self) -> int:
        """Width of a slot: a weight, and the neuron that it comes from."""
        return self.weight_bits + self.word_bits + self.place_bits

    @property
    def slot_code(self) -> CheckBits:
        return check_bits(self.place.code, self.lanes * self.slot_bits)

    @property
    def spike_copy_bits(self) -> int:
        """Bits of one lane's copy of the layer's spikes, of two steps."""
        return (2 << self.word_bits) * self.units

    @property
    def param_code(self) -> CheckBits:
        return check_bits(self.place.code, self.param_word_bits)

    @property
    def guard_cycles(self) -> int:
        """What checking a word takes."""
        return codes.guard_cycles(self.place.code)

    @property
    def group_word_bits(self) -> int:
        return index_bits(self.group_words)

    @property
    def group_bits(self) -> int:
        return index_bits(self.groups)

    @property
    def row_bits(self) -> int:
        return index_bits(self.rows)

    @property
    def count_bits(self) -> int:
        return unsigned_bits(self.rows)

    @property
    def position_bits(self) -> int:
        """Width of a place in the event list, which holds `ports` events."""
        return index_bits(-(-self.rows // self.ports))

    @property
    def list_bits(self) -> int:
        """Bits of the ping-pong event list."""
        return (2 << self.position_bits) * self.ports * self.row_bits

    @property
    def widest_vector_bits(self) -> int:
        """Of the lanes' sums, the words of weights, states and parameters."""
        weights = self.ports * self.weights.word_bits * self.weights.banks
        states = self.units * self.neuron.state_word_bits
        slots = self.slot_weights.word_bits * self.slot_weights.banks if self.slot_weights else 0
        return max(self.lanes * self.neuron.brought_bits, weights, slots, states, self.params.word_bits)


def plan_layer(layer: Layer, place: Place, fold: Fold, *, spiking: bool) -> FoldedLayer:
    """A layer in its place, folded so far.

    Raises:
        BuildError: if a vector or memory exceeds what tools accept.
    """
    weights = [weights_of(layer, link) for link in place.links]
    columns = np.concatenate(weights, axis=1)
    ranges = [Dense(link.source, one).sum_range() for link, one in zip(place.links, weights, strict=True)]
    low, high = np.sum(ranges, axis=0)
    zero_bits = 0 if fold.loaded else _zero_bits(columns)
    weight_bits = layer.integers.weight_bits
    if weight_bits > 1 or not np.isin(columns, (-1, 1)).all():  # projections of one source add up
        actual = signed_bits(int(columns.min()), int(columns.max()))
        weight_bits = max(weight_bits, actual, zero_bits + 2) - zero_bits
    sum_bits = max(2, weight_bits + zero_bits, signed_bits(int(low.min()), int(high.max())))
    fan_in = [int(np.count_nonzero(one, axis=1).max()) for one in weights]
    links = tuple(replace(one, fan_in=most) for one, most in zip(place.links, fan_in, strict=True))
    neuron = plan_neuron(layer, low, high, sum_bits, zero_bits, spiking=spiking)
    plan = _folded(replace(place, links=links), neuron, weight_bits, fold)
    _check_limits(plan)
    return plan


def _zero_bits(weights: IntArray) -> int:
    """The lowest bits that are 0 in all weights: training may make them multiples of a power of two."""
    together = int(np.bitwise_or.reduce(weights, axis=None))
    return (together & -together).bit_length() - 1 if together else 0


def refold(layer: FoldedLayer, fold: Fold) -> FoldedLayer:
    """The same layer, folded otherwise."""
    return _folded(layer.place, layer.neuron, layer.weight_bits, fold)


def _folded(place: Place, neuron: NeuronPlan, weight_bits: int, fold: Fold) -> FoldedLayer:
    place = _rows_or_slots(place, weight_bits, fold)
    weights = _weight_memory(place, weight_bits, fold)
    plan = FoldedLayer(place, fold.units, neuron, fold.lanes, fold.ports, weight_bits, weights)
    if not plan.slots:
        return plan
    # Slots have several banks just where rows do: both are read in the same cycles.
    words, bits = plan.groups * plan.slots, plan.lanes * plan.slot_bits + plan.slot_code.bits
    bank_words = words if weights.banks == 1 else 1 << index_bits(words) - 1
    return replace(plan, slot_weights=Memory(f"{plan.name}_slots", words, bits, bank_words))


def weights_of(layer: Layer, link: Link) -> IntArray:
    """A layer's weights `(neurons, channels)` along a link; what several projections bring from its source adds up."""
    each = [one.weight for one in layer.projections if one.source == link.source]
    total: IntArray = np.sum(each, axis=0, dtype=np.int64)
    return total


def _rows_or_slots(place: Place, weight_bits: int, fold: Fold) -> Place:
    """The place of a layer whose own spikes reach it in the smaller way: through rows of weights, or through slots.

    A row has a weight for each neuron. A slot is a weight and the number of the neuron that it comes from, and every
    neuron has as many as the one with the most needs; beside them every lane has a copy of the layer's spikes.
    """
    links, offset = [], 0
    for link in place.links:
        # Several words at least in a bank, as there may be two banks of them
        slots = max(2 if link.size > fold.lanes else 3, link.fan_in)
        saved = link.size * (link.size * weight_bits - slots * (weight_bits + index_bits(link.size)))
        pays = link.recurrent and not fold.loaded and saved >= LOOKUP_BITS * fold.lanes
        links.append(replace(link, offset=offset, slots=slots if pays else 0))
        offset += links[-1].rows
    return replace(place, links=tuple(links))


def _weight_memory(place: Place, weight_bits: int, fold: Fold) -> Memory:
    """A weight memory in banks of the depth that takes the fewest blocks; of several, the deepest.

    Banks are as deep as their blocks, so that no tool divides one further and chooses between the parts.
    """
    rows = sum(link.rows for link in place.links)
    prefix, words = f"layer_{place.index}_weights", -(-place.neurons // fold.lanes) * rows
    data_bits = fold.lanes * weight_bits
    word_bits = data_bits + check_bits(place.code, data_bits).bits
    if fold.loaded:
        return Memory(prefix, words, word_bits, min(words, LOADED_BANK_WORDS), loaded=True)
    if words <= BLOCK_SHAPES[-1][0]:
        return Memory(prefix, words, word_bits, words)
    blocks = {depth: -(-words // depth) * -(-word_bits // width) for depth, width in BLOCK_SHAPES}
    depth = min(blocks, key=lambda depth: (blocks[depth], -depth))
    while depth * MAX_BANKS < words:
        depth *= 2
    return Memory(prefix, words, word_bits, min(depth, words))


def _check_limits(plan: FoldedLayer) -> None:
    if plan.lanes * plan.neuron.brought_bits > MAX_VECTOR_BITS:
        most = MAX_VECTOR_BITS // plan.neuron.brought_bits
        raise BuildError(
            f"layer {plan.index}: {plan.lanes} lanes of {plan.neuron.brought_bits} bits are a vector wider than the "
            f"{MAX_VECTOR_BITS} bits that every Verilog tool accepts; give it at most {most} lanes"
        )
    if plan.widest_vector_bits > MAX_VECTOR_BITS:
        raise BuildError(
            f"layer {plan.index}: {plan.lanes} lanes and {plan.units} units need a vector of {plan.widest_vector_bits} "
            f"bits; every Verilog tool accepts {MAX_VECTOR_BITS}; give it fewer lanes or units"
        )
    if plan.weights.bits > MAX_MEMORY_BITS:
        raise BuildError(
            f"layer {plan.index}: its weights need {plan.weights.bits} bits of memory; the limit is "
            f"{MAX_MEMORY_BITS}, more than any FPGA has; use fewer neurons, sources or weight bits"
        )
