"""Area of a plan, estimated without synthesis: what the planner compares foldings by.

LUTs and flip-flops are linear in terms that follow the Verilog (`terms`); their coefficients were fitted to syntheses
of random networks (`python -m bench.area --calibrate`) and lie in `area.csv`, by family of FPGAs. Block RAMs and
multipliers are counted.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Mapping
from pathlib import Path

from hwgen import engines
from hwgen.core.footprint import SMALL_RAM_WORDS, Footprint, choice, in_block, small_rams
from hwgen.core.plan import CorePlan, Node
from hwgen.fpga import targets
from hwgen.fpga.targets import Area
from quant.errors import ScsrError

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
    return Area(round(total.lut), round(total.ff), total.bram, total.dsp)


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
    blocks = sum(_blocks(target, *memory) for memory in found.memories)
    states, bits = found.multiplied
    return Area(lut, ff, blocks, states * math.ceil(bits / _MULTIPLIER_BITS[targets.find(target).family]))


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
    return Footprint(found, ((in_block(plan.inputs, SMALL_RAM_WORDS), plan.stamp_bits, False),))


def _readout(layer: Node) -> Footprint:
    word_bits = layer.units * SCORE_BITS
    found = {
        "scores": (layer.units - 1) * SCORE_BITS,  # those of one unit are in every core
        "score choice": SCORE_BITS * choice(layer.units),
        **small_rams([(layer.words, word_bits)]),
    }
    return Footprint(found, ((in_block(layer.words, SMALL_RAM_WORDS), word_bits, False),))


# Width of the states that one multiplier takes, on ECP5 with a bit in LUTs; leaks are narrower.
_MULTIPLIER_BITS: Mapping[str, int] = {"xc7": 25, "ecp5": 19}

# Shapes of block RAMs: share of the unit that `Target.bram_unit` names, words, and width with one and with two readers.
_SHAPES: Mapping[str, tuple[tuple[float, int, int, int], ...]] = {
    "xc7": (
        (0.5, 512, 36, 18),
        *((0.5, depth, width, width) for depth, width in ((1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))),
        (1.0, 512, 72, 36),
        *((1.0, 1024 << step, width, width) for step, width in enumerate((36, 18, 9, 4, 2, 1))),
    ),
    "ecp5": ((1.0, 512, 36, 18), *((1.0, 1024 << step, width, width) for step, width in enumerate((18, 9, 4, 2, 1)))),
}


def _blocks(target: str, words: int, bits: int, two_readers: bool) -> float:
    return min(
        share * math.ceil(words / depth) * math.ceil(bits / (double if two_readers else single))
        for share, depth, single, double in _SHAPES[targets.find(target).family]
    )
