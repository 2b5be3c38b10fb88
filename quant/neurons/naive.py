"""Rounding and bounds of single numbers in plain Python, for the naive steps."""

from __future__ import annotations


def decayed(z: int, d: int, bits: int) -> int:
    """`z * d / 2**bits`, rounded toward zero."""
    kept = abs(z) * d >> bits
    return kept if z >= 0 else -kept


def clamp(value: int, bits: int) -> int:
    """`value`, or the end of the range of `bits` signed bits that it lies beyond."""
    limit = 1 << (bits - 1)
    return max(-limit, min(limit - 1, value))
