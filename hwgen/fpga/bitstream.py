"""`python -m hwgen bitstream`: from a build folder to the file that programs a board, with tools from PyPI alone."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.boards import boards
from hwgen.boards.boards import Board
from hwgen.core import render
from hwgen.fpga import synth, targets
from hwgen.fpga.synth import Run
from hwgen.fpga.targets import PlaceAndRoute
from quant.errors import BuildError
from quant.manifest import open_folder

FOLDER = "boards"
MAX_SEED = 2**31 - 1
SEEDS = (1, 2, 3, 4)

_REMEDY = "another --seed, a build with fewer --lanes, or fewer weight or state bits"


@dataclass(frozen=True, slots=True)
class Bitstream:
    """A finished bitstream.

    Attributes:
        path: the file that programs the board.
        clock_mhz, fmax_mhz: the core's clock, and what routing allows.
        resources: of the whole design: name -> (used, available).
    """

    path: Path
    clock_mhz: int
    fmax_mhz: float
    resources: dict[str, tuple[int, int]]


def make_bitstream(path: Path, name: str, seed: int | None = None) -> Bitstream:
    """Synthesize, place, route and pack a build folder for the board `name`, into `boards/<name>/` there.

    Place and route takes `seed`; where that is None, those of `SEEDS` one after the other until the clock is met.

    Raises:
        ScsrError: at an unknown board.
        BuildError: if the folder is no untouched build, or the design does not fit the board or misses its clock.
        ToolError: if a tool is missing, or failed; then, as for a missed clock, `boards/<name>_failed/` has the logs.
    """
    board = boards.find(name)
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise BuildError(f"--seed is {seed}; allowed is 0..{MAX_SEED}")
    build = open_folder(path)
    target = targets.find(board.target)
    assert target.place_and_route is not None, "a board's device can be placed"
    tools = synth.tool_versions([target.place_and_route.distribution])
    manifest = build.manifest
    sources = (*manifest.sources, *manifest.uart.sources)
    with synth.results_folder(build.path / FOLDER, name) as work:
        run = Run(build, f"{manifest.top}_board", sources, name, target, work, FOLDER)
        return _make(run, target.place_and_route, board, SEEDS if seed is None else (seed,), tools)


def _make(run: Run, tool: PlaceAndRoute, board: Board, seeds: Sequence[int], tools: dict[str, str]) -> Bitstream:
    build = run.build
    pins = f"pins.{board.pins_kind}"
    for file, template in (("top.v", "top.v.j2"), (pins, f"{pins}.j2")):
        text = render.from_template(f"boards/{run.name}/{template}", top=run.top, build=build.manifest, board=board)
        (run.work / file).write_text(text, encoding="utf-8")
    sources = (f"read_verilog -defer {source}" for source in (*run.sources, f"{run.inside}/top.v"))
    synth.run_yosys(run, [*sources, f"{run.target.synth} -top {run.top} -json {run.inside}/netlist.json"])
    seed, fmax_mhz, resources = _meet_clock(run, tool, board, pins, seeds)
    file = f"{build.manifest.top}.{board.bitstream_kind}"
    synth.call_tool(run, tool.call(board.pack, ["routed", file]), run.work, "pack.log")
    for name in ("netlist.json", "routed"):
        (run.work / name).unlink()
    record = {
        "board": run.name,
        "device": board.description,
        "top": run.top,
        "model_digest": build.manifest.model_digest,
        "bitstream": file,
        "program": f"{board.program} {file}",
        "seed": seed,
        "clock_mhz": board.clock_mhz,
        "fmax_mhz": fmax_mhz,
        "clock_met": True,
        "baud": board.baud,
        "resources": {name: {"used": used, "available": limit} for name, (used, limit) in resources.items()},
        "tools": tools,
    }
    (run.work / "board.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return Bitstream(build.path / FOLDER / run.name / file, board.clock_mhz, fmax_mhz, resources)


def _meet_clock(
    run: Run, tool: PlaceAndRoute, board: Board, pins: str, seeds: Sequence[int]
) -> tuple[int, float, dict[str, tuple[int, int]]]:
    """Place and route until a seed meets the clock: the seed, the highest clock in MHz, and the resources used."""
    options = [*board.device, f"--{board.pins_kind}", pins, board.netlist_option, "routed"]
    reached = {}
    for seed in seeds:
        clocks, resources = synth.place_and_route(run, tool, options, board.clock_mhz, seed)
        synth.require_fit(run, resources)
        reached[seed] = min(clocks)
        if reached[seed] >= board.clock_mhz:
            return seed, reached[seed], resources
    best = max(reached, key=lambda seed: reached[seed])
    share = 100 * (board.clock_mhz - reached[best]) / board.clock_mhz
    tried = f"seed {best}" if len(seeds) == 1 else f"seed {best}, the best of {len(seeds)}"
    raise BuildError(
        f"{run.top} reaches {reached[best]} MHz on {run.name} and needs {board.clock_mhz}, {share:.1f} % short "
        f"({tried}; log in {synth.keep_logs(run) / f'nextpnr_{best}.log'}); try {_REMEDY}"
    )


def bitstream(arguments: argparse.Namespace) -> int:
    made = make_bitstream(arguments.build, arguments.board, arguments.seed)
    used = ", ".join(f"{_shown(name)} {count:,} of {limit:,}" for name, (count, limit) in made.resources.items())
    print(f"{made.path}: {made.fmax_mhz} MHz, needs {made.clock_mhz}; {used}")
    print(f"program the board: {boards.find(arguments.board).program} {made.path}")
    return 0


def _shown(resource: str) -> str:
    return re.sub("^(TRELLIS|ICESTORM)_", "", resource)
