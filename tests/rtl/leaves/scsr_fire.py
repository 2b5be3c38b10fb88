"""Equal to the golden model for every input of a small width."""

from __future__ import annotations

from itertools import product
from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge
from stream import start

from quant.neurons import RESETS


@cocotb.test()
async def all_inputs(dut: Any) -> None:
    await start(dut)
    dut.en.value = 1
    reset = "subtract" if int(dut.RESET.value) else "zero"
    spiked = 0
    for u, theta in product(range(-16, 16), range(1, 8)):
        dut.u.value, dut.theta.value = u, theta
        await FallingEdge(dut.clk)
        spike = np.array([u >= theta])
        v = RESETS[reset].after(np.array([u]), spike, np.array([theta]))
        assert int(dut.spike.value) == int(spike[0]), (u, theta)
        assert dut.v.value.to_signed() == int(v[0]), (u, theta)
        spiked += int(spike[0])
    assert 0 < spiked < 32 * 7
