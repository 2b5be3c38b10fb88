"""The two arithmetics that a network computes in: the integers of the hardware, and real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from quant.formats import signed_range, unsigned_range

Array = npt.NDArray[Any]
"""Integers in an `IntModel`, real numbers in a `RealModel`."""

WEIGHT_BITS = (1, 16)
LEAK_BITS = (1, 12)
STATE_BITS = (4, 24)


@dataclass(frozen=True, slots=True)
class Widths:
    """The widths of one layer's integers, in bits, and the ranges that follow from them."""

    weight_bits: int
    leak_bits: int
    state_bits: int

    @property
    def weight(self) -> tuple[int, int]:
        """Smallest and largest weight."""
        return weight_range(self.weight_bits)

    @property
    def leak(self) -> tuple[int, int]:
        """Smallest and largest leak code: a state keeps `code / 2**leak_bits` of itself per step."""
        return unsigned_range(self.leak_bits)

    @property
    def state(self) -> tuple[int, int]:
        """Smallest and largest state."""
        return signed_range(self.state_bits)


def weight_range(bits: int) -> tuple[int, int]:
    """Smallest and largest weight of `bits` bits; one bit means -1 or +1, never 0."""
    return (-1, 1) if bits == 1 else signed_range(bits)


def decay(state: Array, leak: Array, leak_bits: int) -> Array:
    """`state * leak / 2**leak_bits`, rounded toward zero."""
    decayed: Array = np.sign(state) * ((np.abs(state) * leak) >> leak_bits)
    return decayed


def saturate(value: Array, bits: int) -> Array:
    """`value` clamped to the range of a two's complement number of `bits` bits."""
    return np.clip(value, *signed_range(bits))


def naive_decay(state: int, leak: int, leak_bits: int) -> int:
    """`decay` of one number, for the naive steps that judge the others."""
    kept = abs(state) * leak >> leak_bits
    return kept if state >= 0 else -kept


def naive_saturate(value: int, bits: int) -> int:
    """`saturate` of one number."""
    limit = 1 << (bits - 1)
    return max(-limit, min(limit - 1, value))


@dataclass(frozen=True, slots=True)
class Integer:
    """The hardware's arithmetic, exact to the bit."""

    dtype: ClassVar[type[np.generic]] = np.int64

    widths: Widths

    def decay(self, state: Array, leak: Array) -> Array:
        """What a step leaves of a state."""
        return decay(state, leak, self.widths.leak_bits)

    def saturate(self, value: Array) -> Array:
        """What is stored for the sum `value`."""
        return saturate(value, self.widths.state_bits)


class Real:
    """Real numbers in float64: leaks are fractions, and nothing saturates."""

    dtype: ClassVar[type[np.generic]] = np.float64

    def decay(self, state: Array, leak: Array) -> Array:
        return state * leak

    def saturate(self, value: Array) -> Array:
        return value


Arithmetic = Integer | Real
