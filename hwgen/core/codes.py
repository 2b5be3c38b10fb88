"""Check bits of protected memories; scsr_guard.v reads them.

A word is divided into blocks of `BLOCK_BITS`, the last one the rest; above its data stand the check bits, of all blocks
as many. Parity finds an odd number of flipped bits in a block. SECDED, an extended Hamming code (Hamming 1950,
"Error detecting and error correcting codes"), corrects one and finds two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BITS = 64
CODES = ("none", "parity", "secded")


@dataclass(frozen=True, slots=True)
class CheckBits:
    """How many check bits a word has: of each block, and in all."""

    checks: int
    bits: int


def check_bits(code: str, width: int) -> CheckBits:
    """Those of a word of `width` data bits."""
    checks = {"none": 0, "parity": 1, "secded": 1 + _position(min(width, BLOCK_BITS) - 1).bit_length()}[code]
    return CheckBits(checks, -(-width // BLOCK_BITS) * checks)


def guard_cycles(code: str) -> int:
    """Cycles that checking takes: the latency of scsr_guard.v."""
    return CODES.index(code)


def protect(word: int, code: str, width: int) -> int:
    """A word of `width` bits, with its check bits above."""
    count = check_bits(code, width).checks
    masks = [_covered(code, check) for check in range(count)]
    for block in range(-(-width // BLOCK_BITS) if count else 0):
        data = word >> (block * BLOCK_BITS) & ((1 << min(BLOCK_BITS, width - block * BLOCK_BITS)) - 1)
        bits = sum(((data & mask).bit_count() & 1) << check for check, mask in enumerate(masks))
        word |= bits << (width + block * count)
    return word


def _position(bit: int) -> int:
    """The place of a data bit in a Hamming code: 3, 5, 6, 7, 9, ..., all but the check bits' powers of two."""
    place = bit + 1
    power = 1
    while power <= place:
        place += 1
        power *= 2
    return place


def _column(code: str, bit: int) -> int:
    """The check bits that a data bit counts in: an odd number of them."""
    if code == "parity":
        return 1
    place = _position(bit)
    return place << 1 | (place.bit_count() & 1 ^ 1)


def _covered(code: str, check: int) -> int:
    """The data bits of a block that count in a check bit."""
    return sum((_column(code, bit) >> check & 1) << bit for bit in range(BLOCK_BITS))


def protected(words: Iterator[str], code: str, width: int) -> Iterator[str]:
    """Words of `width` bits in hexadecimal, with their check bits."""
    if code == "none":
        return words
    digits = -(-(width + check_bits(code, width).bits) // 4)
    return (f"{protect(int(word, 16), code, width):0{digits}x}" for word in words)
