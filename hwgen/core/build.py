"""A build: plan, render, write. The folder is written whole or not at all, and nothing of the user's is lost."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import hwgen
from hwgen import engines
from hwgen.core import render, report
from hwgen.core.estimate import DEFAULT_TARGET, estimate
from hwgen.core.folding import DEFAULT_FOLDING, Folding
from hwgen.core.plan import LOAD_BITS, MEMORY_FOLDER, NO_SAFETY, CorePlan, Safety
from hwgen.core.planner import make_plan
from hwgen.core.rates import assumed_events
from hwgen.core.self_test import active_samples, stored_sample
from hwgen.core.timing import Events, idle_limit_cycles
from quant import page, store, vectors
from quant.errors import BuildError
from quant.files import replace_folder
from quant.manifest import (
    FORMAT,
    MANIFEST,
    MODEL,
    VERSION,
    LayerRecord,
    Load,
    Manifest,
    SafetyRecord,
    Serial,
    differences,
    read_folder,
)
from quant.model import IntModel
from quant.page.records import ESTIMATE, encode
from quant.readouts import Packets

VECTORS = "tb/vectors.npz"
LOAD = f"{MEMORY_FOLDER}load.bin"
ASSUMED = "a tenth of the input and of every layer is taken to spike in each step (--rates measures it)"
MEASURED = "as often as the network spikes on the samples of --rates"

TEST_BENCH = Path(__file__).resolve().parents[2] / "sim" / "tb"
_TEST_BENCH_FILES = ("Makefile", "runner.py", "streams.py", "test_core.py", "harness.cpp")


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build: its plan, and every file by its path in the build folder."""

    plan: CorePlan
    files: Mapping[str, bytes]


def make_build(
    model: IntModel,
    folding: Folding = DEFAULT_FOLDING,
    name: str | None = None,
    safety: Safety = NO_SAFETY,
    measured: Events | None = None,
    target: str = DEFAULT_TARGET,
    packets: Packets = "sample",
) -> Build:
    """Everything that a build folder of `model` holds, but for its page.

    Args:
        model, folding, name, safety: what is built.
        measured: how often the network spikes, for the cycles that the page shows; assumed where nothing was measured.
        target: FPGA whose area it shows.
        packets: when the core gives one.

    Raises:
        BuildError: if the plan is impossible (`hwgen.core.planner.make_plan`).
    """
    plan, digest = make_plan(model, folding, name, safety, packets), store.digest(model)
    sources = {f"rtl/{file}": text for file, text in render.leaf_modules().items()}
    sources |= {f"rtl/{file}": text for file, text in render.core_modules(plan, digest).items()}
    bridge = render.serial_modules(plan.top, digest[:4], load=bool(plan.loaded), self_test=safety.self_test)
    serial = {f"uart/{file}": text for file, text in bridge.items()}
    uart = Serial(f"{plan.top}_uart", digest[:4], list(serial))
    probe = f"tb/{plan.top}_probe.v"
    events, rates = (assumed_events(model), ASSUMED) if measured is None else (measured, MEASURED)
    record = {**asdict(plan), "layers": [{**asdict(layer), "words": layer.words} for layer in plan.layers]}
    texts = {
        "1_model.txt": report.model_text(model, digest),
        "2_plan.txt": report.plan_text(plan),
        "reports/plan.json": json.dumps(record, indent=2) + "\n",
        probe: render.probe_module(plan),
        **sources,
        **serial,
        **render.integration_files(plan, list(sources)),
        **{path: "\n".join(lines) + "\n" for path, lines in _memories(model, plan)},
    }
    files = {path: text.encode() for path, text in texts.items()}
    files[ESTIMATE] = encode(estimate(model, plan, digest, folding, events, rates, target))
    files[MODEL] = store.to_bytes(model)
    if plan.loaded:
        files[LOAD] = _load_words(model, plan)
    files[VECTORS] = vectors.to_bytes(*active_samples(model, packets))
    for file in _TEST_BENCH_FILES:
        files[f"tb/{file}"] = (TEST_BENCH / file).read_bytes()
    files[MANIFEST] = _manifest(plan, digest, list(sources), probe, uart, files).to_bytes()
    return Build(plan, files)


