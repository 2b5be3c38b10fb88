"""Faults in the field: flips bits of a core's memories and streams, and measures what is left of its accuracy."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quant.spikes import SpikeSet, plain_arrays
from sim.verify import runner, streams

DAMAGED, TIMED_OUT, TEST_FAILED = 1 << 3, 1 << 4, 1 << 5  # status flags (docs/streams.md)


@dataclass(frozen=True, slots=True)
class Flip:
    """One bit of a memory's file in a build folder."""

    path: str
    word: int
    bit: int


@contextmanager
def damaged(folder: Path, flips: Iterable[Flip]) -> Iterator[Path]:
    """For a while, what simulation reads of a build folder, with these bits of its memory files flipped."""
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
        yield copy


def simulate(program: Path, folder: Path, samples: SpikeSet) -> streams.Packets:
    """What the core of a folder answers at full rate, simulated with a harness that was compiled from its like."""
    beats = streams.encode(plain_arrays(samples)).tobytes()
    with tempfile.TemporaryDirectory(prefix="scsr_simulated_") as name:
        out = Path(name)
        runner.run_harness(program, folder, beats, out, packets=len(samples), stall_percent=0, reset_after=0, seed=1)
        record = np.fromfile(out / "beats.bin", dtype=[("cycle", "<u8"), ("data", "<u4"), ("last", "<u4")])
    classes = runner.read_manifest(folder)["layers"][-1]["neurons"]
    return streams.decode(record["data"], record["last"].astype(np.bool_), classes)
