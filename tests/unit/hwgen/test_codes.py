"""Check bits against the definition of the code; scsr_guard.v is held against them in tests/rtl/test_safety.py."""

from __future__ import annotations

import itertools

import pytest

from hwgen.core import codes


def _syndrome(word: int, code: str, width: int) -> int:
    """What differs between a word's check bits and those of its data, blocks in a row."""
    data = word & ((1 << width) - 1)
    return (word ^ codes.protect(data, code, width)) >> width


@pytest.mark.parametrize("width", [1, 5, 64, 65, 200])
def test_the_data_stay_and_unprotected_words_are_unchanged(width: int) -> None:
    word = (1 << width) - 1
    assert codes.protect(word, "none", width) == word
    for code in ("parity", "secded"):
        assert codes.protect(word, code, width) & word == word
        assert codes.protect(word, code, width).bit_length() <= width + codes.check_bits(code, width).bits


def test_the_check_bits_are_those_of_the_code() -> None:
    """A SECDED code for k bits needs the least r with 2^(r - 1) >= k + r; with 64 bits the well-known (72, 64)."""
    for width in range(1, codes.BLOCK_BITS + 1):
        least = next(r for r in itertools.count(2) if 2 ** (r - 1) >= width + r)
        assert codes.check_bits("secded", width) == codes.CheckBits(least, least)
    assert codes.check_bits("secded", 64).bits == 8
    assert codes.check_bits("secded", 65) == codes.CheckBits(8, 16)
    assert codes.check_bits("parity", 65) == codes.CheckBits(1, 2)
    assert codes.check_bits("none", 65) == codes.CheckBits(0, 0)


def test_parity_is_even() -> None:
    for word in range(1 << 6):
        assert codes.protect(word, "parity", 6).bit_count() % 2 == 0


@pytest.mark.parametrize("width", [4, 11, 64])
def test_any_two_flips_give_a_syndrome_and_no_single_ones(width: int) -> None:
    """One flip leaves an odd syndrome of its own, two an even one that is not zero: corrected, and found."""
    stored = codes.protect(0b1011 << (width - 4), "secded", width)
    total = width + codes.check_bits("secded", width).bits
    singles = [_syndrome(stored ^ 1 << bit, "secded", width) for bit in range(total)]
    assert len(set(singles)) == total
    assert all(syndrome.bit_count() % 2 for syndrome in singles)
    for one, other in itertools.combinations(range(total), 2):
        double = _syndrome(stored ^ 1 << one ^ 1 << other, "secded", width)
        assert double
        assert double.bit_count() % 2 == 0