def write(build: Build, folder: Path) -> tuple[str, ...]:
    """Write a build folder, replacing an earlier build there; returns what of tools went with that.

    Raises:
        BuildError: if the folder holds anything but an untouched build.
    """
    folder = Path(os.path.abspath(folder))
    removed = _check_replaceable(folder) if folder.exists() or folder.is_symlink() else ()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise BuildError(f"{folder} cannot be made ({error.strerror}); name another --out") from None
    try:
        fresh = work / "new"
        for path, content in build.files.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        page.update(fresh)
        replace_folder(fresh, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return removed


def _check_replaceable(folder: Path) -> tuple[str, ...]:
    """Refuse a folder with anything but a build in it; returns what tools left there outside of the folders for it."""
    if folder.is_symlink() or not folder.is_dir():
        raise BuildError(f"{folder} is not a folder; remove it or name another --out")
    if folder == Path.cwd() or folder in Path.cwd().parents:
        raise BuildError(
            f"{folder} is the current folder or holds it, and a build replaces its folder; name another --out"
        )
    if not any(folder.iterdir()):
        return ()
    try:
        found = differences(folder, read_folder(folder).manifest.checksums)
    except BuildError:
        raise BuildError(f"{folder} holds something else than a build; name an empty or new folder as --out") from None
    if found.added:
        raise BuildError(f"{folder} holds {found.added[0]}, which no build made; move it away or name another --out")
    if found.changed:
        name = found.changed[0]
        raise BuildError(f"{folder}/{name} was changed since it was built; move it away or name another --out")
    return found.dropped


def _memories(model: IntModel, plan: CorePlan) -> list[tuple[str, list[str]]]:
    contents: list[tuple[str, list[str]]] = []
    for layer in plan.layers:
        for item, lines in engines.of(layer).contents(model.layers[layer.index - 1], layer):
            if item.loaded:
                continue
            words = list(lines)
            words += ["0"] * (item.banks * item.bank_words - item.words)
            banks = (words[start : start + item.bank_words] for start in range(0, len(words), item.bank_words))
            contents.extend(zip(item.paths, banks, strict=True))
    stored = stored_sample(model, plan.packets) if plan.test_memories else ()
    for item, beats in zip(plan.test_memories, stored, strict=True):
        contents.append((item.paths[0], [f"{beat:0{-(-item.word_bits // 4)}x}" for beat in beats]))
    return contents


def _load_words(model: IntModel, plan: CorePlan) -> bytes:
    """What the stream `s_load` carries: the words of all loaded memories, 16 bits at a time, lower byte first."""
    parts: list[bytes] = []
    for layer in plan.loaded:
        for item, lines in engines.of(layer).contents(model.layers[layer.index - 1], layer):
            if item.loaded:
                size = item.slices * LOAD_BITS // 8
                parts.extend(int(word, 16).to_bytes(size, "little") for word in lines)
    return b"".join(parts)


def _manifest(
    plan: CorePlan, digest: str, sources: list[str], probe: str, uart: Serial, files: Mapping[str, bytes]
) -> Manifest:
    safety = plan.safety
    return Manifest(
        format=FORMAT,
        version=VERSION,
        generator=f"ScSr-HWGen {hwgen.__version__}",
        top=plan.top,
        model_digest=digest,
        sources=sources,
        uart=uart,
        memories=[path for item in plan.memories for path in item.paths],
        ports=list(plan.ports),
        packets=plan.packets,
        load=Load(LOAD, 8 * len(files[LOAD]) // LOAD_BITS) if plan.loaded else None,
        layers=[
            LayerRecord(
                index=layer.index,
                neurons=layer.neurons,
                spiking=layer.spiking,
                sources=[link.source for link in layer.links if not link.recurrent],
                **engines.of(layer).record(layer),
            )
            for layer in plan.layers
        ],
        safety=SafetyRecord(safety.code, safety.watchdog_cycles, safety.self_test),
        idle_limit_cycles=idle_limit_cycles(plan),
        probe=probe,
        vectors=VECTORS,
        checksums={path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())},
    )
