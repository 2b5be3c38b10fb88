"""Faults in the field: accuracy against flipped bits in memories, neurons' states and the input stream.

Needs what `make demo` leaves: a trained network and its test set. Bits of the weights' and parameters' memories are
flipped before a run and while it goes, without protection, with parity and with SECDED; bits of the states while it
goes; bits of input beats on their way in. What protection, watchdog and self-test cost is synthesized. Writes
build/bench/faults.png and bench/results/faults.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from tabulate import tabulate
from tqdm import tqdm

from bench import record
from bench.demo import CHECKPOINT, SPIKES, is_missing
from bench.injection import Flip, build_upset_harness, damaged, encode, flip_beats, simulate
from bench.options import no_options
from bench.record import RESULTS, commit
from hwgen.core.build import Build, make_build, write
from hwgen.core.codes import CODES
from hwgen.core.plan import Safety
from hwgen.fpga.synth import synthesize
from quant import figures, spikes, vectors
from quant.export import load
from quant.files import write_atomic
from quant.formats import IntArray
from quant.spikes import SpikeSet
from sim.tb import runner, streams
from sim.verify import verify

ROOT = Path("build/bench/faults").resolve()
PICTURE = Path("build/bench/faults.png")
DRAWS = 5
FLIPS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)  # bits of weights and parameters
UPSETS = (0.1, 1.0, 10.0, 100.0, 1000.0)  # bits of the states, per sample
BEATS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)  # share of the input's beats
SAFETIES = {
    "none": Safety(),
    "parity": Safety("parity"),
    "SECDED": Safety("secded"),
    "watchdog": Safety(watchdog_cycles=100_000),
    "self-test": Safety(self_test=True),
}


@dataclass(frozen=True, slots=True)
class Point:
    """The effect of a number of faults, as shares of the samples, averaged over `DRAWS` draws.

    Attributes:
        faults: bits flipped in memory; of states, per sample; of the stream, the share of its beats.
        flagged: samples with a status flag.
        silent: samples without one whose class is not that of the undamaged core.
    """

    faults: float
    accuracy: float
    flagged: float
    silent: float


class Bench:
    """The demo's network, built with one code, and its undamaged answers."""

    def __init__(self, samples: SpikeSet, code: str) -> None:
        model = load(CHECKPOINT)
        self.samples = samples
        self.folder = ROOT / code
        self.build: Build = make_build(model, name="core", safety=Safety(code))
        write(self.build, self.folder)
        self.program = runner.build_harness(self.folder, ROOT / "harness" / code)
        self.beats = encode(samples)
        self.classes: IntArray = vectors.expected(model, samples)["classes"]

    def points(self, numbers: Sequence[float], run: Callable[[float, int], streams.Packets]) -> Iterator[Point]:
        """A point for each number of faults: the mean of `run(number, draw)` over the draws."""
        for number in numbers:
            draws = [run(number, draw) for draw in range(DRAWS if number else 1)]
            classes, flagged = np.stack([one.classes for one in draws]), np.stack([one.flags != 0 for one in draws])
            accuracy, silent = classes == self.samples.label, (classes != self.classes) & ~flagged
            yield Point(number, float(accuracy.mean()), float(flagged.mean()), float(silent.mean()))

    def memory_points(self) -> Iterator[Point]:
        def run(count: float, draw: int) -> streams.Packets:
            with damaged(self.folder, self._flips(int(count), draw)) as copy:
                return simulate(self.program, copy, self.beats, len(self.samples))

        yield from self.points((0, *FLIPS), run)

    def _flips(self, count: int, draw: int) -> list[Flip]:
        """Distinct bits of all memories, check bits among them, each as likely as any other."""
        memories = self.build.plan.memories
        ends = np.cumsum([memory.bits for memory in memories])
        chosen = np.random.default_rng(draw).choice(int(ends[-1]), count, replace=False)
        flips = []
        for number in np.sort(chosen):
            which = int(np.searchsorted(ends, number, side="right"))
            word, bit = divmod(int(number - ends[which] + memories[which].bits), memories[which].word_bits)
            bank, place = divmod(word, memories[which].bank_words)
            flips.append(Flip(memories[which].paths[bank], place, bit))
        return flips

    def upset_points(self, memory: Literal["ram", "rom"], numbers: Sequence[float], in_samples: int) -> Iterator[Point]:
        """Points at `numbers` of flips, at random times of `in_samples` samples, on the mean.

        Args:
            memory: "ram", that of the states; "rom", those of weights and parameters.
        """
        plan = self.build.plan
        roms, rams = [one.bits for one in plan.memories], [one.state_memory_bits for one in plan.layers]
        bits = sum(roms if memory == "rom" else rams)
        program = build_upset_harness(self.folder, ROOT / "upsets" / self.folder.name / memory, memory)
        cycles = verify(self.folder, self.samples)["cycles_per_sample_mean"] * in_samples

        def run(count: float, draw: int) -> streams.Packets:
            with damaged(self.folder, upset_period=round(bits * cycles / count), seed=draw + 1) as copy:
                return simulate(program, copy, self.beats, len(self.samples))

        yield from self.points(numbers, run)

    def stream_points(self) -> Iterator[Point]:
        def run(share: float, draw: int) -> streams.Packets:
            return simulate(self.program, self.folder, flip_beats(self.beats, share, draw), len(self.samples))

        yield from self.points(BEATS, run)


