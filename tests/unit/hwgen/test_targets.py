"""What cells count, and what a device lacks."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from hwgen.fpga import targets
from hwgen.fpga.targets import TARGETS, Area
from quant.errors import ScsrError, ToolError

COUNTED = {
    "memory in LUTs counts the LUTs it fills": (
        "xc7",
        {"LUT2": 3, "LUT6": 2, "INV": 1, "RAM32M": 2, "RAM64M": 1, "RAM32X1D": 3, "SRL16E": 5},
        Area(lut=6 + 12 + 6 + 5),
    ),
    "small block RAMs are halves": ("xc7", {"RAMB18E1": 3, "RAMB36E1": 2}, Area(bram=3.5)),
    "all flip-flops count, carries and clock buffers do not": (
        "xc7",
        {"FDRE": 4, "FDSE": 2, "FDCE": 1, "CARRY4": 9, "MUXF7": 2, "BUFG": 1, "DSP48E1": 2},
        Area(ff=7, dsp=2),
    ),
    "ECP5": (
        "ecp5-25k",
        {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "PFUMX": 4, "TRELLIS_FF": 7, "DP16KD": 2, "MULT18X18D": 1},
        Area(lut=10 + 6 + 12, ff=7, bram=2, dsp=1),
    ),
    "iCE40": (
        "ice40up5k",
        {"SB_LUT4": 9, "SB_CARRY": 4, "SB_DFFESR": 3, "SB_DFF": 1, "SB_RAM40_4K": 2, "SB_MAC16": 1},
        Area(lut=9, ff=4, bram=2, dsp=1),
    ),
    "Gowin": (
        "gowin",
        {"LUT1": 1, "LUT4": 5, "ALU": 8, "MUX2_LUT5": 3, "RAM16SDP4": 1, "DFFRE": 6, "SPX9": 2, "MULT9X9": 1, "VCC": 1},
        Area(lut=20, ff=6, bram=2, dsp=0.5),
    ),
}


@pytest.mark.parametrize("case", COUNTED)
def test_cells_count_what_they_occupy(case: str) -> None:
    target, cells, area = COUNTED[case]
    assert TARGETS[target].area(cells) == area


@pytest.mark.parametrize("target", TARGETS)
def test_an_unknown_cell_is_refused_and_not_left_out(target: str) -> None:
    with pytest.raises(ToolError, match="NEW_CELL has no area"):
        TARGETS[target].area({"NEW_CELL": 1})


def test_what_lacks_is_named_with_need_and_limit() -> None:
    needed, capacity = Area(lut=11, ff=5, bram=3.5, dsp=1), Area(lut=10, ff=5, bram=3, dsp=2)
    assert needed.beyond(asdict(capacity)) == {"lut": (11, 10), "bram": (3.5, 3)}
    assert capacity.beyond(asdict(capacity)) == {}


def test_an_unknown_target_lists_the_known_ones() -> None:
    with pytest.raises(ScsrError, match=r"unknown; known are xc7, ecp5-85k, ecp5-25k, ice40up5k, gowin$"):
        targets.find("virtex2")


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_complete(target: str) -> None:
    entry = TARGETS[target]
    assert entry.description
    assert entry.synth.split()[0].startswith("synth_")
    assert Area().beyond(asdict(entry.capacity)) == {}
    assert min(entry.capacity.lut, entry.capacity.ff, entry.capacity.bram, entry.capacity.dsp) > 0
    if entry.place_and_route is not None:
        assert entry.synth_frame.split()[0] == entry.synth.split()[0]
        assert entry.place_and_route.clock_mhz > 0
