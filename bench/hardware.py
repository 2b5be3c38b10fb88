"""Area and speed of the reference networks; every figure is from a network that was verified and active.

Per case: simulation against the golden model, Yosys for 7 series (`synth_xilinx -family xc7 -noiopad -flatten`), and
where a clock is asked for Yosys and nextpnr, median of three seeds. Writes build/bench/hardware.json, prints a table.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tabulate import tabulate
from tqdm import tqdm

from bench import record
from bench.cycles import incoming_events, simulated
from bench.networks import Case, Layer
from bench.options import no_options
from hwgen.fpga.synth import synthesize

ROOT = Path("build/bench/hardware")
SEEDS = 3
STEPS = 100  # that the bound "microseconds" is for
FEW_EVENTS = 16  # below that, weights are not what a step waits for
BOUNDS = {"lut": "≤ {:,} LUT", "cycles": "≤ {} cycles", "microseconds": "≤ {} µs", "mhz": "≥ {} MHz"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A network with its folding, the targets it is synthesized for, and what it must keep: figures of `BOUNDS`."""

    case: Case
    bounds: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[str, ...] = ("xc7", "ecp5-85k")


def _case(name: str, sizes: str, lanes: tuple[int, int], density: float, bits: int = 6, **fast: Any) -> Case:
    inputs, hidden, classes = map(int, sizes.split("-"))
    layers = Layer(hidden, (0,), lanes[0]), Layer(classes, (1,), lanes[1])
    return Case(f"{sizes}, {bits} bit{name}", inputs, layers, density, bits, **fast)


ENTRIES = (
    Entry(_case("", "40-100-20", (8, 4), 0.2), {"lut": 900, "cycles": 147, "mhz": 110}),
    Entry(_case(", fast", "40-100-20", (34, 20), 0.2, units=(9, 2), ports=2), {"lut": 3000, "cycles": 40}, ("xc7",)),
    Entry(_case(", one lane", "784-128-10", (1, 1), 0.1, bits=4), {"lut": 700, "mhz": 110}),
    Entry(_case("", "784-128-10", (32, 10), 0.1, bits=4), {"lut": 1600, "mhz": 110}),
    Entry(_case("", "700-200-20", (25, 4), 0.02), {"lut": 1500, "mhz": 110}),
    Entry(_case(", 4 % density", "700-200-20", (25, 4), 0.04), targets=("xc7",)),
    Entry(_case(", fastest", "700-200-20", (100, 20), 0.02, units=(13, 2), ports=2), {"microseconds": 40}),
    Entry(_case(", in SPRAM", "700-200-20", (10, 4), 0.02, loaded=(1,)), {"mhz": 30}, ("ice40up5k",)),
)


def measure(entry: Entry, folder: Path) -> dict[str, Any]:
    """Simulate and synthesize; raises what `bench.cycles.simulated` does.

    Of the result, `efficiency` is that of the layer that waits for weights most: weight bits that its events need, by
    those that its memory can read in the time; None where it sees few events. `kept` says whether all bounds are; one
    on a figure that was not measured is not.
    """
    case = entry.case
    plan, events, cycles = simulated(case, case.folding, 60, folder)
    incoming = incoming_events(plan, events)
    reads, needed = max((count * layer.neurons / (layer.lanes * layer.ports), count) for layer, count in incoming)
    found = [synthesize(folder, target, SEEDS) for target in entry.targets]
    mhz = next((result.fmax_mhz for result in found if result.fmax_mhz), None)
    figures = {
        "lut": found[0].lut,
        "cycles": cycles,
        "microseconds": None if mhz is None else round(STEPS * cycles / mhz, 1),
        "mhz": mhz,
    }
    # More MHz are better, less of all others.
    kept = [
        (one := figures[name]) is not None and (one >= bound if name == "mhz" else one <= bound)
        for name, bound in entry.bounds.items()
    ]
    return {
        "name": case.name,
        "lanes": [layer.lanes for layer in case.layers],
        "ports": case.ports,
        **figures,
        "efficiency": round(reads / cycles, 3) if needed >= FEW_EVENTS else None,
        "syntheses": [asdict(result) for result in found],
        "bounds": dict(entry.bounds),
        "kept": all(kept),
    }


def _cells(row: Mapping[str, Any]) -> list[str]:
    """A row of the table."""
    first = row["syntheses"][0]
    where = next((found["target"] for found in row["syntheses"] if found["fmax_mhz"]), "")
    return [
        row["name"],
        ", ".join(map(str, row["lanes"])),
        str(row["ports"]),
        f"{row['cycles']:.1f}",
        "" if row["efficiency"] is None else f"{100 * row['efficiency']:.0f} %",
        f"{first['lut']:,}",
        f"{first['ff']:,}",
        f"{first['bram']:g}" + (f" + {first['spram']} SPRAM" if first["spram"] else ""),
        f"{first['dsp']:g}",
        f"{row['mhz']:.0f} MHz {where}" if where else "",
        f"{row['microseconds']:.1f} µs" if where else "",
        ", ".join(BOUNDS[name].format(bound) for name, bound in row["bounds"].items()),
        ("yes" if row["kept"] else "no") if row["bounds"] else "",
    ]


def main() -> int:
    no_options(__doc__)
    rows = [measure(entry, ROOT / str(number)) for number, entry in enumerate(tqdm(ENTRIES, unit="network"))]
    record.write(ROOT.with_suffix(".json"), rows)
    header = ["network", "lanes", "events per cycle", "cycles per step", "weight memory used", "LUT", "FF", "BRAM"]
    header += ["DSP", "clock", "100 steps", "bound", "kept"]
    print(tabulate(map(_cells, rows), header, "github", disable_numparse=True))
    return 0 if all(row["kept"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
