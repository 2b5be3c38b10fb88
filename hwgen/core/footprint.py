"""What engines say of their layers' area: terms that LUTs and flip-flops are linear in, memories, multipliers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

SMALL_RAM_WORDS = 32  # up to here a RAM is left to the tool (scsr_ram.v), which takes LUTs where they can be memory
SMALL_ROM_WORDS = 16  # and a ROM (scsr_rom.v)


@dataclass(frozen=True, slots=True)
class Storage:
    """A memory of the Verilog: its leaf module, words, width in bits, and whether two ports read it.

    A "free_ram" is one whose kind is left to the tool whatever its size (scsr_ram.v).
    """

    kind: Literal["ram", "free_ram", "rom", "loaded_ram"]
    words: int
    bits: int
    two_readers: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a part of a core takes.

    Attributes:
        terms: by name, what LUTs and flip-flops are linear in.
        memories: that may take block RAM.
        multiplied: how many states are multiplied at once, and their width in bits.
    """

    terms: Mapping[str, float]
    memories: tuple[Storage, ...]
    multiplied: tuple[int, int] = (0, 1)


def choice(inputs: int) -> float:
    """LUTs of six inputs that choose one of so many bits."""
    return 0.0 if inputs <= 1 else max(1.0, inputs / 4)


def small_rams(memories: Iterable[tuple[int, int]]) -> dict[str, float]:
    """RAMs in LUTs, of few words (pairs of words and bits); from 17 words on some families need twice as many. Where
    LUTs cannot be memory, their bits may be registers."""
    small = [(words, bits) for words, bits in memories if 1 < words <= SMALL_RAM_WORDS]
    return {
        "memory bits": float(sum(words * bits for words, bits in small if in_registers(words, bits))),
        "small memories": sum(4.0 * math.ceil(bits / 6) for _, bits in small),
        "memories of 17 words": sum(4.0 * math.ceil(bits / 6) for words, bits in small if words > SMALL_RAM_WORDS // 2),
    }


def in_registers(words: int, bits: int) -> bool:
    """Whether a RAM is rather built of registers than of blocks 16 bits wide, where there is no RAM in LUTs: for up to
    64 bits in a block, Yosys does so."""
    return words * bits <= 64 * math.ceil(bits / 16)


def small_rom(words: int, bits: int) -> float:
    return bits if 1 < words <= SMALL_ROM_WORDS else 0
