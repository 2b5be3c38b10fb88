"""What a build records of its cycles and area, and what it recommends."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest
from models import dense_layer, random_folding, random_model, recurrent_model, tiny_model

from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.folding import Folding
from hwgen.core.rates import assumed_events, cycles_per_step
from hwgen.core.timing import Events, interval_cycles
from quant.errors import ScsrError
from quant.model import IntModel
from quant.page import records
from quant.readouts import Packets


def _estimate(
    model: IntModel, folding: Folding | None = None, events: Events | None = None, target: str = "xc7"
) -> records.Estimate:
    build = make_build(model, folding or Folding(), measured=events, target=target)
    return msgspec.json.decode(build.files[records.ESTIMATE], type=records.Estimate)


PACKETS: tuple[Packets, ...] = ("sample", "step")


def _dense(*sizes: int) -> IntModel:
    """Layers behind each other, with weights of any sign."""
    rng = np.random.default_rng(1)
    layers = [
        dense_layer({index: rng.integers(-8, 8, (size, sizes[index]))}, np.full(size, 9), np.full(size, 5), (4, 4, 12))
        for index, size in enumerate(sizes[1:])
    ]
    return IntModel("dense", (sizes[0],), tuple(layers), "spike_count")


@pytest.mark.parametrize("seed", range(10))
def test_parts_are_those_of_the_plan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    folding = random_folding(rng, model)
    found, plan, events = _estimate(model, folding), make_build(model, folding).plan, assumed_events(model)
    assert found.cycles == pytest.approx(cycles_per_step(plan, events), abs=0.01)
    parts = {part.name: part for part in found.parts}
    assert list(parts) == ["input", *(f"layer {layer.index}" for layer in plan.layers), "read-out"]
    assert found.slowest == max(found.parts, key=lambda part: part.cycles).name
    for layer in plan.layers:
        incoming, leaving = events.into(layer)[1], events.counts[layer.index][1] if plan.source(layer.index) else 0
        assert parts[f"layer {layer.index}"].cycles == pytest.approx(interval_cycles(layer, incoming, leaving), rel=0.2)
    areas = [part.area for part in found.parts if part.area is not None]
    total = area.estimate(plan, "xc7")
    assert sum(one.lut for one in areas) == pytest.approx(total.lut, abs=len(areas))
    assert sum(one.bram for one in areas) == total.bram
    bits = sum(memory.bits for memory in plan.memories)
    counted = {"weights", "parameters"}
    assert bits == sum(one.bits for layer in found.layers for one in layer.memories if one.name in counted)


def test_options_that_are_recommended_do_what_is_said() -> None:
    model = _dense(400, 128, 10)
    found = _estimate(model, Folding([8, 10]))
    assert found.slowest == "layer 1"
    assert len(found.lifts) > 1
    for lift in found.lifts:
        words = lift.options.split()
        given = dict(zip(words[::2], words[1::2], strict=True))
        lanes = [int(number) for number in given["--lanes"].split(",")]
        plan = make_build(model, Folding(lanes, ports=int(given.get("--events-per-cycle", 1)))).plan
        assert lift.cycles == pytest.approx(cycles_per_step(plan, assumed_events(model)), abs=0.01)
        assert lift.lut == area.estimate(plan, "xc7").lut
        assert lift.cycles < found.cycles
    assert [lift.cycles for lift in found.lifts] == sorted((lift.cycles for lift in found.lifts), reverse=True)


def test_layers_that_take_as_long_are_lifted_together() -> None:
    model = _dense(100, 100, 100, 10)
    found = _estimate(model, Folding([10, 10, 10]))
    assert any(lift.options.startswith("--lanes 20,20,10") for lift in found.lifts)
    assert found.lifts[0].cycles < 0.6 * found.cycles


def test_units_that_were_chosen_grow_with_the_lanes() -> None:
    found = _estimate(_dense(400, 128, 10), Folding([8, 10], [1, 2]))
    assert any(lift.options.startswith("--lanes 16,10 --units 2,2") for lift in found.lifts)


def test_an_update_that_is_slower_than_its_events_gets_units() -> None:
    found = _estimate(_dense(20, 128, 10), Folding([64, 10], [1, 1]))
    assert any(lift.options == "--lanes 64,10 --units 2,1" for lift in found.lifts)


ADVICE = {
    "The input takes": (_dense(300, 2), Events({0: [300] * 4, 1: [0] * 4}, [False] * 3 + [True])),
    "A score leaves": (_dense(4, 200), Events({0: [1] * 4, 1: [1] * 4}, [True] * 4)),
    "its own spikes": (recurrent_model(), None),
    "through the pipeline": (_dense(4, 2), Events({0: [1] * 4, 1: [1] * 4}, [False] * 3 + [True])),
}


@pytest.mark.parametrize("words", ADVICE)
def test_where_no_folding_helps_the_reason_is_named(words: str) -> None:
    model, events = ADVICE[words]
    found = _estimate(model, Folding([layer.neurons for layer in model.layers]), events)
    assert words in found.advice
    assert not found.lifts


def test_a_packet_per_step_takes_a_cycle_for_each_score_in_every_step() -> None:
    model = _dense(4, 200)
    events = Events({0: [1] * 8, 1: [1] * 8}, [False] * 7 + [True])
    whole, every = (make_build(model, Folding([200]), measured=events, packets=packets) for packets in PACKETS)
    found, other = (
        msgspec.json.decode(build.files[records.ESTIMATE], type=records.Estimate) for build in (every, whole)
    )
    assert found.slowest == "read-out"
    assert (found.parts[-1].cycles, other.parts[-1].cycles) == (201, pytest.approx(201 / 8))
    assert found.cycles >= 201 > other.cycles
    assert "a packet per sample" in found.advice
    assert found.packets == "step"
    assert "after every step" in every.files["2_plan.txt"].decode()
    text = every.files["rtl/dense.v"].decode()
    assert text.replace(",\n        .EVERY_STEP(1)", "").replace("per step one", "per sample one") == (
        whole.files["rtl/dense.v"].decode()
    )


def test_measured_rates_are_named_and_long_sets_are_cut_at_a_sample() -> None:
    model = tiny_model()
    steps = 40_000
    events = Events({0: [2] * 20_000 + [3] * 20_000, 1: [1] * steps, 2: [1] * steps}, ([False] * 9 + [True]) * 4000)
    found = _estimate(model, events=events)
    assert "--rates" in found.rates
    assert found.parts[0].events == 2
    assert "measures it" in _estimate(model).rates


def test_the_target_comes_first_among_the_devices() -> None:
    found = _estimate(tiny_model(), target="ecp5-25k")
    assert [device.target for device in found.devices] == ["ecp5-25k", "xc7", "ecp5-85k", "ice40up5k", "gowin"]
    assert [device.capacity.bram for device in found.devices[:3]] == [56, 365, 208]
    with pytest.raises(ScsrError, match="is unknown; known are"):
        _estimate(tiny_model(), target="ice40hx8k")


def test_weights_that_spram_holds_are_of_its_area_on_the_page(tmp_path: Path) -> None:
    model = _dense(784, 512, 10)
    write(make_build(model, Folding([16, 10], loaded=[1, 2]), target="ice40up5k"), tmp_path / "loaded")
    write(make_build(model, target="ice40up5k"), tmp_path / "rom")
    found = records.read(tmp_path / "loaded" / records.ESTIMATE, records.Estimate)
    assert found is not None
    assert found.devices[0].area.spram > found.devices[0].capacity.spram == 4
    pages = [(tmp_path / name / "index.html").read_text() for name in ("loaded", "rom")]
    assert re.search("does not fit: too few [A-Z, ]*SPRAM", pages[0])
    assert "no SPRAM" in pages[0]
    assert "SPRAM" not in pages[1]
