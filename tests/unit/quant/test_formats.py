"""Ranges, widths, and two's complement."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quant import formats

integers = st.integers(-(2**31), 2**31 - 1)


@given(integers, integers)
def test_signed_bits_is_the_narrowest_width(first: int, second: int) -> None:
    low, high = sorted((first, second))
    bits = formats.signed_bits(low, high)
    least, most = formats.signed_range(bits)
    assert least <= low
    assert high <= most
    if bits > 1:
        least, most = formats.signed_range(bits - 1)
        assert low < least or most < high


@given(st.integers(0, 2**31))
def test_unsigned_bits_is_the_narrowest_width(high: int) -> None:
    bits = formats.unsigned_bits(high)
    assert high <= formats.unsigned_range(bits)[1]
    assert bits == 1 or formats.unsigned_range(bits - 1)[1] < high


def test_index_bits_counts_from_zero() -> None:
    assert [formats.index_bits(count) for count in (1, 2, 3, 4, 5, 32768)] == [1, 1, 2, 2, 3, 15]


@given(st.data(), st.lists(st.integers(1, 24), min_size=1, max_size=6), st.integers(1, 5))
def test_hex_words_hold_every_field_in_its_place(data: st.DataObject, widths: list[int], rows: int) -> None:
    fields = [
        np.array(data.draw(st.lists(st.integers(*formats.signed_range(width)), min_size=rows, max_size=rows)))
        for width in widths
    ]
    words = list(formats.hex_words(fields, widths))
    assert len(words) == rows
    for row, word in enumerate(words):
        value, place = int(word, 16), 0
        assert len(word) == -(-sum(widths) // 4)
        for field, width in zip(fields, widths, strict=True):
            assert (value >> place) % (1 << width) == int(field[row]) % (1 << width)
            place += width
