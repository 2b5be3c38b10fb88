"""Recurrence from few neurons each, built as slots: exact, as fast as predicted, and taken where it saves memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from marks import later
from models import Limits, random_folding, random_model, random_safety
from test_networks import check_model

from bench.cycles import measure
from bench.networks import Case, Layer, random_network
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.core.plan import Safety
from hwgen.core.planner import make_plan
from quant import golden, vectors
from quant.model import IntModel
from quant.readouts import Packets
from sim.verify import Stress, verify

pytestmark = pytest.mark.rtl


def _networks() -> Iterator[tuple[int, IntModel, Folding]]:
    for seed in range(500):
        rng = np.random.default_rng(seed)
        model = random_model(rng, Limits(layers=3, neurons=24))
        folding = random_folding(rng, model)
        if any(layer.slots for layer in make_plan(model, folding).layers):
            yield seed, model, folding


@pytest.mark.usefixtures("slots_everywhere")
@pytest.mark.parametrize("number", [0, *later(*range(1, 6))])
def test_random_networks(number: int, tmp_path: Path) -> None:
    found = _networks()
    for _ in range(number):
        next(found)
    seed, model, folding = next(found)
    samples = vectors.random_samples(model, 20, 12, 0.5, seed)
    spikes = golden.run(model, samples.dense(slice(None)), samples.steps.astype(np.int64)).spikes
    assert all(spikes[layer.index].any() for layer in make_plan(model, folding).layers if layer.slots)
    assert check_model(tmp_path / "core", model, folding, samples, seed, random_safety(np.random.default_rng(seed)))


LAST = [
    (Case("six words", 12, (Layer(12, (0,), 4, sparse_recurrent=2),), 0.4, units=(2,)), "step"),
    (Case("one word", 12, (Layer(12, (0,), 12, sparse_recurrent=2),), 0.4, units=(12,)), "sample"),
]


@pytest.mark.usefixtures("slots_everywhere")
@pytest.mark.parametrize(("case", "packets"), LAST, ids=lambda value: getattr(value, "name", value))
def test_an_answer_that_waits_holds_back_no_spike(case: Case, packets: Packets, tmp_path: Path) -> None:
    """Of the two that take the last layer's neurons, its own inputs may be a step ahead of the read-out."""
    model = random_network(case)
    assert make_plan(model, case.folding, packets=packets).layers[0].slots
    samples = vectors.random_samples(model, 6, 12, 0.4, seed=1)
    write(make_build(model, case.folding, "core", packets=packets), tmp_path / "core")
    report = verify(tmp_path / "core", samples, stress=Stress(stall_percent=60))
    assert report["first_difference"] is None
    assert report["output_spikes"] > 20


def test_two_slots_in_two_banks_have_words_enough() -> None:
    model = random_network(Case("banks", 2100, (Layer(600, (0,), 600, sparse_recurrent=2),), 0.1, weight_bits=16))
    (layer,) = make_plan(model, Folding([600], [20])).layers
    weights, slots = layer.memories[:2]
    assert weights.banks > 1 < slots.banks
    assert slots.bank_words >= 2


SPARSE = (
    Case("one lane", 12, (Layer(40, (0,), 1, sparse_recurrent=3),), 0.3),
    Case("units", 20, (Layer(60, (0,), 12, sparse_recurrent=4), Layer(10, (1,), 5)), 0.2, units=(5, 2)),
    Case("two events", 20, (Layer(60, (0,), 7, sparse_recurrent=4), Layer(10, (1,), 5)), 0.5, ports=2),
)


@pytest.mark.usefixtures("slots_everywhere")
@pytest.mark.parametrize(
    "case",
    [later(each)[0] if each.ports > 1 else each for each in SPARSE],
    ids=lambda case: case.name,
)
def test_cycles_are_predicted(case: Case, tmp_path: Path) -> None:
    result = measure(case, tmp_path / "core")
    assert result.predicted == pytest.approx(result.measured, rel=0.02)


LARGE = Case("large", 40, (Layer(400, (0,), 16, sparse_recurrent=11), Layer(10, (1,), 10)), 0.2)


def test_slots_are_taken_where_each_lane_saves_half_a_block_of_memory() -> None:
    model = random_network(LARGE)
    few, many, loaded = (
        make_plan(model, folding) for folding in (LARGE.folding, Folding([400, 10]), Folding(loaded=[1]))
    )
    assert few.layers[0].slots == 11
    assert sum(memory.bits for memory in few.layers[0].memories) < 400 * 400  # 640,000 bits are 160,000 weights
    assert [plan.layers[0].slots for plan in (many, loaded)] == [0, 0]
    denser = Case("denser", 40, (Layer(400, (0,), 16, sparse_recurrent=200),), 0.2)
    assert make_plan(random_network(denser), denser.folding).layers[0].slots == 0


@pytest.mark.parametrize("code", [*later("none"), "secded"])
def test_a_large_network_is_exact(code: str, tmp_path: Path) -> None:
    """Its weights are in several banks, and so are its slots."""
    model = random_network(Case("banks", 60, (Layer(400, (0,), 8, sparse_recurrent=11), Layer(10, (1,), 10)), 0.2))
    folding = Folding([8, 10], units=[3, 1])
    first = make_plan(model, folding).layers[0]
    assert [memory.banks > 1 for memory in first.memories] == [True, True, False]
    samples = vectors.random_samples(model, 3, 12, 0.3, seed=1)
    assert check_model(tmp_path / "core", model, folding, samples, 1, Safety(code))


def test_only_ticks_go_back_into_such_a_layer() -> None:
    text = make_build(random_network(LARGE), LARGE.folding, "core").files["rtl/core.v"].decode()
    assert ".ONLY_TICKS(1)" in text
    assert text.count("scsr_recurrence") == 1
