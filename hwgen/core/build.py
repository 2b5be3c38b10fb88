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
from typing import Any

import hwgen
from hwgen import engines
from hwgen.boards.uart import Uart, make_uart
from hwgen.core import render, report
from hwgen.core.folding import DEFAULT_FOLDING, Folding
from hwgen.core.plan import DIGEST_BITS, LOAD_BITS, NO_SAFETY, VERSION_BITS, CorePlan, Node, Safety
from hwgen.core.planner import make_plan
from hwgen.core.self_test import active_samples, stored_sample
from hwgen.core.timing import idle_limit_cycles
from quant import store, vectors
from quant.errors import BuildError
from quant.model import IntModel

FORMAT = "scsr-build"
VERSION = 1
MANIFEST = "manifest.json"
MODEL = "model.safetensors"
VECTORS = "tb/vectors.npz"
LOAD = "mem/load.bin"

TEST_BENCH = Path(__file__).resolve().parents[2] / "sim" / "tb"
_TEST_BENCH_FILES = ("Makefile", "runner.py", "streams.py", "compare.py", "test_core.py", "harness.cpp")

# What simulation, synthesis, bitstreams and projects leave in a build folder; a new build takes it away.
_PRODUCT_FILES = ("reports/verify.json", "reports/verify_cocotb.json")
_PRODUCT_FOLDERS = ("tb/build/", "tb/__pycache__/", "synth/", "boards/", "projects/")

# The core's ports: name, direction, width in bits.
PORTS = (
    ("aclk", "input", 1),
    ("aresetn", "input", 1),
    ("s_axis_tdata", "input", 16),
    ("s_axis_tvalid", "input", 1),
    ("s_axis_tready", "output", 1),
    ("s_axis_tlast", "input", 1),
    ("m_axis_tdata", "output", 32),
    ("m_axis_tvalid", "output", 1),
    ("m_axis_tready", "input", 1),
    ("m_axis_tlast", "output", 1),
)

# Constant outputs that say what the core is. They take no logic; nothing times or loads them.
IDENTITY_PORTS = (("model_digest", "output", DIGEST_BITS), ("tool_version", "output", VERSION_BITS))

# Where weights are loaded, and where there is a self-test.
SELF_TEST_PORTS = (
    ("self_test_start", "input", 1),
    ("self_test_running", "output", 1),
    ("self_test_failed", "output", 1),
)
LOAD_PORTS = (("s_load_tdata", "input", 16), ("s_load_tvalid", "input", 1), ("s_load_tready", "output", 1))


@dataclass(frozen=True, slots=True)
class Build:
    """A finished build: its plan, and every file by its path in the build folder."""

    plan: CorePlan
    files: Mapping[str, bytes]


def make_build(
    model: IntModel, folding: Folding = DEFAULT_FOLDING, name: str | None = None, safety: Safety = NO_SAFETY
) -> Build:
    """Everything that a build folder of `model` holds.

    Raises:
        BuildError: if the plan is impossible (`hwgen.core.plan.make_plan`).
    """
    plan = make_plan(model, folding, name, safety)
    sources = {f"rtl/{file}": text for file, text in render.leaf_modules().items()}
    sources[f"rtl/{plan.top}.v"] = render.top_module(plan, store.digest(model))
    uart = make_uart(plan.top, store.digest(model), load=bool(plan.loaded), self_test=safety.self_test)
    probe = f"tb/{plan.top}_probe.v"
    texts = {
        "1_model.txt": report.model_text(model),
        "2_plan.txt": report.plan_text(plan),
        "reports/plan.json": _json(_plan_record(plan)),
        probe: render.probe_module(plan),
        **sources,
        **uart.sources(),
        **{path: "\n".join(lines) + "\n" for path, lines in _memories(model, plan)},
    }
    files = {path: text.encode() for path, text in texts.items()}
    files[MODEL] = store.to_bytes(model)
    if plan.loaded:
        files[LOAD] = _load_words(model, plan)
    files[VECTORS] = vectors.to_bytes(*active_samples(model))
    for file in _TEST_BENCH_FILES:
        files[f"tb/{file}"] = (TEST_BENCH / file).read_bytes()
    files[MANIFEST] = _json(_manifest(model, plan, list(sources), probe, uart, files)).encode()
    return Build(plan, files)


