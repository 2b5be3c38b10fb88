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
    reset = list(RESETS)[int(dut.RESET.value)]
    spiked = 0
    adaptive = int(dut.ADAPTIVE.value)
    for u, theta, h in product(range(-16, 16), range(1, 8), (-16, -3, 0, 5, 15) if adaptive else (0,)):
        dut.u.value, dut.theta.value, dut.h.value = u, theta, h
        await FallingEdge(dut.clk)
        spike = np.array([u >= theta + h])
        v = RESETS[reset].after(np.array([u]), spike, np.array([theta]))
        assert int(dut.spike.value) == int(spike[0]), (u, theta, h)
        assert dut.v.value.to_signed() == int(v[0]), (u, theta, h)
        spiked += int(spike[0])
    assert 0 < spiked < 32 * 7 * 5
