"""Area of a plan, estimated without synthesis: what the planner compares foldings by.

LUTs and flip-flops are linear in terms that follow the Verilog (`terms`); their coefficients were fitted to syntheses
of random networks (`python -m bench.area --calibrate`) and lie in `area.csv`, by family of FPGAs. RAM blocks and
multipliers are counted.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from hwgen import engines
from hwgen.core.folding import Folding
from hwgen.core.footprint import SMALL_RAM_WORDS, SMALL_ROM_WORDS, Footprint, Storage, choice, in_registers, small_rams
from hwgen.core.plan import CorePlan, Node
from hwgen.core.planner import make_plan
from hwgen.fpga import targets
from hwgen.fpga.targets import Area, Target
from quant.errors import ScsrError
from quant.model import IntModel

COEFFICIENTS = Path(__file__).with_name("area.csv")

SCORE_BITS = 31


def estimate(plan: CorePlan, target: str) -> Area:
    """What the core of a plan will occupy on one of the targets that are `calibrated()`.

    Raises:
        ScsrError: at a target without coefficients.
    """
    total = input_area(plan, target)
    for layer in plan.layers:
        total += layer_area(layer, target, is_last=layer.index == plan.last.index)
    return replace(total, lut=round(total.lut), ff=round(total.ff))


def ram_blocks(plan: CorePlan, family: str) -> Area:
    """The RAM blocks of an estimate, for any family of FPGAs: they are counted."""
    found = [_input(plan), *(_of_layer(layer, layer.index == plan.last.index) for layer in plan.layers)]
    return sum((_blocks(family, memory) for part in found for memory in part.memories), Area())


def loadable(model: IntModel, lanes: Sequence[int], target: Target) -> tuple[list[int], list[int]]:
    """Layers whose weights fit the target's large RAM without contents at power-on, those with most memory first.

    Returns:
        Their numbers; and the lanes of all layers with which they do, as many as are given or fewer.
    """
    room, taken, loaded, lanes = target.capacity.spram, 0.0, list[int](), list(lanes)
    layers = make_plan(model, Folding(lanes)).layers if room else ()
    for layer in sorted(layers, key=lambda layer: sum(memory.bits for memory in layer.memories), reverse=True):
        for count in range(lanes[layer.index - 1], 0, -1):
            trial = [*lanes[: layer.index - 1], count, *lanes[layer.index :]]
            folding = Folding(trial, loaded=[*loaded, layer.index])
            needed = ram_blocks(make_plan(model, folding), target.family).spram
            if taken < needed <= room:
                taken, loaded, lanes = needed, [*loaded, layer.index], trial
                break
    return sorted(loaded), lanes


def input_area(plan: CorePlan, target: str) -> Area:
    """The part of the estimate that is the input's, and the core's at large, not rounded."""
    return _area(target, _input(plan))


def layer_area(layer: Node, target: str, *, is_last: bool) -> Area:
    """The part of the estimate that one layer adds, the last with its read-out, not rounded."""
    return _area(target, _of_layer(layer, is_last))


def _of_layer(layer: Node, is_last: bool) -> Footprint:
    own = engines.of(layer).footprint(layer)
    if not is_last:
        return own
    readout = _readout(layer)
    return Footprint(_added(own.terms, readout.terms), (*own.memories, *readout.memories), own.multiplied)


def _area(target: str, found: Footprint) -> Area:
    lut, ff = (
        sum(factor * found.terms.get(term, 0.0) for term, factor in coefficients(target)[resource].items())
        for resource in ("lut", "ff")
    )
    family = targets.find(target).family
    states, bits = found.multiplied
    multipliers = Area(dsp=states * math.ceil(bits / _MULTIPLIER_BITS[family]))
    return sum((_blocks(family, memory) for memory in found.memories), Area(lut, ff) + multipliers)


def coefficients(target: str) -> Mapping[str, Mapping[str, float]]:
    """By resource, what each term weighs.

    Raises:
        ScsrError: at a target without coefficients.
    """
    family = targets.find(target).family
    if family not in fitted():
        raise ScsrError(f"--target {target[:40]!r} has no area estimates; there are some for {', '.join(calibrated())}")
    return fitted()[family]


def calibrated() -> tuple[str, ...]:
    """The targets that have estimates."""
    return tuple(name for name, target in targets.TARGETS.items() if target.family in fitted())


@functools.cache
def fitted() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """The coefficients by family, resource and term."""
    with COEFFICIENTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for column in list(rows[0])[1:]:
        family, resource = column.split()
        found.setdefault(family, {})[resource] = {row["term"]: float(row[column]) for row in rows if row[column]}
    return found


def terms(plan: CorePlan) -> dict[str, float]:
    """What LUTs and flip-flops are linear in, of input and all layers together."""
    layers = (_of_layer(layer, layer.index == plan.last.index).terms for layer in plan.layers)
    return _added(_input(plan).terms, *layers)


def _added(*parts: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return total


def _input(plan: CorePlan) -> Footprint:
    rams = small_rams([(plan.inputs, plan.stamp_bits)])
    found = {"core": 1.0, "input": float(plan.input_index_bits + plan.stamp_bits), **rams}
    return Footprint(found, (Storage("ram", plan.inputs, plan.stamp_bits),))


def _readout(layer: Node) -> Footprint:
    word_bits = layer.units * SCORE_BITS
    found = {
        "scores": (layer.units - 1) * SCORE_BITS,  # those of one unit are in every core
        "score choice": SCORE_BITS * choice(layer.units),
        **small_rams([(layer.words, word_bits)]),
    }
    return Footprint(found, (Storage("ram", layer.words, word_bits),))


# Width of the states that one multiplier takes, on ECP5 and iCE40 with a bit in LUTs, on Gowin with three; leaks are
# narrower.
_MULTIPLIER_BITS: Mapping[str, int] = {"xc7": 25, "ecp5": 19, "ice40": 17, "gowin": 21}

# Shapes of block RAMs: share of the unit that `Target.bram_unit` names, words, and width with one and with two readers.
_EBR = ((1.0, 512, 36, 18), *((1.0, 1024 << step, width, width) for step, width in enumerate((18, 9, 4, 2, 1))))
_SHAPES: Mapping[str, tuple[tuple[float, int, int, int], ...]] = {
    "xc7": (
        (0.5, 512, 36, 18),
        *((0.5, depth, width, width) for depth, width in ((1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))),
        (1.0, 512, 72, 36),
        *((1.0, 1024 << step, width, width) for step, width in enumerate((36, 18, 9, 4, 2, 1))),
    ),
    "ecp5": _EBR,
    "gowin": _EBR,
    "ice40": tuple((1.0, 256 << step, width, width) for step, width in enumerate((16, 8, 4, 2))),
}
FREE_RAM_WORDS = {"xc7": 1024, "ecp5": 256}  # up to which Yosys takes LUTs for words of a bit or two
_PLAIN = ("ice40",)  # families without RAM in LUTs, whose blocks have one reader
_SPRAM_WORDS = 1 << 14  # of 16 bits, in one of iCE40's large single-port RAMs
_SPRAM_FROM = 7681  # words; for fewer, Yosys takes the up to 30 blocks that hold 16 bits of them


def _blocks(family: str, memory: Storage) -> Area:
    """The RAM blocks that a memory takes; none where it lies in LUTs or registers."""
    plain = family in _PLAIN
    free = 0 if plain else FREE_RAM_WORDS.get(family, SMALL_RAM_WORDS)
    few = {"ram": 0 if plain else SMALL_RAM_WORDS, "free_ram": free, "rom": SMALL_ROM_WORDS, "loaded_ram": 1}
    if memory.words <= few[memory.kind]:
        return Area()
    bram = min(
        share * math.ceil(memory.words / depth) * math.ceil(memory.bits / (double if memory.two_readers else single))
        for share, depth, single, double in _SHAPES[family]
    )
    if plain:
        if memory.kind == "loaded_ram" and memory.words >= _SPRAM_FROM:
            return Area(spram=math.ceil(memory.words / _SPRAM_WORDS) * math.ceil(memory.bits / 16))
        if memory.kind == "ram" and in_registers(memory.words, memory.bits):
            return Area()
    return Area(bram=bram * (1 + plain * memory.two_readers))
