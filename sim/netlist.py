"""Netlists that `python -m hwgen synth` left in a build folder, and the cell models that simulate them."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from quant.errors import BuildError, ToolError
from quant.manifest import Manifest

CELLS = Path(__file__).resolve().parent / "cells"

_TARGET = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class CellLibrary:
    """Models of a family's cells.

    Attributes:
        yosys: file of models in the share folder of Yosys.
        own: models here, of cells that Yosys knows by their ports alone.
    """

    yosys: str
    own: tuple[str, ...] = ()


LIBRARIES: Mapping[str, CellLibrary] = {
    "xc7": CellLibrary("xilinx/cells_sim.v", ("scsr_sim_bram.v", "scsr_sim_ramb.v", "RAMB18E1.v", "RAMB36E1.v")),
    "ecp5": CellLibrary("ecp5/cells_sim.v", ("scsr_sim_bram.v", "DP16KD.v", "MULT18X18D.v")),
    "ice40": CellLibrary("ice40/cells_sim.v"),
}


def sources(folder: Path, target: str, manifest: Manifest) -> list[str]:
    """What Verilator must read to simulate the netlist of a target, as arguments.

    Raises:
        BuildError: if the folder has no such netlist, it is of another build, or its family has no models.
        ToolError: if Yosys, whose models are used, is not installed.
    """
    result = folder / "synth" / target if _TARGET.fullmatch(target) else folder / "synth" / "none"
    netlist = result / "netlist.v"
    try:
        record = json.loads((result / "synth.json").read_text(encoding="utf-8"))
        family, digest, top = record["family"], record["model_digest"], record["top"]
    except (OSError, ValueError, KeyError, TypeError):
        family = digest = top = None
    if family is None or not netlist.is_file():
        raise BuildError(f"{folder} has no netlist for {target[:40]!r}; `python -m hwgen synth` makes one")
    if digest != manifest.model_digest or top != manifest.top:
        raise BuildError(f"{netlist} is of another build; synthesize again")
    if family not in LIBRARIES:
        known = ", ".join(LIBRARIES)
        raise BuildError(f"{netlist}: cells of {family} have no models; netlists can be simulated of {known}")
    return [str(netlist), *library_arguments(LIBRARIES[family])]


def library_arguments(library: CellLibrary) -> list[str]:
    """A cell library as arguments of Verilator or Icarus Verilog; own models come before those of Yosys.

    Raises:
        ToolError: if Yosys is not installed.
    """
    yosys = importlib.util.find_spec("pyosys")
    if yosys is None or not yosys.submodule_search_locations:
        raise ToolError("pyosys is missing, whose cell models netlists need; `pip install pyosys` installs it")
    models = Path(next(iter(yosys.submodule_search_locations))) / "share" / library.yosys
    return [*(str(CELLS / name) for name in library.own), "-v", str(models), f"+incdir+{models.parent}"]
