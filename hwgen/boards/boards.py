"""Boards: what a bitstream for each is made with. A board is an entry of `BOARDS` and a folder of two templates.

`rtl_templates/boards/<name>/` holds `top.v.j2`, the pins, clock and reset around the serial variant of the core, and
`pins.<kind>.j2`, the constraints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quant.errors import ScsrError


@dataclass(frozen=True, slots=True)
class Board:
    """A board.

    Attributes:
        description: board and device, for people.
        target: the target of `hwgen synth` that is its device; its tools make the bitstream.
        device: nextpnr's options that name the device.
        oscillator_mhz: the clock that comes in.
        clock_mhz: the core's clock.
        pll: parameters of the PLL that makes the one from the other.
        baud: bits per second on the serial line.
        pack: the function of nextpnr's package that packs a bitstream.
        netlist_option: nextpnr's option that names the file to be packed.
        pins_kind: the ending of a file of constraints, which is nextpnr's option for it, too.
        bitstream_kind: the ending of a bitstream's file.
        program: the command that writes a bitstream to the board, without the file.
    """

    description: str
    target: str
    device: tuple[str, ...]
    oscillator_mhz: int
    clock_mhz: int
    pll: Mapping[str, int]
    baud: int
    pack: str
    netlist_option: str
    pins_kind: str
    bitstream_kind: str
    program: str

    @property
    def bit_cycles(self) -> int:
        """Length of a bit on the serial line in cycles of the core's clock, rounded."""
        return round(self.clock_mhz * 1_000_000 / self.baud)

    @property
    def bit_cycles_bits(self) -> int:
        """Width of a counter of them."""
        return self.bit_cycles.bit_length()


BOARDS: Mapping[str, Board] = {
    "ulx3s-85f": Board(
        description="ULX3S with a Lattice LFE5U-85F-6BG381C",
        target="ecp5-85k",
        device=("--85k", "--package", "CABGA381", "--speed", "6"),
        oscillator_mhz=25,
        clock_mhz=50,
        pll={"CLKI_DIV": 1, "CLKFB_DIV": 2, "CLKOP_DIV": 12, "CLKOP_CPHASE": 5},
        baud=1_000_000,
        pack="run_ecppack",
        netlist_option="--textcfg",
        pins_kind="lpf",
        bitstream_kind="bit",
        program="fujprog",
    ),
    "icebreaker": Board(
        description="iCEBreaker with a Lattice iCE40UP5K-SG48",
        target="ice40up5k",
        device=("--up5k", "--package", "sg48"),
        oscillator_mhz=12,
        clock_mhz=30,
        pll={"DIVR": 0, "DIVF": 79, "DIVQ": 5, "FILTER_RANGE": 1},
        baud=1_000_000,
        pack="run_icepack",
        netlist_option="--asc",
        pins_kind="pcf",
        bitstream_kind="bin",
        program="iceprog",
    ),
}


def find(name: str) -> Board:
    """The board of that name.

    Raises:
        ScsrError: naming the known ones.
    """
    if name not in BOARDS:
        raise ScsrError(f"--board {name[:40]!r} is unknown; known are {', '.join(BOARDS)}")
    return BOARDS[name]
