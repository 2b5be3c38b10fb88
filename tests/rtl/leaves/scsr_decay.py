"""Equal to the golden model for every state and leak of a small width, coded as a number or as a shift."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from stream import start

from quant.arithmetic import decay

STATE, LEAK = 5, 3


@cocotb.test()
async def all_inputs(dut: Any) -> None:
    await start(dut)
    dut.en.value = 1
    shift = dut.SHIFT.value.to_unsigned()
    leaks = {k: 2**LEAK - 2 ** (LEAK - k) for k in range(LEAK + 1)} if shift else {d: d for d in range(2**LEAK)}
    inputs = list(product(range(-16, 16), leaks))
    z = np.array([state for state, _ in inputs])
    d = np.array([leaks[code] for _, code in inputs])
    expected = decay(z, d, LEAK).tolist()
    assert len(set(expected)) > 20
    found = []
    for state, code in inputs:
        dut.z.value, dut.code.value = state, code
        await FallingEdge(dut.clk)
        found.append(dut.whole.value.to_signed() + int(dut.carry.value))
    assert found == expected
