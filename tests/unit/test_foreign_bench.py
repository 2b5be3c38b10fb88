"""What `bench.foreign` shows of recorded results."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("snntorch")

from bench.foreign import BITS, TUNED_BITS, table


def run(snntorch: float, shift: float, mismatches: int = 0) -> dict[str, Any]:
    calibrated = {str(bits): {"accuracy": snntorch - shift, "mismatches": mismatches, "differ": 0.05} for bits in BITS}
    tuned = {str(TUNED_BITS): {"accuracy": snntorch + shift, "mismatches": 0}}
    return {"snntorch": snntorch, "calibrated": calibrated, "tuned": tuned}


def test_the_table_compares_each_seed_with_its_own_network() -> None:
    lines = table([run(0.88, 0.01), run(0.86, 0.02, mismatches=3), run(0.87, 0.03)]).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2] == ["snnTorch, real numbers", "87.00 ± 1.00", "", "", ""]
    assert cells[3] == [f"{BITS[0]} bits, calibrated", "85.00 ± 1.73", "2.00", "5.0", "2 of 3"]
    assert cells[-1] == [f"{TUNED_BITS} bits, tuned", "89.00 ± 1.00", "-2.00", "", "3 of 3"]
