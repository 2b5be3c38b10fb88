"""Area of a plan, estimated without synthesis: what the planner compares foldings by.

LUTs and flip-flops are linear in terms that follow the Verilog (`terms`); their coefficients were fitted to syntheses
of random networks (`python -m bench.area --calibrate`) and lie in `area.json`, by family of FPGAs. Block RAMs and
multipliers are counted.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hwgen.core.plan import HardwarePlan, LayerPlan
from hwgen.fpga import targets
from hwgen.fpga.targets import Area
from quant.errors import ScsrError

COEFFICIENTS = Path(__file__).with_name("area.json")

SMALL_RAM_WORDS = 32  # up to here a RAM may lie in LUTs (scsr_ram.v)
SMALL_ROM_WORDS = 16  # and a ROM (scsr_rom.v)
SCORE_BITS = 31


def estimate(plan: HardwarePlan, target: str) -> Area:
    """What the core of a plan will occupy.

    Args:
        target: one of `calibrated()`.

    Raises:
        ScsrError: at a target without coefficients.
    """
    coefficients(target)  # refuses a target without
    stamps = _blocks(target, _in_block(plan.inputs, SMALL_RAM_WORDS), plan.stamp_bits, False)
    total = _linear(target, _input_terms(plan), stamps, 0)
    for layer in plan.layers:
        total += layer_area(layer, target, is_last=layer.index == plan.last.index)
    return Area(round(total.lut), round(total.ff), total.bram, total.dsp)


def layer_area(layer: LayerPlan, target: str, *, is_last: bool) -> Area:
    """The part of the estimate that one layer adds, the last with its read-out, not rounded."""
    memories = [*_layer_memories(layer)]
    if is_last:
        memories.append((_in_block(layer.words, SMALL_RAM_WORDS), layer.units * SCORE_BITS, False))
    blocks = sum(_blocks(target, *memory) for memory in memories)
    wide = math.ceil(layer.state_bits / _MULTIPLIER_BITS[targets.find(target).family])
    multipliers = 0 if layer.shift else layer.units * (1 + layer.synapse) * wide
    return _linear(target, _all_layer_terms(layer, is_last), blocks, multipliers)


def _linear(target: str, found: Mapping[str, float], blocks: float, multipliers: int) -> Area:
    lut, ff = (
        sum(factor * found.get(term, 0.0) for term, factor in coefficients(target)[resource].items())
        for resource in ("lut", "ff")
    )
    return Area(lut, ff, blocks, multipliers)


def coefficients(target: str) -> Mapping[str, Mapping[str, float]]:
    """By resource, what each term weighs.

    Raises:
        ScsrError: at a target without coefficients.
    """
    family = targets.find(target).family
    if family not in _fitted():
        raise ScsrError(f"--target {target[:40]!r} has no area estimates; there are some for {', '.join(calibrated())}")
    return _fitted()[family]


def calibrated() -> tuple[str, ...]:
    """The targets that have estimates."""
    return tuple(name for name, target in targets.TARGETS.items() if target.family in _fitted())


@functools.cache
def _fitted() -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    """The coefficients by family, resource and term."""
    known: dict[str, dict[str, dict[str, float]]] = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))
    return known


def terms(plan: HardwarePlan) -> dict[str, float]:
    """What LUTs and flip-flops are linear in, of input and all layers together."""
    layers = (_all_layer_terms(layer, layer.index == plan.last.index) for layer in plan.layers)
    return _added(_input_terms(plan), *layers)


def _added(*parts: Mapping[str, float]) -> dict[str, float]:
    total: dict[str, float] = {}
    for part in parts:
        for name, value in part.items():
            total[name] = total.get(name, 0.0) + value
    return total


def _input_terms(plan: HardwarePlan) -> dict[str, float]:
    rams = _small_rams([(plan.inputs, plan.stamp_bits)])
    return {"core": 1.0, "input": plan.input_index_bits + plan.stamp_bits, **rams}


def _all_layer_terms(layer: LayerPlan, is_last: bool) -> dict[str, float]:
    return _added(_layer_terms(layer), _readout_terms(layer)) if is_last else _layer_terms(layer)


def _readout_terms(layer: LayerPlan) -> dict[str, float]:
    return {
        "scores": (layer.units - 1) * SCORE_BITS,  # those of one unit are in every core
        "score choice": SCORE_BITS * _choice(layer.units),
        **_small_rams([(layer.words, layer.units * SCORE_BITS)]),
    }


def _layer_terms(layer: LayerPlan) -> dict[str, float]:
    state = layer.units * layer.state_bits
    rams = [(layer.words, layer.units * layer.state_word_bits)]
    rams += [(2 << layer.position_bits, layer.row_bits)] * layer.ports
    rams += [(link.fifo_words, link.fifo_word_bits) for link in layer.links if link.fifo_words]
    rom = _small_rom(layer.params.words, layer.params.word_bits)
    rom += layer.ports * _small_rom(layer.weights.bank_words, layer.weights.word_bits)
    return {
        "layers": 1,
        "links": len(layer.links),
        "skips": sum(link.fifo_word_bits for link in layer.links if link.fifo_words),
        "sums": layer.lanes * layer.sum_bits,
        "second sums": (layer.ports - 1) * layer.lanes * layer.sum_bits,
        "weights": layer.ports * layer.lanes * layer.weight_bits,
        "hold choice": layer.units * layer.sum_bits * _choice(layer.group_words),
        "bank choice": layer.ports * layer.lanes * layer.weight_bits * _choice(layer.weights.banks),
        "counters": layer.count_bits + layer.position_bits + layer.group_bits + layer.word_bits,
        "rows": layer.ports * (layer.row_bits + layer.weight_address_bits),
        "state": state,
        "shifts": state * layer.code_bits * (1 + layer.synapse) * layer.shift,
        "filters": state * layer.synapse,
        "subtractions": state * layer.subtract * layer.spiking,
        "currents": layer.units * layer.current_bits,
        "self-weights": layer.units * layer.self_bits,
        "thresholds": layer.units * layer.threshold_bits,
        "parameters": layer.units * layer.param_bits,
        "several units": layer.units * layer.index_bits * (layer.units > 1),
        **_small_rams(rams),
        "small tables": rom,
    }


def _choice(inputs: int) -> float:
    """LUTs of six inputs that choose one of so many bits."""
    return 0.0 if inputs <= 1 else max(1.0, inputs / 4)


def _small_rams(memories: Iterable[tuple[int, int]]) -> dict[str, float]:
    """RAMs in LUTs, of few words (pairs of words and bits); from 17 words on some families need twice as many."""
    small = [(words, bits) for words, bits in memories if 1 < words <= SMALL_RAM_WORDS]
    return {
        "small memories": sum(4.0 * math.ceil(bits / 6) for _, bits in small),
        "memories of 17 words": sum(4.0 * math.ceil(bits / 6) for words, bits in small if words > SMALL_RAM_WORDS // 2),
    }


def _small_rom(words: int, bits: int) -> float:
    return bits if 1 < words <= SMALL_ROM_WORDS else 0


def _layer_memories(layer: LayerPlan) -> Iterator[tuple[int, int, bool]]:
    """A layer's memories that may take block RAM: words, width, whether two ports read."""
    yield _in_block(layer.words, SMALL_RAM_WORDS), layer.units * layer.state_word_bits, False
    yield _in_block(layer.params.words, SMALL_ROM_WORDS), layer.params.word_bits, False
    for _ in range(layer.ports):
        yield _in_block(2 << layer.position_bits, SMALL_RAM_WORDS), layer.row_bits, False
    for link in layer.links:
        yield _in_block(link.fifo_words, SMALL_RAM_WORDS), link.fifo_word_bits, False
    for _ in range(layer.weights.banks):
        yield _in_block(layer.weights.bank_words, SMALL_ROM_WORDS), layer.weights.word_bits, layer.ports == 2


def _in_block(words: int, few: int) -> int:
    return words if words > few else 0


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
    "ecp5": (
        (1.0, 512, 36, 18),
        *((1.0, 1024 << step, width, width) for step, width in enumerate((18, 9, 4, 2, 1))),
    ),
}


def _blocks(target: str, words: int, bits: int, two_readers: bool) -> float:
    return min(
        share * math.ceil(words / depth) * math.ceil(bits / (double if two_readers else single))
        for share, depth, single, double in _SHAPES[targets.find(target).family]
    )
