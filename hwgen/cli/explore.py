"""`python -m hwgen explore`: many foldings, and bit widths, of a network synthesized side by side.

Every point is a build folder of its own in `points/`, and what was measured of it a `point.json` there: so a run that
was interrupted goes on where it ended, and points can be worked on by any process that sees the folder.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tabulate import tabulate
from tqdm import tqdm

from hwgen import engines
from hwgen.cli.picture import Point, pareto_picture
from hwgen.core import area
from hwgen.core.build import make_build, write
from hwgen.core.choice import Goal, choose
from hwgen.core.folding import PORTS, Folding
from hwgen.core.planner import make_plan
from hwgen.core.rates import accuracy, cycles_per_step, measured_events
from hwgen.core.timing import Events
from hwgen.fpga import targets
from hwgen.fpga.synth import MAX_SEEDS, synthesize, tool_versions
from quant import spikes
from quant.errors import BuildError, ScsrError, SpikeFileError, ToolError
from quant.export import load
from quant.files import write_atomic
from quant.manifest import MANIFEST
from quant.model import IntModel
from quant.store import digest

ROOT = Path("build/explore")
TABLE, PICTURE, POINTS = "explore.csv", "explore.png", "points"
MAX_POINTS = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """A point to measure; all that another process needs.

    Attributes:
        folder: where its build goes.
        model: the model's file.
        events: how often the network spikes.
        accuracy: of the model on the samples.
    """

    folder: Path
    model: Path
    folding: Folding
    target: str
    seeds: int
    events: Events
    accuracy: float | None


def measure(job: Job) -> Point:
    """Build and synthesize one point, or read it if that was done before. Never raises what only this point is to blame
    for: a network that does not fit, or a tool that fails, is a result."""
    model = load(job.model)
    build = make_build(model, job.folding)
    yosys = tool_versions([])["pyosys"]
    text = f"{hashlib.sha256(build.files[MANIFEST]).hexdigest()} {job.target} {job.seeds} {yosys}"
    layers = build.plan.layers
    known: dict[str, Any] = {
        "key": hashlib.sha256(text.encode()).hexdigest(),
        "model": job.model.name,
        "weight_bits": max(layer.integers.weight_bits for layer in model.layers),
        "lanes": " ".join(str(engines.of(layer).record(layer)["lanes"]) for layer in layers),
        "units": " ".join(str(layer.units) for layer in layers),
        "events_per_cycle": job.folding.ports,
        "cycles": round(cycles_per_step(build.plan, job.events), 2),
        "accuracy": job.accuracy,
    }
    record = job.folder.with_suffix(".json")
    earlier = _read(record)
    if earlier is not None and earlier.key == known["key"]:
        # The synthesis still holds; the cycles are those on the samples at hand.
        return replace(earlier, **known, step_us=_step_us(known["cycles"], earlier.fmax_mhz))
    try:
        write(build, job.folder)
        result = synthesize(job.folder, job.target, job.seeds)
    except ToolError as error:  # which another run may not meet
        return Point(**known, problem=str(error))
    except BuildError as error:
        point = Point(**known, problem=str(error))
    else:
        area_and_clock = {name: getattr(result, name) for name in ("lut", "ff", "bram", "dsp", "fmax_mhz")}
        point = Point(**known, **area_and_clock, step_us=_step_us(known["cycles"], result.fmax_mhz))
    write_atomic(record, (json.dumps(asdict(point), indent=2) + "\n").encode())
    return point


def _step_us(cycles: float, clock_mhz: float | None) -> float | None:
    return None if clock_mhz is None else round(cycles / clock_mhz, 4)


def _read(path: Path) -> Point | None:
    try:
        return Point(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def foldings(model: IntModel, events: Events, target: str, count: int) -> list[Folding]:
    """At most `count` foldings between the smallest core and the fastest: the cheapest for each of a row of times per
    step, which are equally far apart on a logarithmic scale.

    Raises:
        BuildError: if none fits the device.
    """
    estimates = target if target in area.calibrated() else area.calibrated()[0]
    slowest = cycles_per_step(make_plan(model, Folding([1] * len(model.layers))), events)
    found: dict[tuple[object, ...], Folding] = {}
    for limit in np.geomspace(_fastest(model, events) * 1.05, slowest, count):
        try:
            folding = choose(model, events, Goal(interval=float(limit)), estimates).folding
        except BuildError as error:  # not even the fastest folding that fits the device
            problem = error
            continue
        found[tuple(folding.lanes or ()), tuple(folding.units or ()), folding.ports] = folding
    if not found:
        raise problem
    return list(found.values())


def _fastest(model: IntModel, events: Events) -> float:
    """Cycles per step with a lane for each neuron, or as many of them as a vector can be wide."""
    lanes = [layer.neurons for layer in model.layers]
    while True:
        try:
            return min(cycles_per_step(make_plan(model, Folding(lanes, None, ports)), events) for ports in PORTS)
        except BuildError:  # a single lane can always be built
            lanes = [-(-one // 2) for one in lanes]


def pareto(points: Sequence[Point]) -> list[Point]:
    """The points that no other beats in LUTs, time and accuracy at once, smallest first."""
    costs = {id(one): (one.lut, one.time, -(one.accuracy or 0.0)) for one in points if one.lut is not None}
    measured = sorted((one for one in points if one.lut is not None), key=lambda one: costs[id(one)])
    front: list[Point] = []
    for point in measured:
        mine = costs[id(point)]
        if not any(all(a <= b for a, b in zip(costs[id(one)], mine, strict=True)) for one in front):
            front.append(point)
    return front


def explore(folder: Path, jobs: Sequence[Job], workers: int, scheduler: str | None) -> list[Point]:
    """Measure all points and write `explore.csv` and `explore.png`.

    Args:
        folder: where; it holds nothing but what an earlier run left.
        jobs: the points.
        workers: processes here.
        scheduler: address of a Dask scheduler that is to do the work instead; its workers must see `folder`.

    Raises:
        ToolError: if the scheduler cannot be reached or Dask is not installed.
    """
    results = _here(jobs, workers) if scheduler is None else _on_cluster(jobs, scheduler)
    points = list(tqdm(results, total=len(jobs), desc="explore", unit="point", disable=None))
    points.sort(key=lambda point: (point.lut is None, point.lut or 0, point.time))
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, [field.name for field in fields(Point)] + ["pareto"], lineterminator="\n")
    table.writeheader()
    front = pareto(points)
    for point in points:
        table.writerow({**asdict(point), "pareto": int(point in front)})
    write_atomic(folder / TABLE, buffer.getvalue().encode())
    if front:
        write_atomic(folder / PICTURE, pareto_picture(points, front))
    return points


def _here(jobs: Sequence[Job], workers: int) -> Iterator[Point]:
    if workers == 1:
        yield from map(measure, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        for future in as_completed([pool.submit(measure, job) for job in jobs]):
            yield future.result()


def _on_cluster(jobs: Sequence[Job], address: str) -> Iterator[Point]:
    try:
        from distributed import Client
        from distributed import as_completed as completed
    except ImportError:
        raise ToolError("--scheduler needs Dask; `pip install distributed` installs it") from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, TimeoutError, ValueError) as error:
        raise ToolError(
            f"--scheduler {address[:80]!r} cannot be reached ({error}); start one with `dask scheduler`"
        ) from None
    with client:
        for _, point in completed(client.map(measure, jobs, pure=False), with_results=True):
            yield point


def table(points: Sequence[Point], front: Sequence[Point]) -> str:
    """All points for people; * marks the Pareto front."""
    header = [
        "",
        "bits",
        "lanes",
        "units",
        "events",
        "accuracy",
        "cycles",
        "LUT",
        "FF",
        "BRAM",
        "DSP",
        "MHz",
        "µs/step",
    ]
    rows = []
    for point in points:
        numbers = (point.lut, point.ff, point.bram, point.dsp, point.fmax_mhz, point.step_us)
        row = ["*" if point in front else "", point.weight_bits, point.lanes, point.units, point.events_per_cycle]
        row.append("" if point.accuracy is None else f"{point.accuracy:.2%}")
        rows.append([*row, f"{point.cycles:.1f}", *("" if one is None else f"{one:,g}" for one in numbers)])
    text = tabulate(rows, header, "plain", disable_numparse=True, colglobalalign="right")
    return "\n".join([text, *(f"lanes {point.lanes}: {point.problem}" for point in points if point.problem)])


def run(arguments: argparse.Namespace) -> int:
    target = targets.find(arguments.target)
    for name, least, most in (("points", 1, MAX_POINTS), ("workers", 1, MAX_POINTS), ("seeds", 0, MAX_SEEDS)):
        if not least <= getattr(arguments, name) <= most:
            raise BuildError(f"--{name} is {getattr(arguments, name)}; allowed is {least}..{most}")
    default = ROOT / f"{arguments.model[0].stem}-{arguments.target}"
    folder = (default if arguments.out is None else arguments.out).resolve()
    _check_folder(folder)
    if arguments.scheduler is None:
        tool = target.place_and_route if arguments.seeds else None
        tool_versions([] if tool is None else [tool.distribution])
    samples = spikes.read(arguments.spikes)
    jobs, problems = dict[Path, Job](), list[BuildError]()
    for path in arguments.model:
        model = load(path)
        try:
            events, right = measured_events(model, samples), accuracy(model, samples)
        except SpikeFileError as error:
            raise SpikeFileError(f"{arguments.spikes} with {path}: {error}") from None
        try:
            chosen = foldings(model, events, arguments.target, arguments.points)
        except BuildError as problem:
            problems.append(problem)
            print(f"{path}: {problem}")
            continue
        for folding in chosen:
            lanes = "_".join(map(str, folding.lanes or ()))
            units = "_".join(map(str, folding.units or ()))
            name = f"{digest(model)[:8]}-{lanes}-{units}-{folding.ports}-{arguments.target}"
            place = folder / POINTS / name
            jobs[place] = Job(place, path.resolve(), folding, arguments.target, arguments.seeds, events, right)
    if not jobs:
        raise problems[0]
    points = explore(folder, list(jobs.values()), arguments.workers, arguments.scheduler)
    front = pareto(points)
    print(table(points, front))
    if not front:
        raise BuildError(f"no point has a result; {folder / TABLE} says why")
    print(f"{folder / TABLE}, {folder / PICTURE}: {len(points)} points, {len(front)} on the front")
    return 0


def _check_folder(folder: Path) -> None:
    """Only what `explore` itself writes may be there."""
    if folder.exists() and not folder.is_dir():
        raise ScsrError(f"{folder} is not a folder; name another --out")
    if foreign := sorted({path.name for path in folder.glob("*")} - {TABLE, PICTURE, POINTS}):
        raise ScsrError(f"{folder} holds {foreign[0][:60]!r}, which explore did not write; name another --out")
