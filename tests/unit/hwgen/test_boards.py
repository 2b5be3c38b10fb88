"""The table of boards: every entry is complete and its numbers agree with each other."""

from __future__ import annotations

import pytest

from hwgen.boards.boards import BOARDS, Board, find
from hwgen.boards.serial_protocol import MESSAGE_BYTES
from hwgen.core import render
from hwgen.fpga import targets
from quant.errors import ScsrError

# A receiver resynchronises with every start bit: over the ten bits of a byte it may drift by less than half a bit.
BAUD_TOLERANCE = 0.02


@pytest.mark.parametrize("name", BOARDS)
def test_the_line_is_as_fast_as_it_says(name: str) -> None:
    board = BOARDS[name]
    real = board.clock_mhz * 1_000_000 / board.bit_cycles
    assert abs(real / board.baud - 1) < BAUD_TOLERANCE
    assert board.bit_cycles >= 4
    assert 2**board.bit_cycles_bits > board.bit_cycles
    # A message is decoded before the next one is in.
    assert MESSAGE_BYTES * 10 * board.bit_cycles > 4


def _clock_mhz(board: Board) -> float:
    pll = board.pll
    if "DIVF" in pll:  # iCE40: input / (DIVR + 1) * (DIVF + 1) / 2**DIVQ, the oscillator within 533..1066 MHz
        oscillator = board.oscillator_mhz / (pll["DIVR"] + 1) * (pll["DIVF"] + 1)
        assert 533 <= oscillator <= 1066
        return oscillator / 2 ** pll["DIVQ"]
    # ECP5, fed back from its output: the oscillator, within 400..800 MHz, runs CLKOP_DIV times as fast as that.
    output = board.oscillator_mhz / pll["CLKI_DIV"] * pll["CLKFB_DIV"]
    assert 400 <= output * pll["CLKOP_DIV"] <= 800
    assert pll["CLKOP_CPHASE"] == pll["CLKOP_DIV"] // 2 - 1
    return output


@pytest.mark.parametrize("name", BOARDS)
def test_the_pll_makes_the_clock(name: str) -> None:
    assert _clock_mhz(BOARDS[name]) == BOARDS[name].clock_mhz


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_its_templates_and_its_target(name: str) -> None:
    assert BOARDS[name].target in targets.TARGETS
    folder = render.TEMPLATES / "boards" / name
    assert {path.name for path in folder.iterdir()} == {"top.v.j2", f"pins.{BOARDS[name].pins_kind}.j2"}


def test_an_unknown_board_is_refused() -> None:
    with pytest.raises(ScsrError, match="known are ulx3s-85f, icebreaker"):
        find("basys3")
