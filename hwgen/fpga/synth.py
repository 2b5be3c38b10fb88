"""Synthesis of a build folder: Yosys for the area, nextpnr for the clock. Results are written whole or not at all."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

from hwgen.core import render
from hwgen.core.area import loadable
from hwgen.fpga import targets
from hwgen.fpga.targets import Area, PlaceAndRoute, Target
from quant import page, store
from quant.errors import BuildError, ToolError
from quant.files import replace_folder, write_atomic
from quant.manifest import MODEL, BuildFolder, open_folder
from quant.page.records import SYNTHESIZED

FOLDER = "synth"
MAX_SEEDS = 100

# The command that runs the script named after it: Yosys ends the process in which it fails, so it gets one of its own.
_RUN_YOSYS = "import sys; from pyosys import libyosys; libyosys.run_pass(f'script {sys.argv[1]}', libyosys.Design())"
YOSYS = (sys.executable, "-P", "-c", _RUN_YOSYS)

_TAIL_LINES = 3
_INDEX = re.compile(r"\[\d+\]")  # of one of several equal instances, which count together
# nextpnr's table of what a design takes: name, used, available.
_UTILIZATION = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)

_REMEDIES = {
    "lut": "fewer lanes or weight bits",
    "ff": "fewer lanes",
    "bram": "fewer weight bits or a smaller network",
    "ICESTORM_RAM": "fewer weight bits or a smaller network",
    "spram": "fewer --loaded-layers, or fewer weight bits",
    "dsp": "fewer --units, or leaks of the form 2^F - 2^k, which take no multiplier",
}


@dataclass(frozen=True, slots=True)
class Result:
    """A synthesis; what `synth.json` holds.

    Attributes:
        lut, ff, bram, dsp, spram: area of the core alone, as `targets.Target.cells` counts it.
        bram_unit: what `bram` counts.
        fmax_mhz: median over the seeds of the highest clock after routing; None without place and route.
        fmax_all: the clock of each seed, in MHz.
        placed: what nextpnr says that core and frame occupy, with the first seed.
        cells: how many cells of each type the netlist has.
        tools: versions.
        hierarchy: area of the core's modules and, where they have several, of those right inside them, by the path of
            their instance; all below are counted in. Mapped without flattening. Empty where nobody asked.
    """

    target: str
    device: str
    family: str
    top: str
    model_digest: str
    lut: int
    ff: int
    bram: float
    dsp: float
    spram: int
    bram_unit: str
    fmax_mhz: float | None
    fmax_all: list[float]
    seeds: list[int]
    placed: dict[str, int]
    cells: dict[str, int]
    tools: dict[str, str]
    seconds: float
    hierarchy: dict[str, Area] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """Tools at work on a build: their results collect in `work`, below its folder, and go to `home`/`name` there.

    Attributes:
        top, sources: of the design, which may be more than the build's core.
    """

    build: BuildFolder
    top: str
    sources: Sequence[str]
    name: str
    target: Target
    work: Path
    home: str = FOLDER

    @property
    def inside(self) -> str:
        """The work folder as tools name it that run from inside the build folder."""
        return self.work.relative_to(self.build.path).as_posix()


def synthesize(folder: Path, name: str, seeds: int = 3, *, modules: bool = False, fits: bool = True) -> Result:
    """Synthesize a build folder for the target `name` and write `synth/<target>/` in it, in place of an earlier one.

    The clock is the median of `seeds` runs of place and route; with 0 runs only the area is measured, and without
    `fits` also that of a network that does not fit. With `modules` the area of each module is measured too, in a
    synthesis of its own.

    Raises:
        ScsrError: at an unknown target.
        BuildError: if the folder is no untouched build, or the network does not fit the target.
        ToolError: if a tool is missing, or failed; then `synth/<target>_failed/` keeps the logs.
    """
    target = targets.find(name)
    if not 0 <= seeds <= MAX_SEEDS:
        raise BuildError(f"--seeds is {seeds}; allowed is 0..{MAX_SEEDS}")
    build = open_folder(folder)
    if not seeds:
        target = replace(target, place_and_route=None)
    tools = tool_versions([] if target.place_and_route is None else [target.place_and_route.distribution])
    with results_folder(build.path / FOLDER, name) as work:
        run = Run(build, build.manifest.top, build.manifest.sources, name, target, work)
        result = _run(run, list(range(1, seeds + 1)), tools, modules=modules, fits=fits)
    _record(build.path)
    return result


def _record(folder: Path) -> None:
    """The results for all targets together, and the page with them."""
    results = {}
    for name, target in targets.TARGETS.items():
        path = folder / FOLDER / name / "synth.json"
        if path.is_file():
            results[name] = {**json.loads(path.read_bytes()), "capacity": asdict(target.capacity)}
    write_atomic(folder / SYNTHESIZED, (json.dumps(results, indent=2) + "\n").encode())
    page.update(folder)


@contextmanager
def results_folder(home: Path, name: str) -> Iterator[Path]:
    """A folder to work in; where the block ends well, it becomes `home`/`name`, in place of an earlier one."""
    home.mkdir(exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=home))
    work.chmod(0o755)
    try:
        yield work
        replace_folder(work, home / name)
        shutil.rmtree(failed_folder(home / name), ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if not any(home.iterdir()):
            home.rmdir()


def table_line(result: Result) -> str:
    """The result in a line."""
    line = (
        f"{result.top} on {result.target}: {result.lut:,} LUT, {result.ff:,} FF, "
        f"{result.bram:g} BRAM ({result.bram_unit}), {result.dsp:g} DSP"
    )
    if result.spram:
        line += f", {result.spram} SPRAM"
    if result.fmax_mhz is None:
        return f"{line}; area only"
    clocks = ", ".join(f"{clock:.1f}" for clock in result.fmax_all)
    return f"{line}; {result.fmax_mhz:.1f} MHz (median of {clocks})"


def _run(run: Run, seeds: list[int], tools: dict[str, str], *, modules: bool, fits: bool) -> Result:
    start = time.monotonic()
    cells = _map(run)
    area = run.target.area(cells)
    if fits:
        require_fit(run, area.beyond(asdict(run.target.capacity)))
    clocks: list[float] = []
    placed: dict[str, int] = {}
    tool = run.target.place_and_route
    if tool is None:
        seeds = []
    else:
        for name, text in tool.files.items():
            (run.work / name).write_text(text, encoding="ascii")
        with tqdm(seeds, desc=f"{run.name} place and route", unit="seed", leave=False, disable=None) as progress:
            for seed in progress:
                found, used = place_and_route(run, tool, tool.options, tool.clock_mhz, seed)
                if len(found) != 1:
                    raise ToolError(f"nextpnr reports {len(found)} clocks for {run.top}; the core has one")
                clocks += found
                placed = placed or {name: count for name, (count, _) in used.items()}
    result = Result(
        target=run.name,
        device=run.target.description,
        family=run.target.family,
        top=run.top,
        model_digest=run.build.manifest.model_digest,
        **asdict(area),
        bram_unit=run.target.bram_unit,
        fmax_mhz=round(statistics.median(clocks), 2) if clocks else None,
        fmax_all=clocks,
        seeds=seeds,
        placed=placed,
        cells=cells,
        tools=tools,
        seconds=round(time.monotonic() - start, 1),
        hierarchy=_hierarchy(run) if modules else {},
    )
    (run.work / "synth.json").write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")
    return result


def _map(run: Run) -> dict[str, int]:
    """Run Yosys; leaves the netlist and, for place and route, the netlist in its frame. Returns the cells."""
    top, inside = run.top, run.inside
    commands = [
        *(f"read_verilog -defer {source}" for source in run.sources),
        f"{run.target.synth} -top {top}",
        "delete t:$scopeinfo",
        f"tee -q -o {inside}/stat.json stat -json",
        f"write_verilog -noattr {inside}/netlist.v",
    ]
    if run.target.place_and_route is not None:
        (run.work / f"{top}_frame.v").write_text(render.frame_module(top, run.build.streams), encoding="utf-8")
        # The frame is mapped around the core as a black box, so that the netlist that is placed is the one counted.
        commands += [
            f"select ={top}",
            f"write_rtlil -selected {inside}/core.il",
            "select -clear",
            f"blackbox {top}",
            f"select ={top}",
            f"write_rtlil -selected {inside}/box.il",
            "design -reset",
            f"read_rtlil {inside}/box.il",
            f"read_verilog {inside}/{top}_frame.v",
            f"{run.target.synth_frame} -top {top}_frame",
            f"delete ={top}",
            f"read_rtlil {inside}/core.il",
            f"hierarchy -top {top}_frame",
            "flatten",
            "opt_clean",
            "delete t:$scopeinfo",
            f"write_json {inside}/netlist.json",
        ]
    run_yosys(run, commands)
    stat = json.loads((run.work / "stat.json").read_text(encoding="utf-8"))
    for name in ("stat.json", "core.il", "box.il"):
        (run.work / name).unlink(missing_ok=True)
    return dict(sorted(stat["design"]["num_cells_by_type"].items()))


def _hierarchy(run: Run) -> dict[str, Area]:
    """The area of modules, by Yosys: every instance becomes a module of its own, named by its path, and stays one."""
    commands = [
        *(f"read_verilog -defer {source}" for source in run.sources),
        f"hierarchy -top {run.top}",
        "uniquify",
        f"{run.target.synth_modules} -top {run.top}",
        f"tee -q -o {run.inside}/modules.json stat -json",
    ]
    run_yosys(run, commands, "yosys_modules.log")
    path = run.work / "modules.json"
    stat = json.loads(path.read_text(encoding="utf-8"))["modules"]
    modules = {name.removeprefix("\\"): module["num_cells_by_type"] for name, module in sorted(stat.items())}
    path.unlink()
    found: dict[str, Area] = {}
    for name, cells in modules.items():
        area = run.target.area({cell: count for cell, count in cells.items() if cell not in modules})
        parts = _INDEX.sub("", name).split(".")[1:]
        parts = (parts[1:] if parts[:1] == ["wrapped"] else parts) or [run.top]
        for depth in range(1, min(len(parts), 2) + 1):
            inside = ".".join(parts[:depth])
            found[inside] = found.get(inside, Area()) + area
    inner = Counter(path.split(".")[0] for path in found)
    return {path: area for path, area in found.items() if "." not in path or inner[path.split(".")[0]] > 2}


def run_yosys(run: Run, commands: Sequence[str], log_name: str = "yosys.log") -> None:
    """Run Yosys in the build folder, from which on memory files are named."""
    script = run.work / "synth.ys"
    script.write_text("\n".join(commands) + "\n", encoding="ascii")
    call_tool(run, [*YOSYS, f"{run.inside}/{script.name}"], run.build.path, log_name)
    script.unlink()


def place_and_route(
    run: Run, tool: PlaceAndRoute, options: Sequence[str], clock_mhz: int, seed: int
) -> tuple[list[float], dict[str, tuple[int, int]]]:
    """Run nextpnr on `netlist.json` in the work folder; it may miss the clock.

    Returns:
        The highest frequency of each clock in MHz, and the resources of the device that are used: name -> (used,
        available).
    """
    files = ["--json", "netlist.json", "--report", "report.json"]
    command = [*options, "--freq", str(clock_mhz), "--timing-allow-fail", "--seed", str(seed), *files]
    call_tool(run, tool.call(tool.function, command), run.work, f"nextpnr_{seed}.log")
    path = run.work / "report.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    counts = {name: (int(count["used"]), int(count["available"])) for name, count in report["utilization"].items()}
    clocks = [round(float(clock["achieved"]), 2) for clock in report["fmax"].values()]
    return clocks, {name: pair for name, pair in counts.items() if pair[0]}


def call_tool(run: Run, command: Sequence[str], cwd: Path, log_name: str) -> None:
    """Run a tool with its output in a log; a failure keeps the logs."""
    log = run.work / log_name
    with log.open("wb") as file:
        status = subprocess.run(command, cwd=cwd, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    text = log.read_text(encoding="utf-8", errors="replace").replace(run.inside, f"{run.home}/{run.name}")
    log.write_text(text, encoding="utf-8")
    if not status:
        return
    require_fit(run, {name: (int(used), int(limit)) for name, used, limit in _UTILIZATION.findall(text)})
    failed = keep_logs(run)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-_TAIL_LINES:]
    raise ToolError(
        f"{log.stem.split('_')[0]} failed with status {status} on {run.name}, log in {failed / log_name}: "
        + " | ".join(errors[-_TAIL_LINES:])
    )


def keep_logs(run: Run) -> Path:
    """Keep the logs of a run that failed; returns where."""
    failed = failed_folder(run.build.path / run.home / run.name)
    shutil.rmtree(failed, ignore_errors=True)
    failed.mkdir()
    for path in run.work.glob("*.log"):
        shutil.copy(path, failed)
    return failed


def require_fit(run: Run, counts: Mapping[str, tuple[float, float]]) -> None:
    """Refuse a design that needs more than there is: name -> (needed, available)."""
    beyond = {name: (needed, limit) for name, (needed, limit) in counts.items() if needed > limit}
    if not beyond:
        return
    lacking = ", ".join(f"{name.upper()} {needed:,g} of {limit:,g}" for name, (needed, limit) in beyond.items())
    remedies = [_REMEDIES[name] for name in beyond if name in _REMEDIES] or ["fewer lanes or weight bits"]
    if "bram" in beyond or "ICESTORM_RAM" in beyond:
        remedies = [*_loading(run), *remedies]
    raise BuildError(f"{run.top} does not fit {run.name}: {lacking}; try {', '.join(remedies)}, or a larger device")


def _loading(run: Run) -> list[str]:
    """Options of a build that puts weights into RAM which this one leaves empty; none where there is no such RAM."""
    if run.build.manifest.load is not None:
        return []
    model = store.read(run.build.path / MODEL)
    built = {layer.index: layer.lanes for layer in run.build.manifest.layers}
    lanes = [built.get(index, 1) for index in range(1, len(model.layers) + 1)]
    loaded, fewer = loadable(model, lanes, run.target)
    options = "" if fewer == lanes else f" --lanes {','.join(map(str, fewer))}"
    return [f"--loaded-layers {','.join(map(str, loaded))}{options}, whose weights SPRAM holds"] if loaded else []


def tool_versions(distributions: Sequence[str]) -> dict[str, str]:
    """Versions of Yosys and of these distributions.

    Raises:
        ToolError: naming the one that is missing.
    """
    tools = ["pyosys", *distributions]
    for tool in tools:
        if importlib.util.find_spec(tool.replace("-", "_")) is None:
            raise ToolError(f"{tool} is missing; `pip install {tool}` installs it")
    return {tool: importlib.metadata.version(tool) for tool in tools}


def failed_folder(folder: Path) -> Path:
    """Where the logs of a failed synthesis are kept."""
    return folder.with_name(f"{folder.name}_failed")
