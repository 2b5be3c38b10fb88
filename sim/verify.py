"""`verify`: runs a build folder's hardware on a spike file and compares everything with the golden model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from quant import page, store, vectors
from quant.errors import BuildError, ScsrError, SpikeFileError, ToolError, VerificationError
from quant.files import write_atomic
from quant.formats import IntArray
from quant.manifest import MODEL, BuildFolder, differences, read_folder
from quant.model import IntModel
from quant.readouts import Packets
from quant.spikes import SpikeSet, plain_arrays
from sim import netlist as netlists
from sim.tb import runner, streams

COCOTB_DEFAULT_SAMPLES = 3
MAX_STALL_PERCENT = 95
_FST = "Verilator writes .fst with the headers of zlib and lz4 (Debian: zlib1g-dev liblz4-dev), .vcd without"

_PERCENTILES = (50, 95, 99)
_BINS = 40  # of the latencies' histogram, at most


@dataclass(frozen=True, slots=True)
class Stress:
    """What the C++ engine does beside sending samples; none of it may change a result.

    Attributes:
        stall_percent: how often source and sink pause; cycles are of interest without.
        malformed: whether malformed beats are mixed in, which must change nothing but the flags.
        reset_after: beats to send before a reset, after which all samples are sent from the start; 0: no such reset.
        seed: of the stalls and the malformed beats.
    """

    stall_percent: int = 0
    malformed: bool = False
    reset_after: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.stall_percent <= MAX_STALL_PERCENT:
            raise ScsrError(f"--stall-percent is {self.stall_percent}; allowed is 0..{MAX_STALL_PERCENT}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of an engine: one comparison per test case, what was measured on the way, and each packet's latency."""

    comparisons: Mapping[str, Mapping[str, Any]]
    measured: Mapping[str, Any] = field(default_factory=dict)
    latency_cycles: IntArray | None = None
    rtl_classes: IntArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    folder: Path
    model: IntModel
    layers: tuple[streams.Layer, ...]
    samples: SpikeSet
    answers: dict[str, IntArray]
    packets: Packets
    changed: tuple[str, ...]
    stress: Stress
    netlist: tuple[str, ...] = ()
    wave: Path | None = None

    @property
    def arrays(self) -> dict[str, npt.NDArray[np.signedinteger]]:
        return {**plain_arrays(self.samples), **self.answers}

    @property
    def packet_steps(self) -> IntArray:
        """Of each packet its step, counted over all samples in a row."""
        return streams.packet_steps(self.arrays, self.packets)


def verify(
    folder: Path,
    samples: SpikeSet,
    *,
    engine: str = "cpp",
    stress: Stress | None = None,
    netlist: str | None = None,
    allow_changed: bool = False,
    wave: Path | None = None,
) -> dict[str, Any]:
    """Verify a build folder on a spike set.

    Args:
        folder: a build folder.
        samples: the input.
        engine: "cpp", the C++ harness, or "cocotb", the folder's own test bench (full rate, stalls, malformed beats).
        stress: what to do beside sending samples, for "cpp".
        netlist: target whose netlist to simulate instead of the Verilog, for "cpp"; inner spikes are hidden then.
        allow_changed: judge a folder whose hardware was changed, too, and name the changed files in the report.
        wave: a file for the waves of all signals, `.vcd` or `.fst`, for "cpp".

    Returns:
        The report, as it goes to verify.json; `equal` says whether hardware and golden model agree and were active.

    Raises:
        BuildError: if the folder is no build, or a file was changed since.
        SpikeFileError: if the samples do not fit the model.
        ToolError: if a tool is missing or fails.
        VerificationError: if the core breaks a rule of its streams or stops answering.
        ScsrError: if there is no such engine.
    """
    if engine not in ENGINES:
        raise ScsrError(f"--engine {engine[:40]!r} is unknown; allowed are {', '.join(ENGINES)}")
    job = replace(_prepare(folder, samples, stress or Stress(), netlist, allow_changed), wave=wave)
    try:
        outcome = ENGINES[engine](job)
    except runner.SimulationError as error:
        needs = f"{wave}: {_FST}; " if wave is not None and wave.suffix == ".fst" else ""
        raise ToolError(f"{needs}{folder}: {error}") from None
    except (runner.CoreError, streams.StreamError) as error:
        raise VerificationError(f"{folder}: {error}") from None
    return _report(job, engine, outcome)


def judge(folder: Path, samples: SpikeSet, *, engine: str = "cpp", **options: Any) -> dict[str, Any]:
    """As `verify`, whose options it takes; of hardware that breaks a rule of its streams there is a report, too."""
    try:
        return verify(folder, samples, engine=engine, **options)
    except VerificationError as error:
        return {"equal": False, "engine": engine, "samples": len(samples), "first_difference": str(error)}


