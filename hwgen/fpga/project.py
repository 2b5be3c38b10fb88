"""`python -m hwgen project`: scripts that take a build folder into a vendor's tool."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hwgen.core import render
from hwgen.fpga.synth import results_folder
from quant import store
from quant.errors import BuildError, ScsrError
from quant.manifest import MODEL, open_folder

FOLDER = "projects"
MAX_CLOCK_MHZ = 1000

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_-]{1,39}")
# Templates that all tools share; Vivado and Radiant have names of their own for the clock's file.
_SHARED = {"sources.tcl": "sources.tcl", "clock.sdc": "clock.sdc", "clock.xdc": "clock.sdc", "clock.pdc": "clock.sdc"}
_GOWIN_PART = re.compile(r"(GW[0-9][A-Z]+)-[A-Z]{2}([0-9]+).*")


@dataclass(frozen=True, slots=True)
class Tool:
    """A vendor's tool.

    Attributes:
        part: the device unless another is named.
        files: of the project, beside `sources.tcl`; their templates are in `rtl_templates/targets/<tool>`.
        start: how the first script is run.
    """

    part: str
    files: tuple[str, ...]
    start: str


TOOLS: Mapping[str, Tool] = {
    "vivado": Tool(
        "xc7z020clg400-1",
        ("synth.tcl", "package_ip.tcl", "zynq.tcl", "driver.py", "clock.xdc"),
        "vivado -mode batch -source synth.tcl",
    ),
    "quartus": Tool("5CSEMA5F31C6", ("project.tcl", "clock.sdc"), "quartus_sh -t project.tcl"),
    "gowin": Tool("GW2AR-LV18QN88C8/I7", ("project.tcl", "clock.sdc"), "gw_sh project.tcl"),
    "radiant": Tool("LIFCL-40-7BG400I", ("project.tcl", "clock.sdc", "clock.pdc"), "radiantc project.tcl"),
}


def make_project(path: Path, name: str, part: str | None = None, clock_mhz: int = render.DEFAULT_CLOCK_MHZ) -> Path:
    """Write the scripts for the tool `name` into `projects/<tool>/` of a build folder, in place of earlier ones.

    The device is `part`, as the tool names it, or by default the one in `TOOLS`. Returns the folder of the scripts.

    Raises:
        ScsrError: at an unknown tool, an impossible part or clock.
        BuildError: if the folder is no untouched build, or its weights are loaded at run time.
    """
    if name not in TOOLS:
        raise ScsrError(f"--tool {name[:40]!r} is unknown; known are {', '.join(TOOLS)}")
    tool = TOOLS[name]
    part = tool.part if part is None else part
    if not _PART.fullmatch(part):
        raise ScsrError(f"--part {part[:50]!r}: a part is letters, digits, '-', '_' and '/', such as {tool.part}")
    if not 1 <= clock_mhz <= MAX_CLOCK_MHZ:
        raise ScsrError(f"--clock-mhz is {clock_mhz}; allowed is 1..{MAX_CLOCK_MHZ}")
    build = open_folder(path)
    if build.manifest.load is not None:
        raise BuildError(f"{path} takes its weights over s_load, which these scripts do not serve; build it with ROMs")
    model = store.read(build.path / MODEL)
    values = {
        "build": build.manifest,
        "part": part,
        **render.clock(clock_mhz),
        "ports": [port.name for port in build.manifest.ports if port.name != "aclk"],
        "channels": model.inputs,
        "classes": model.layers[-1].neurons,
        "device_name": _gowin_device(part) if name == "gowin" else "",
    }
    with results_folder(build.path / FOLDER, name) as work:
        for file in ("sources.tcl", *tool.files):
            template = _SHARED.get(file, f"{name}/{file}")
            text = render.from_template(f"targets/{template}.j2", **values)
            (work / file).write_text(text, encoding="utf-8")
    return build.path / FOLDER / name


def _gowin_device(part: str) -> str:
    """The name of a part's die, which Gowin's tools want as well: GW2AR-18C for GW2AR-LV18QN88C8/I7."""
    found = _GOWIN_PART.fullmatch(part)
    if found is None:
        raise ScsrError(f"--part {part!r} is no Gowin part, such as {TOOLS['gowin'].part}")
    series, size = found.groups()
    return f"{series}-{size}{'C' if series.startswith('GW2') else ''}"


def project(arguments: argparse.Namespace) -> int:
    folder = make_project(arguments.build, arguments.tool, arguments.part, arguments.clock_mhz)
    print(f"{folder}: run there: {TOOLS[arguments.tool].start}")
    return 0
