"""Area and speed of the reference networks; every figure is from a network that was verified and active.

Per case: simulation against the golden model, Yosys for 7 series (`synth_xilinx -family xc7 -noiopad -flatten`), and
where a clock is asked for Yosys and nextpnr, median of three seeds. Writes build/bench/hardware.json, prints a table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tabulate import tabulate
from tqdm import tqdm

from bench import record
from bench.cycles import incoming_events, simulated
from bench.networks import Case, Layer, folded_layers
from hwgen.core.folding import Folding
from hwgen.fpga.synth import Result, synthesize

ROOT = Path("build/bench/hardware")
SEEDS = 3
STEPS = 100  # that `Bounds.microseconds` is for
FEW_EVENTS = 16  # below that, weights are not what a step waits for


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a case must keep: at most so many LUTs, cycles per step, µs for 100 steps; at least so many MHz."""

    lut: float | None = None
    cycles: float | None = None
    microseconds: float | None = None
    mhz: float | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A network, its folding, the targets it is synthesized for, and its bounds."""

    case: Case
    targets: tuple[str, ...]
    bounds: Bounds
    loaded: tuple[int, ...] = ()

    @property
    def folding(self) -> Folding:
        return replace(self.case.folding, loaded=self.loaded)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of an entry.

    Attributes:
        efficiency: of the layer that waits for weights most: weight bits that its events need, by those that its memory
            can read in the time; None where it sees few events.
        kept: whether all bounds are.
    """

    name: str
    lanes: tuple[int, ...]
    ports: int
    cycles: float
    efficiency: float | None
    syntheses: tuple[Result, ...]
    microseconds: float | None
    bounds: Bounds
    kept: bool


def _network(inputs: int, hidden: int, classes: int, lanes: tuple[int, int]) -> tuple[Layer, Layer]:
    return Layer(hidden, (0,), lanes[0]), Layer(classes, (1,), lanes[1])


def _entry(
    name: str,
    sizes: tuple[int, int, int],
    lanes: tuple[int, int],
    weight_bits: int,
    density: float,
    bounds: Bounds,
    targets: tuple[str, ...] = ("xc7", "ecp5-85k"),
    units: tuple[int, int] | None = None,
    ports: int = 1,
    loaded: tuple[int, ...] = (),
) -> Entry:
    case = Case(name, sizes[0], _network(*sizes, lanes), density, weight_bits, units, ports)
    return Entry(case, targets, bounds, loaded)


ENTRIES = (
    _entry("40-100-20, 6 bit", (40, 100, 20), (8, 4), 6, 0.2, Bounds(lut=900, cycles=147, mhz=110)),
    _entry(
        "40-100-20, 6 bit, fast",
        (40, 100, 20),
        (34, 20),
        6,
        0.2,
        Bounds(lut=3000, cycles=40),
        ("xc7",),
        units=(9, 2),
        ports=2,
    ),
    _entry("784-128-10, 4 bit, one lane", (784, 128, 10), (1, 1), 4, 0.1, Bounds(lut=700, mhz=110)),
    _entry("784-128-10, 4 bit", (784, 128, 10), (32, 10), 4, 0.1, Bounds(lut=1600, mhz=110)),
    _entry("700-200-20, 6 bit", (700, 200, 20), (25, 4), 6, 0.02, Bounds(lut=1500, mhz=110)),
    _entry("700-200-20, 6 bit, 4 % density", (700, 200, 20), (25, 4), 6, 0.04, Bounds(), ("xc7",)),
    _entry(
        "700-200-20, 6 bit, fastest",
        (700, 200, 20),
        (100, 20),
        6,
        0.02,
        Bounds(microseconds=40),
        units=(13, 2),
        ports=2,
    ),
    _entry(
        "700-200-20, 6 bit, in SPRAM", (700, 200, 20), (10, 4), 6, 0.02, Bounds(mhz=30), ("ice40up5k",), loaded=(1,)
    ),
)


def measure(entry: Entry, folder: Path) -> Row:
    """Simulate and synthesize; raises what `bench.cycles.simulated` does."""
    plan, events, cycles = simulated(entry.case, entry.folding, 60, folder)
    busiest, needed = max(
        zip(folded_layers(plan), incoming_events(plan, events), strict=True),
        key=lambda pair: pair[1] * pair[0].neurons / (pair[0].lanes * pair[0].ports),
    )
    enough = needed >= FEW_EVENTS
    efficiency = needed * busiest.neurons / (cycles * busiest.lanes * busiest.ports)
    found = tuple(synthesize(folder, target, SEEDS) for target in entry.targets)
    clocks = [result.fmax_mhz for result in found if result.fmax_mhz is not None]
    microseconds = STEPS * cycles / clocks[0] if clocks else None
    return Row(
        entry.case.name,
        tuple(layer.lanes for layer in entry.case.layers),
        entry.case.ports,
        cycles,
        round(efficiency, 3) if enough else None,
        found,
        None if microseconds is None else round(microseconds, 1),
        entry.bounds,
        _kept(entry.bounds, found[0].lut, cycles, microseconds, clocks),
    )


def _kept(bounds: Bounds, lut: float, cycles: float, microseconds: float | None, clocks: Sequence[float]) -> bool:
    """Whether every bound is kept; a bound on a figure that was not measured is not."""
    pairs = [(lut, bounds.lut), (cycles, bounds.cycles), (microseconds, bounds.microseconds)]
    kept = all(limit is None or (found is not None and found <= limit) for found, limit in pairs)
    return kept and (bounds.mhz is None or bool(clocks and clocks[0] >= bounds.mhz))


def _table(rows: Sequence[Row]) -> str:
    """The table as Markdown."""
    header = ["network", "lanes", "events per cycle", "cycles per step", "weight memory used", "LUT", "FF", "BRAM"]
    header += ["DSP", "clock", "100 steps", "bound", "kept"]
    found = []
    for row in rows:
        first = row.syntheses[0]
        clock = next((f"{found.fmax_mhz:.0f} MHz" for found in row.syntheses if found.fmax_mhz), "")
        where = next((found.target for found in row.syntheses if found.fmax_mhz), "")
        cells = [
            row.name,
            ", ".join(map(str, row.lanes)),
            str(row.ports),
            f"{row.cycles:.1f}",
            "" if row.efficiency is None else f"{100 * row.efficiency:.0f} %",
            f"{first.lut:,}",
            f"{first.ff:,}",
            f"{first.bram:g}{f' + {first.spram} SPRAM' if first.spram else ''}",
            f"{first.dsp:g}",
            f"{clock} {where}".strip(),
            "" if row.microseconds is None else f"{row.microseconds:.1f} µs",
            _bounds_text(row.bounds),
            "yes" if row.kept else "no",
        ]
        found.append(cells)
    return str(tabulate(found, header, "github", disable_numparse=True))


def _bounds_text(bounds: Bounds) -> str:
    parts = (
        ("≤ {:,} LUT", bounds.lut),
        ("≤ {} cycles", bounds.cycles),
        ("≤ {} µs", bounds.microseconds),
        ("≥ {} MHz", bounds.mhz),
    )
    return ", ".join(text.format(limit) for text, limit in parts if limit is not None)


def main() -> int:
    rows = [measure(entry, ROOT / str(number)) for number, entry in enumerate(tqdm(ENTRIES, unit="network"))]
    record.write(ROOT.with_suffix(".json"), [asdict(row) for row in rows])
    print(_table(rows))
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