def costs(samples: SpikeSet) -> list[dict[str, Any]]:
    """Area on 7 series and cycles per step of the demo's network with each protection."""
    rows = []
    for name, safety in tqdm(SAFETIES.items(), desc="cost"):
        folder = ROOT / "cost"
        build = make_build(load(CHECKPOINT), name="core", safety=safety)
        write(build, folder)
        report = verify(folder, samples)
        if not report["equal"]:
            raise AssertionError(f"{name}: {report['first_difference']}")
        result = synthesize(folder, "xc7", seeds=0)
        rows.append(
            {
                "safety": name,
                **{key: getattr(result, key) for key in ("lut", "ff", "bram", "dsp")},
                "memory_bits": sum(memory.bits for memory in build.plan.memories),
                "cycles_per_step": report["cycles_per_step_mean"],
                "latency_cycles": report["latency_cycles_mean"],
            }
        )
    return rows


def picture(curves: dict[str, list[Point]]) -> bytes:
    """A PNG: accuracy and unreported errors against the number of faults of each kind."""
    panels = (
        ("bits of memories flipped before a run", tuple(CODES)),
        ("bits of memories flipped in a run", tuple(f"{code}, running" for code in CODES)),
        ("bits flipped in neurons' states, per sample", ("states",)),
        ("share of input beats with a flipped bit", ("stream",)),
    )
    colours = {"parity": "#b8860b", "secded": "#1f5fbf"}
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(13, 3.6), dpi=150, layout="constrained")
        for axes, (label, names) in zip(figure.subplots(1, len(panels), sharey=True), panels, strict=True):
            for name in names:
                points = [point for point in curves[name] if point.faults]
                x = [point.faults for point in points]
                code = name.partition(",")[0]
                style = {"color": colours.get(code, "#c4412b"), "marker": "o", "ms": 3}
                title = f"{code}: " if len(names) > 1 else ""
                axes.plot(x, [100 * point.accuracy for point in points], **style, label=f"{title}accuracy")
                axes.plot(
                    x, [100 * point.silent for point in points], **style, ls=":", label=f"{title}wrong, not reported"
                )
            axes.set(xscale="log", xlabel=label, ylim=(-2, 102))
            axes.grid(alpha=0.25, lw=0.5)
            axes.legend(frameon=False, fontsize=7.5)
        figure.axes[0].set_ylabel("% of samples")
        return figures.to_bytes(figure)


def main() -> int:
    no_options(__doc__)
    if is_missing():
        return 2
    samples, begun = spikes.read(SPIKES), commit()
    benches = {code: Bench(samples, code) for code in CODES}
    series = {
        **{code: bench.memory_points() for code, bench in benches.items()},
        **{f"{code}, running": bench.upset_points("rom", FLIPS, len(samples)) for code, bench in benches.items()},
        "states": benches["none"].upset_points("ram", UPSETS, 1),
        "stream": benches["none"].stream_points(),
    }
    curves = {name: list(tqdm(points, desc=name)) for name, points in series.items()}
    cost = costs(samples)
    found = {
        "command": "python -m bench.faults",
        "commit": begun,
        "samples": len(samples),
        "draws": DRAWS,
        "curves": {name: [asdict(point) for point in points] for name, points in curves.items()},
        "cost": cost,
    }
    path = RESULTS / "faults.json"
    record.write(path, found)
    write_atomic(PICTURE, picture(curves))
    for name, points in curves.items():
        print(f"\n{name}", tabulate([asdict(point) for point in points], "keys"), sep="\n")
    print(f"\n{tabulate(cost, 'keys')}\n\n{PICTURE}, {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
