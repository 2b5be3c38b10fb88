"""What engines say of their layers' area: terms that LUTs and flip-flops are linear in, memories, multipliers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

SMALL_RAM_WORDS = 32  # up to here a RAM may lie in LUTs (scsr_ram.v)
SMALL_ROM_WORDS = 16  # and a ROM (scsr_rom.v)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a part of a core takes.

    Attributes:
        terms: by name, what LUTs and flip-flops are linear in.
        memories: that may take block RAM: words, width, whether two ports read.
        multiplied: how many states are multiplied at once, and their width in bits.
    """

    terms: Mapping[str, float]
    memories: tuple[tuple[int, int, bool], ...]
    multiplied: tuple[int, int] = (0, 1)


def choice(inputs: int) -> float:
    """LUTs of six inputs that choose one of so many bits."""
    return 0.0 if inputs <= 1 else max(1.0, inputs / 4)


def small_rams(memories: Iterable[tuple[int, int]]) -> dict[str, float]:
    """RAMs in LUTs, of few words (pairs of words and bits); from 17 words on some families need twice as many."""
    small = [(words, bits) for words, bits in memories if 1 < words <= SMALL_RAM_WORDS]
    return {
        "small memories": sum(4.0 * math.ceil(bits / 6) for _, bits in small),
        "memories of 17 words": sum(4.0 * math.ceil(bits / 6) for words, bits in small if words > SMALL_RAM_WORDS // 2),
    }


def small_rom(words: int, bits: int) -> float:
    return bits if 1 < words <= SMALL_ROM_WORDS else 0


def in_block(words: int, few: int) -> int:
    """The words of a memory that lies in block RAM: none of one with `few` or fewer."""
    return words if words > few else 0