def verify_and_record(
    folder: Path,
    samples: SpikeSet,
    *,
    engine: str = "cpp",
    stress: Stress | None = None,
    netlist: str | None = None,
    allow_changed: bool = False,
) -> tuple[dict[str, Any], Path]:
    """As `judge`; leaves the report in the folder and draws the page anew.

    Returns:
        The report, and its file: `reports/verify.json`, with cocotb `reports/verify_cocotb.json`, of a netlist
        `synth/<target>/verify.json`.
    """
    report = judge(folder, samples, engine=engine, stress=stress, netlist=netlist, allow_changed=allow_changed)
    name = "verify.json" if engine == "cpp" else f"verify_{engine}.json"
    path = folder / "reports" / name if netlist is None else folder / "synth" / netlist / name
    write_atomic(path, (json.dumps(report, indent=2) + "\n").encode())
    page.update(folder)
    return report, path


def _prepare(folder: Path, samples: SpikeSet, stress: Stress, netlist: str | None, allow_changed: bool) -> _Job:
    build, changed = check_folder(folder)
    manifest = build.manifest
    if changed and not allow_changed:
        raise BuildError(
            f"{folder / changed[0]} was changed since it was built; build the folder again, "
            "or give --allow-changed to judge it as it is"
        )
    model = store.read(folder / MODEL)
    if store.digest(model) != manifest.model_digest:
        raise BuildError(f"{folder / MODEL} is another model than the one that was built; build the folder again")
    samples.check_channels(model.inputs)
    if not len(samples):
        raise SpikeFileError("there is no sample to compare; give at least one")
    classes = model.layers[-1].neurons
    if int(samples.label.max()) >= classes:
        raise SpikeFileError(f"label {int(samples.label.max())} is no class; the model has {classes}")
    layers = tuple(streams.Layer(**msgspec.structs.asdict(entry)) for entry in manifest.layers)
    answers = vectors.expected(model, samples, manifest.packets)
    cells = () if netlist is None else tuple(netlists.sources(folder.resolve(), netlist, manifest))
    return _Job(folder.resolve(), model, layers, samples, answers, manifest.packets, changed, stress, cells)


def check_folder(path: Path) -> tuple[BuildFolder, tuple[str, ...]]:
    """A build folder, and the files that were changed since it was built.

    A changed model is refused: the comparison would be with something else than what was built.

    Raises:
        BuildError: if the folder is no build, a file is missing, or the model was changed.
    """
    folder = read_folder(path)
    found = differences(folder.path, folder.manifest.checksums)
    if found.missing:
        raise BuildError(f"{path / found.missing[0]} is missing; build the folder again")
    if MODEL in found.changed:
        raise BuildError(f"{path / MODEL} was changed since it was built; build the folder again")
    return folder, found.changed


def _run_cpp(job: _Job) -> Outcome:
    traced = job.wave.suffix.removeprefix(".") if job.wave else ""
    work = job.folder / "tb" / "build" / "_".join(filter(None, ("netlist" if job.netlist else "cpp", traced)))
    program = runner.build_harness(job.folder, work, job.netlist, traced)
    out = work / "run"
    beats = streams.encode(job.arrays)
    found = None
    if job.stress.malformed:
        beats, found = streams.malform(beats, job.model.inputs, job.stress.seed)
    flags = streams.packet_flags(job.arrays, job.packets, found)
    steps = int(job.samples.steps.sum())
    try:
        with tqdm(total=steps, desc="simulation", unit="step", leave=False, disable=None, delay=1) as bar:
            runner.run_harness(
                program,
                job.folder,
                beats.tobytes(),
                out,
                packets=len(flags),
                stall_percent=job.stress.stall_percent,
                reset_after=job.stress.reset_after,
                seed=job.stress.seed,
                netlist=bool(job.netlist),
                wave=str(work / "wave") if traced else "-",
                progress=lambda taken: bar.update(taken - bar.n),
            )
    finally:  # a core that breaks a rule is looked at, too
        if job.wave and (work / "wave").exists():
            job.wave.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(work / "wave", job.wave)
    _check_identity((out / "identity.bin").read_bytes(), job)
    record = np.fromfile(out / "beats.bin", dtype=[("cycle", "<u8"), ("data", "<u4"), ("last", "<u4")])
    last = record["last"].astype(np.bool_)
    packets = streams.decode(record["data"], last, job.model.layers[-1].neurons)

    def recorded(name: str) -> IntArray:
        return np.fromfile(out / f"{name}.bin", dtype="<u8").astype(np.int64)

    shown = () if job.netlist else job.layers
    spikes = {layer.index: recorded(f"spikes_{position}") for position, layer in enumerate(shown)}
    # The harness of earlier builds records no updates.
    updates = recorded("updates").tolist() if (out / "updates.bin").exists() else None
    comparison = streams.compare(job.arrays, packets, flags, spikes or None, job.layers, updates)
    ticks, ends = recorded("ticks"), recorded("ends")
    packet_ends = record["cycle"][last].astype(np.int64)
    latency = packet_ends - ticks[job.packet_steps]
    measured: dict[str, Any] = {"total_cycles": int(packet_ends[-1]) + 1}
    if job.stress.stall_percent:  # what a step takes says nothing then
        measured["stall_percent"] = job.stress.stall_percent
        return Outcome({"all": asdict(comparison)}, measured, None, packets.classes)
    measured |= _cycles(ends, packet_ends, latency, len(job.samples))
    return Outcome({"all": asdict(comparison)}, measured, latency, packets.classes)


