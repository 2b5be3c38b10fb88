"""Ranges, widths and two's complement: the only place in the project that knows how integers are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.signedinteger]


def signed_range(bits: int) -> tuple[int, int]:
    """Smallest and largest value of a two's complement number of `bits` bits."""
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def unsigned_range(bits: int) -> tuple[int, int]:
    """Smallest and largest value of an unsigned number of `bits` bits."""
    return 0, (1 << bits) - 1


def signed_bits(low: int, high: int) -> int:
    """Width in bits of the narrowest two's complement number that holds `low` and `high`."""
    return 1 + max((value if value >= 0 else ~value).bit_length() for value in (low, high))


def unsigned_bits(high: int) -> int:
    """Width in bits, at least 1, of the narrowest unsigned number that holds `0 .. high`."""
    return max(1, high.bit_length())


def index_bits(count: int) -> int:
    """Width in bits, at least 1, of an index into `count` things."""
    return unsigned_bits(count - 1)


def smallest_dtype(low: int, high: int) -> np.dtype[np.signedinteger]:
    """The narrowest of int8, int16, int32 that holds `low .. high`."""
    for dtype in (np.int8, np.int16, np.int32):
        info = np.iinfo(dtype)
        if info.min <= low and high <= info.max:
            return np.dtype(dtype)
    raise ValueError(f"{low} .. {high} does not fit in 32 bits")


def hex_words(fields: Sequence[IntArray], widths: Sequence[int]) -> Iterator[str]:
    """Lines for `$readmemh`: one word per row, two's complement, the first field in the lowest bits.

    Args:
        fields: integer arrays of shape `(rows,)`, each a field of the word.
        widths: the width of each field in bits.
    """
    digits = -(-sum(widths) // 4)
    for row in zip(*(field.tolist() for field in fields), strict=True):
        word = 0
        for value, width in zip(reversed(row), reversed(widths), strict=True):
            word = word << width | value % (1 << width)
        yield f"{word:0{digits}x}"