def write(build: Build, folder: Path) -> None:
    """Write a build folder, replacing an earlier build there.

    Raises:
        BuildError: if the folder holds anything but an untouched build.
    """
    folder = Path(os.path.abspath(folder))
    if folder.exists() or folder.is_symlink():
        _check_replaceable(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise BuildError(f"{folder} cannot be made ({error.strerror}); name another --out") from None
    try:
        fresh, old = work / "new", work / "old"
        for path, content in build.files.items():
            target = fresh / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        if folder.exists():
            os.replace(folder, old)
        try:
            os.replace(fresh, folder)
        except BaseException:  # an interrupt, too, must not cost the build that was there
            if old.exists():
                os.replace(old, folder)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_replaceable(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        raise BuildError(f"{folder} is not a folder; remove it or name another --out")
    if folder == Path.cwd() or folder in Path.cwd().parents:
        raise BuildError(
            f"{folder} is the current folder or holds it, and a build replaces its folder; name another --out"
        )
    if not any(folder.iterdir()):
        return
    checksums = _checksums(folder)
    if checksums is None:
        raise BuildError(f"{folder} holds something else than a build; name an empty or new folder as --out")
    found = differences(folder, checksums)
    if found.added:
        raise BuildError(f"{folder} holds {found.added[0]}, which no build made; move it away or name another --out")
    if found.changed:
        name = found.changed[0]
        raise BuildError(f"{folder}/{name} was changed since it was built; move it away or name another --out")


@dataclass(frozen=True, slots=True)
class Differences:
    """Files of a build folder that are not as its manifest says, by their paths in it."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    added: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)


def differences(folder: Path, checksums: Mapping[str, str]) -> Differences:
    """How a build folder differs from the SHA-256 `checksums` of its manifest; what later commands made is left out."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    built = {
        name: path
        for name, path in sorted(found.items())
        if name != MANIFEST and name not in _PRODUCT_FILES and not name.startswith(_PRODUCT_FOLDERS)
    }
    return Differences(
        changed=tuple(name for name, path in built.items() if name in checksums and _sha256(path) != checksums[name]),
        missing=tuple(sorted(checksums.keys() - built.keys())),
        added=tuple(name for name in built if name not in checksums),
    )


def _sha256(path: Path) -> str | None:
    """Of a regular file; None of anything else: a build makes no links."""
    if path.is_symlink() or not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _checksums(folder: Path) -> dict[str, str] | None:
    """The checksums of a build folder's manifest, or None where there is no such manifest."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        checksums = manifest["checksums"]
        if manifest["format"] != FORMAT:
            return None
        return {str(name): str(checksum) for name, checksum in checksums.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


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
    stored = stored_sample(model) if plan.test_memories else ()
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
    model: IntModel, plan: CorePlan, sources: list[str], probe: str, uart: Uart, files: Mapping[str, bytes]
) -> dict[str, Any]:
    ports = (*core_ports(loaded=bool(plan.loaded), self_test=plan.safety.self_test), *IDENTITY_PORTS)
    return {
        "format": FORMAT,
        "version": VERSION,
        "generator": f"ScSr-HWGen {hwgen.__version__}",
        "top": plan.top,
        "model_digest": store.digest(model),
        "sources": sources,
        "uart": {"top": uart.name, "model": uart.model, "sources": list(uart.sources())},
        "memories": [path for item in plan.memories for path in item.paths],
        "ports": [{"name": name, "direction": direction, "width": width} for name, direction, width in ports],
        "load": {"file": LOAD, "words": 8 * len(files[LOAD]) // LOAD_BITS} if plan.loaded else None,
        "layers": [_layer_record(layer) for layer in plan.layers],
        "safety": asdict(plan.safety),
        "idle_limit_cycles": idle_limit_cycles(plan),
        "probe": probe,
        "vectors": VECTORS,
        "checksums": {path: hashlib.sha256(content).hexdigest() for path, content in sorted(files.items())},
    }


def core_ports(*, loaded: bool, self_test: bool) -> tuple[tuple[str, str, int], ...]:
    """The ports that move."""
    return (*PORTS, *(LOAD_PORTS if loaded else ()), *(SELF_TEST_PORTS if self_test else ()))


def _layer_record(layer: Node) -> dict[str, Any]:
    """What a test bench must know of a layer, in the order of the probe's bits."""
    return {
        "index": layer.index,
        "neurons": layer.neurons,
        **engines.of(layer).record(layer),
        "spiking": layer.spiking,
        "sources": [link.source for link in layer.links if not link.recurrent],
    }


def _plan_record(plan: CorePlan) -> dict[str, Any]:
    return {**asdict(plan), "layers": [{**asdict(layer), "words": layer.words} for layer in plan.layers]}


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
