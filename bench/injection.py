"""Faults for simulated cores: bits flipped in memory files, in memories while a core runs, in input beats."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from hwgen.core.plan import STATUS
from quant.spikes import SpikeSet, plain_arrays
from sim.tb import runner, streams
from sim.verify import Stress

DAMAGED, TIMED_OUT, TEST_FAILED = (
    1 << STATUS.index(name) for name in ("damaged memory", "ended by the watchdog", "self-test failed")
)

_UPSETS = "mem/upsets.hex"
_UPSET_SOURCE = Path(__file__).with_name("upsets.v")
_UPSET_IN = {"ram": ("scsr_update.v",), "rom": ("scsr_banked_memory.v", "scsr_update.v")}


@dataclass(frozen=True, slots=True)
class Flip:
    """One bit of a memory's file in a build folder."""

    path: str
    word: int
    bit: int


@contextmanager
def damaged(folder: Path, flips: Iterable[Flip] = (), upset_period: int = 0, seed: int = 1) -> Iterator[Path]:
    """A temporary copy of the files that simulation reads from a build folder, with faults.

    Args:
        folder: the build folder.
        flips: bits of its memory files that are flipped.
        upset_period: for a harness of `build_upset_harness`, a bit's mean time between flips, in cycles; 0: none.
        seed: of those.
    """
    with tempfile.TemporaryDirectory(prefix="scsr_damaged_") as name:
        copy = Path(name)
        shutil.copytree(folder / "mem", copy / "mem")
        shutil.copy(folder / "manifest.json", copy)
        by_file: dict[str, list[Flip]] = {}
        for flip in flips:
            by_file.setdefault(flip.path, []).append(flip)
        for path, found in by_file.items():
            words = (copy / path).read_text(encoding="utf-8").split()
            for flip in found:
                words[flip.word] = f"{int(words[flip.word], 16) ^ 1 << flip.bit:0{len(words[flip.word])}x}"
            (copy / path).write_text("\n".join(words) + "\n", encoding="utf-8")
        (copy / _UPSETS).write_text(f"{upset_period:x}\n{seed * 0x9E3779B97F4A7C15 % 2**64:x}\n", encoding="utf-8")
        yield copy


def build_upset_harness(folder: Path, work: Path, memory: Literal["ram", "rom"]) -> Path:
    """Compile a harness of a build folder in which bits flip while it runs (upsets.v).

    Args:
        memory: "ram", those of the neurons' states; "rom", of the weights and parameters, but not of loaded layers.
    """
    copy = work / "core"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy)
    for name in _UPSET_IN[memory]:
        path = copy / "rtl" / name
        text = path.read_text(encoding="utf-8")
        if text.count(f"scsr_{memory} #(") != 1:
            raise ValueError(f"{name} has another number of scsr_{memory} than one")
        path.write_text(text.replace(f"scsr_{memory} #(", f"upset_{memory} #("), encoding="utf-8")
    shutil.copy(_UPSET_SOURCE, copy / "rtl")
    manifest = runner.read_manifest(copy)
    manifest["sources"].append(f"rtl/{_UPSET_SOURCE.name}")
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return runner.build_harness(copy, work / "harness")


def encode(samples: SpikeSet) -> streams.Beats:
    """The input beats of samples."""
    return streams.encode(plain_arrays(samples))


def flip_beats(beats: streams.Beats, share: float, seed: int) -> streams.Beats:
    """Flip a bit of `tdata` in a share of the beats; the beats that end a sample still end it."""
    rng = np.random.default_rng(seed)
    hit = rng.random(len(beats)) < share
    bits = np.where(beats & streams.LAST, rng.integers(0, 15, len(beats)), rng.integers(0, 16, len(beats)))
    return np.where(hit, beats ^ (1 << bits), beats).astype(np.uint32)


def simulate(
    program: Path, folder: Path, beats: streams.Beats, samples: int, stress: Stress | None = None
) -> streams.Packets:
    """Simulate the core of a folder with a harness compiled from an equal one; the packets that come out."""
    how = asdict(stress or Stress())
    del how["malformed"]  # the beats are given
    with tempfile.TemporaryDirectory(prefix="scsr_simulated_") as name:
        out = Path(name)
        runner.run_harness(program, folder, beats.tobytes(), out, packets=samples, **how)
        record = np.fromfile(out / "beats.bin", dtype=[("cycle", "<u8"), ("data", "<u4"), ("last", "<u4")])
    classes = runner.read_manifest(folder)["layers"][-1]["neurons"]
    return streams.decode(record["data"], record["last"].astype(np.bool_), classes)
