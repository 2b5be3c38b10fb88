"""The plan's invariants on random networks, and its refusals."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from models import Limits, dense_layer, random_folding, random_model, random_safety, recurrent_model, tiny_model

from bench.networks import Case, Layer, random_network
from hwgen.core import render
from hwgen.core.folding import Folding
from hwgen.core.names import top_name
from hwgen.core.neuron import acting
from hwgen.core.plan import MAX_VECTOR_BITS, Safety
from hwgen.core.planner import make_plan
from hwgen.engines.folded.contents import param_words, weight_words
from hwgen.engines.folded.fold import Fold
from hwgen.engines.folded.plan import refold, weights_of
from quant.errors import BuildError
from quant.formats import signed_range
from quant.model import IntModel
from quant.neurons import Bias, Delay, Inhibition, Refractory, SelfWeight, Synapse


@cache
def _random_plans():
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        model = random_model(rng, Limits(layers=5, inputs=40, neurons=40))
        found.append((model, make_plan(model, random_folding(rng, model), safety=random_safety(rng))))
    return found


def test_every_neuron_has_one_lane_in_one_group() -> None:
    for _, plan in _random_plans():
        for layer in plan.layers:
            assert (layer.groups - 1) * layer.group_words + layer.last_words == layer.words
            assert 1 <= layer.last_units <= layer.units
            assert 1 <= layer.last_words <= layer.group_words
            assert 1 <= layer.group_last_units <= layer.units
            assert (layer.group_words - 1) * layer.units + layer.group_last_units == layer.lanes
            before_last = (layer.groups - 1) * layer.lanes + (layer.last_words - 1) * layer.units
            assert before_last + layer.last_units == layer.neurons


def _columns(layer, links):
    """The layer's weights along links, in the order of the links' channels."""
    return np.concatenate([weights_of(layer, link) for link in links], axis=1)


def test_links_tile_the_rows_of_the_weight_memory() -> None:
    for model, plan in _random_plans():
        for layer in plan.layers:
            assert [link.offset for link in layer.links] == np.cumsum([0, *(link.rows for link in layer.links)])[
                :-1
            ].tolist()
            columns = _columns(model.layers[layer.index - 1], [link for link in layer.links if link.rows])
            assert columns.shape == (layer.neurons, layer.rows)


def test_sums_and_currents_fit_their_widths_exactly() -> None:
    tight = 0
    for model, plan in _random_plans():
        for layer in plan.layers:
            numbers = model.layers[layer.index - 1]
            columns = _columns(numbers, layer.links)
            low, high = np.minimum(columns, 0).sum(axis=1), np.maximum(columns, 0).sum(axis=1)
            least, most = signed_range(layer.neuron.sum_bits)
            assert least <= low.min()
            assert high.max() <= most
            least, most = signed_range(layer.neuron.sum_bits - 1)
            tight += low.min() < least or high.max() > most
            # Beyond the sum: the neuron's own spike, a bias, and a threshold that is subtracted late.
            neuron = acting(numbers, spiking=layer.spiking)
            for part in neuron.parts:
                match part:
                    case SelfWeight(weight):
                        low, high = low + np.minimum(weight, 0), high + np.maximum(weight, 0)
                    case Bias(value):
                        low, high = low + value, high + value
            low = low - neuron.threshold * (neuron.reset == "late_subtract") * layer.spiking
            least, most = signed_range(layer.neuron.current_bits)
            assert least <= low.min()
            assert high.max() <= most
    assert tight > 50


def test_parts_whose_numbers_are_all_0_take_no_hardware() -> None:
    none = np.zeros(4, dtype=np.int8)
    parts = (SelfWeight(none), Bias(none), Inhibition(none), Synapse(none), Delay(none), Refractory(none))
    layer = dense_layer({0: np.ones((4, 3), dtype=np.int8)}, none, none + 1, (4, 4, 4), "zero", *parts)
    # A synapse that keeps nothing still saturates.
    assert make_plan(IntModel("none", (3,), (layer,), "spike_count")).layers[0].neuron.parts == ("synapse",)


def test_skip_fifos_hold_the_steps_of_the_longer_way() -> None:
    found = 0
    for model, plan in _random_plans():
        depth = {0: 0}
        for index in range(1, len(model.layers) + 1):
            depth[index] = 1 + max(depth[source] for source in model.sources(index))
        for layer in plan.layers:
            deepest = max(depth[source] for source in model.sources(layer.index))
            for link in layer.links:
                slack = 0 if link.recurrent else deepest - depth[link.source]
                assert (link.fifo_words > 0) == (slack > 0)
                assert link.fifo_words >= (slack + 1) * (link.size + 1) * (slack > 0)
                found += slack > 0
            assert not layer.links[layer.place.tag_link].fifo_words
    assert found > 10


def test_the_input_flags_reach_the_read_out() -> None:
    for _, plan in _random_plans():
        by_index = {layer.index: layer for layer in plan.layers}
        carrier = plan.last
        while True:
            assert carrier.place.tag_bits == 1 + plan.safety.input_flags
            source = carrier.links[carrier.place.tag_link].source
            if source == 0:
                break
            carrier = by_index[source]


def test_layers_that_nobody_reads_are_left_out() -> None:
    layer = tiny_model().layers[0]
    blind = IntModel("blind", (3,), (layer, layer, layer), "spike_count")
    plan = make_plan(blind)
    assert plan.left_out == (1, 2)
    assert [planned.index for planned in plan.layers] == [3]


def test_memory_words_hold_the_weights_of_their_group() -> None:
    for model, plan in _random_plans():
        for layer in plan.layers:
            numbers = model.layers[layer.index - 1]
            columns = _columns(numbers, [link for link in layer.links if link.rows]) >> layer.neuron.zero_bits
            words = list(weight_words(numbers, layer))
            assert len(words) == layer.weights.words
            mask = (1 << layer.weight_bits) - 1
            for address in range(0, len(words), max(1, len(words) // 7)):
                group, row = divmod(address, layer.rows)
                for lane in range(min(layer.lanes, layer.neurons - group * layer.lanes)):
                    weight = int(columns[group * layer.lanes + lane, row])
                    stored = (int(words[address], 16) >> (lane * layer.weight_bits)) & mask
                    assert stored == (int(weight > 0) if layer.weight_bits == 1 else weight & mask)
            assert len(list(param_words(numbers, layer))) == layer.words


@pytest.mark.parametrize("loaded", [False, True])
def test_banks_tile_the_weight_memory(loaded: bool) -> None:
    deep = 0
    for inputs in (30, 88, 700):
        for weight_bits in (1, 2, 4, 6, 16):
            model = random_network(Case("any", inputs, (Layer(200, (0,), 1),), 0.1, weight_bits))
            layer = make_plan(model, Folding([1], loaded=[1] if loaded else [])).last
            for lanes in (1, 2, 3, 7, 25, 100, 200):
                folded = refold(layer, Fold(lanes, 1, 1, loaded))
                memory = folded.weights
                assert memory.words == folded.groups * folded.rows
                assert (memory.banks - 1) * memory.bank_words < memory.words <= memory.banks * memory.bank_words
                assert memory.bank_address_bits <= folded.weights.address_bits
                if memory.banks > 1:
                    assert memory.bank_words == 1 << memory.bank_address_bits
                deep += memory.banks > 1
    assert deep > 3


@pytest.mark.parametrize(
    ("lanes", "message"),
    [
        ([4], "1 numbers for 2 layers"),
        ([4, 2, 1], "3 numbers for 2 layers"),
        ([0, 1], "0 for layer 1; allowed is 1..4"),
        ([5, 1], "5 for layer 1; allowed is 1..4"),
        ([4, -1], "-1 for layer 2; allowed is 1..2"),
    ],
)
def test_impossible_lanes_are_refused(lanes: list[int], message: str) -> None:
    with pytest.raises(BuildError, match=message.replace(".", r"\.")):
        make_plan(tiny_model(), Folding(lanes))


@pytest.mark.parametrize(
    ("safety", "message"),
    [
        (Safety("hamming"), "--protect 'hamming' is unknown; allowed are none, parity, secded"),
        (Safety(watchdog_cycles=0), "--watchdog 0: allowed is 1..4294967295 cycles"),
        (Safety(watchdog_cycles=1 << 32), "--watchdog 4294967296: allowed"),
        (Safety(watchdog_cycles=1.5), "--watchdog 1.5: allowed"),  # type: ignore[arg-type]
    ],
)
def test_impossible_safety_is_refused(safety: Safety, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        make_plan(tiny_model(), safety=safety)


def test_packets_are_per_sample_or_step() -> None:
    with pytest.raises(BuildError, match="--packets 'layer' is unknown; allowed are sample, step"):
        make_plan(tiny_model(), packets="layer")  # type: ignore[arg-type]
    whole, parts = (
        make_plan(tiny_model(), safety=Safety(self_test=True), packets=packets) for packets in ("sample", "step")
    )
    (_, answer), (beats, answers) = whole.test_memories, parts.test_memories
    assert (answer.words, answer.word_bits, answers.word_bits) == (3, 32, 33)
    assert answers.words > answer.words
    assert answers.words % answer.words == 0
    assert beats == whole.test_memories[0]


def test_weights_that_are_multiples_of_a_power_of_two_are_stored_without_its_zeros() -> None:
    rng = np.random.default_rng(1)
    fine, nothing, ones = rng.integers(-8, 8, (6, 9)), np.zeros(6, dtype=np.int16), np.ones(6, dtype=np.int16)
    fine[0, 0] = -7
    layer = dense_layer({0: (fine * 32).astype(np.int16)}, nothing, ones, (9, 4, 12))
    plan, loaded = (
        make_plan(IntModel("coarse", (9,), (layer,), "spike_count"), folding).last
        for folding in (Folding(), Folding(loaded=[1]))
    )
    assert (plan.weight_bits, plan.neuron.zero_bits, loaded.weight_bits, loaded.neuron.zero_bits) == (4, 5, 9, 0)
    assert plan.neuron.sum_bits == loaded.neuron.sum_bits == plan.neuron.brought_bits + 5


def test_vectors_wider_than_verilog_guarantees_are_refused() -> None:
    neurons = 9000
    nothing, ones = np.zeros(neurons, dtype=np.int8), np.ones(neurons, dtype=np.int8)
    layer = dense_layer({0: np.full((neurons, 1), 101, dtype=np.int8)}, nothing, ones, (8, 4, 8))
    model = IntModel("wide", (1,), (layer,), "spike_count")
    with pytest.raises(BuildError, match=f"wider than the {MAX_VECTOR_BITS} bits.*at most 8192 lanes"):
        make_plan(model, Folding([neurons]))
    assert make_plan(model, Folding([8192])).last.groups == 2
    with pytest.raises(BuildError, match="4500 lanes and 563 units need a vector of 72000 bits"):
        make_plan(model, Folding([4500], ports=2))


@pytest.mark.parametrize(
    "name", ["2nd", "a-b", "module", "checker", "Wire", "scsr_layer", "", "a b", "x" * 65, "a;b", "é", "rst", "FLAGS"]
)
def test_names_that_are_no_module_names_are_refused(name: str) -> None:
    with pytest.raises(BuildError, match="--name"):
        make_plan(tiny_model(), name=name)


def test_no_name_inside_the_top_can_be_the_top() -> None:
    inside = set()
    for _, plan in _random_plans():
        text = re.sub(r"//.*", "", "".join(render.core_modules(plan, "digest").values()))
        declared = re.findall(r"(?:wire|localparam|\))\s+(?:signed\s+)?(?:\[[^]]*\]\s+)?(\w+)\s*[;=(]", text)
        ports = re.findall(r"(?:input|output)\s+wire\s+(?:\[[^]]*\]\s+)?(\w+)", text)
        inside |= {*declared, *ports} - {plan.top, plan.core}
    assert {"aclk", "layer_1", "layer_1_fork", "link_0_1_valid", "readout", "FLAGS"} <= inside
    for name in inside:
        with pytest.raises(BuildError):
            top_name("model", name)


@pytest.mark.parametrize(("name", "top"), [("tiny", "tiny"), ("my letters", "scsr_top"), ("../x", "scsr_top")])
def test_a_model_name_becomes_the_top_only_if_it_can(name: str, top: str) -> None:
    tiny = tiny_model()
    assert make_plan(IntModel(name, tiny.input_shape, tiny.layers, tiny.readout)).top == top


def test_recurrence_that_never_acts_costs_nothing() -> None:
    spiking = recurrent_model()
    silent = IntModel("silent", (5,), spiking.layers[:1], "membrane_sum")
    plan = make_plan(silent)
    assert plan.last.rows == 5
    assert not plan.last.neuron.width("self_weight")