def _check_identity(port: bytes, job: _Job) -> None:
    """The core must name, on its port `model_digest`, the model it is compared with."""
    digest = port[-32:][::-1].hex()  # folders of earlier builds put tool_version in front of it
    if digest != store.digest(job.model):
        raise runner.CoreError(f"the core says it was made from model {digest}, not {store.digest(job.model)}")


def _run_cocotb(job: _Job) -> Outcome:
    work = job.folder / "tb" / "build" / "verify"
    path = work / "vectors.npz"
    write_atomic(path, vectors.to_bytes(job.samples, job.answers))
    result = runner.run_cocotb(job.folder, path, work, seed=job.stress.seed)
    cases = result["cases"]
    for name, case in cases.items():
        if "broken_rule" in case:
            raise runner.CoreError(f"{name}: {case['broken_rule']}")
    agreed = all(case["first_difference"] is None and case["output_spikes"] for case in cases.values())
    if len(cases) < len(runner.COCOTB_CASES) or (result["failures"] and agreed):
        raise runner.SimulationError(f"{result['failures']} cocotb test cases failed; see {result['log']}")
    return Outcome(cases)


ENGINES: dict[str, Callable[[_Job], Outcome]] = {"cpp": _run_cpp, "cocotb": _run_cocotb}


def _cycles(ends: IntArray, packet_ends: IntArray, latency: IntArray, samples: int) -> dict[str, Any]:
    """Cycle counts of a run; a step is counted from the end of the step before it in the last layer, where visible."""
    per_step = np.diff(ends) if len(ends) > 1 else ends
    percentiles = np.percentile(latency, _PERCENTILES, method="inverted_cdf")
    return {
        "cycles_per_step_mean": round(float(per_step.mean()), 2) if len(ends) else None,
        "cycles_per_step_max": int(per_step.max()) if len(ends) else None,
        "cycles_per_sample_mean": round(float((packet_ends[-1] + 1) / samples), 2),
        "latency_cycles_mean": round(float(latency.mean()), 2),
        **{f"latency_cycles_p{share}": int(value) for share, value in zip(_PERCENTILES, percentiles, strict=True)},
        "latency_cycles_max": int(latency.max()),
    }


def _report(job: _Job, engine: str, outcome: Outcome) -> dict[str, Any]:
    cases = outcome.comparisons
    first = next(
        (f"{name}: {case['first_difference']}" for name, case in cases.items() if case["first_difference"]), None
    )
    output_spikes = min(case["output_spikes"] for case in cases.values())
    some = next(iter(cases.values()))
    return {
        "equal": first is None and output_spikes > 0,
        "engine": engine,
        "model_digest": store.digest(job.model),
        "changed_files": list(job.changed),
        "cases": list(cases),
        "samples": some["samples"],
        "steps": some["steps"],
        "output_spikes": output_spikes,
        "layer_spikes": some["layer_spikes"],
        **{key: sum(case[key] for case in cases.values()) for key in some if key.startswith("mismatching")},
        **({"mismatching_spikes": None} if job.netlist else {}),
        "first_difference": first,
        "accuracy_golden": _accuracy(job.answers["classes"], job),
        "accuracy_rtl": None if outcome.rtl_classes is None else _accuracy(outcome.rtl_classes, job),
        **outcome.measured,
        "details": {
            "activity": list(_activity(job)),
            "differences": next((case["differences"] for case in cases.values() if case["differences"]), []),
            "latency_cycles": None if outcome.latency_cycles is None else _histogram(outcome.latency_cycles),
        },
    }


def _activity(job: _Job) -> Iterator[dict[str, int]]:
    """Of the input and each spiking layer, the golden model's spikes, and how many neurons never spike."""
    seen = {0: (job.model.inputs, job.samples.channel)}
    seen |= {one.index: (one.neurons, job.answers[f"layer_{one.index}"]) for one in job.layers if one.spiking}
    for layer, (neurons, spikes) in seen.items():
        silent = int(np.sum(np.bincount(spikes % neurons, minlength=neurons) == 0))
        yield {"layer": layer, "neurons": neurons, "spikes": len(spikes), "silent": silent}


def _histogram(values: IntArray) -> dict[str, Any]:
    """Counts in at most `_BINS` bins of whole numbers, all of one width."""
    first = int(values.min())
    width = -(-(int(values.max()) - first + 1) // _BINS)
    return {"first": first, "width": width, "counts": np.bincount((values - first) // width).tolist()}


def _accuracy(classes: IntArray, job: _Job) -> float | None:
    """Share of labelled samples whose last packet has the label for its class; None where no sample has a label."""
    label, of_sample = job.samples.label, classes[np.isin(job.packet_steps, np.cumsum(job.samples.steps) - 1)]
    labelled = label >= 0
    return float(np.mean(of_sample[labelled] == label[labelled])) if labelled.any() else None
