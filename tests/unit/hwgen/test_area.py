"""Area estimates: what they are made of. How near they come is for tests/rtl/test_netlists.py and `bench.area`."""

from __future__ import annotations

import pytest
from models import recurrent_model, tiny_model

from bench.networks import Case, Layer, random_network
from hwgen.core import area
from hwgen.core.folding import Folding
from hwgen.core.footprint import Storage
from hwgen.core.planner import make_plan
from hwgen.fpga.targets import TARGETS
from quant.errors import ScsrError

TARGETS_KNOWN = ("xc7", "ecp5-85k", "ecp5-25k", "ice40up5k", "gowin")


def _case(**changes: object) -> area.Area:
    case = Case("core", 78, (Layer(128, (0,), 16, synapse=True), Layer(10, (1, 0), 5)), 0.2, **changes)  # type: ignore[arg-type]
    return area.estimate(make_plan(random_network(case), case.folding), "xc7")


@pytest.mark.parametrize("target", TARGETS_KNOWN)
def test_an_estimate_is_the_sum_of_its_terms(target: str) -> None:
    for model in (tiny_model(), recurrent_model()):
        plan = make_plan(model)
        terms = area.terms(plan)
        for resource in ("lut", "ff"):
            total = sum(weight * terms[name] for name, weight in area.coefficients(target)[resource].items())
            assert getattr(area.estimate(plan, target), resource) == round(total) > 50


def test_every_coefficient_adds_area() -> None:
    for target in TARGETS_KNOWN:
        assert target in TARGETS
        for weights in area.coefficients(target).values():
            assert weights
            assert all(weight > 0 for weight in weights.values())


def test_more_lanes_units_and_ports_take_more() -> None:
    few, many = (area.estimate(make_plan(recurrent_model(), Folding(lanes)), "xc7") for lanes in ((1, 1), (4, 2)))
    assert many.lut > few.lut
    assert many.ff > few.ff
    assert _case(ports=2).lut > _case(ports=1).lut
    assert _case(units=(4, 1)).lut > _case(units=(1, 1)).lut


def test_multipliers_are_counted() -> None:
    assert _case(units=(1, 1)).dsp == 2 + 1
    assert _case(units=(4, 1)).dsp == 2 * 4 + 1
    assert _case(units=(4, 1), shift_leaks=True).dsp == 0


@pytest.mark.parametrize(
    ("words", "bits", "two_readers", "blocks"),
    [(0, 8, False, 0), (512, 36, False, 0.5), (512, 36, True, 1), (14000, 6, False, 3), (33, 100, False, 1.5)],
)
def test_block_rams_of_7_series(words: int, bits: int, two_readers: bool, blocks: float) -> None:
    assert area._blocks("xc7", Storage("ram", words, bits, two_readers)) == area.Area(bram=blocks)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (Storage("ram", 4, 40), area.Area()),
        (Storage("ram", 5, 40), area.Area(bram=3)),
        (Storage("rom", 16, 40), area.Area()),
        (Storage("rom", 300, 20), area.Area(bram=3)),
        (Storage("rom", 300, 20, two_readers=True), area.Area(bram=6)),
        (Storage("loaded_ram", 4096, 16), area.Area(bram=16)),
        (Storage("loaded_ram", 7000, 16), area.Area(bram=28)),
        (Storage("loaded_ram", 8192, 40), area.Area(spram=3)),
        (Storage("loaded_ram", 20000, 16), area.Area(spram=2)),
    ],
)
def test_memories_of_ice40(memory: Storage, expected: area.Area) -> None:
    """As Yosys maps scsr_ram, scsr_rom and scsr_loaded_ram."""
    assert area._blocks("ice40", memory) == expected


def test_a_target_without_coefficients_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(area, "fitted", lambda: {"xc7": {}, "ecp5": {}})
    with pytest.raises(ScsrError, match="there are some for xc7, ecp5-85k"):
        area.estimate(make_plan(tiny_model()), "gowin")
