"""Equal to the golden model for every input of a small width."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from stream import start

from quant.arithmetic import decay, saturate

STATE, LEAK, X = 4, 3, 6
LATENCY = 3


@cocotb.test()
async def all_inputs(dut: Any) -> None:
    await start(dut)
    dut.en.value = 1
    inputs = list(product(range(-8, 8), range(8), range(-32, 32)))
    z, d, x = (np.array(column) for column in zip(*inputs, strict=True))
    expected = saturate(decay(z, d, LEAK) + x, STATE).tolist()
    assert len(set(expected)) == 16
    found = []
    for number in range(len(inputs) + LATENCY):
        if number < len(inputs):
            dut.z.value, dut.code.value, _ = inputs[number]
        if number > 0:  # one cycle after z and its code
            dut.x.value = inputs[min(number, len(inputs)) - 1][2]
        if number >= LATENCY:
            found.append(dut.y.value.to_signed())
        await FallingEdge(dut.clk)
    assert found == expected
