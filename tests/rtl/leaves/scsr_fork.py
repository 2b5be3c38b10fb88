"""Every branch gets every beat once, each at its own pace."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from stream import start


@cocotb.test()
async def every_branch_gets_every_beat_once(dut: Any) -> None:
    draw = random.Random(4)
    await start(dut)
    sent, got, waited = 0, [0, 0, 0], 0
    valid = 0
    for _ in range(3000):
        valid = valid or int(draw.random() < 0.7)
        ready = draw.randrange(8)
        dut.s_valid.value, dut.m_ready.value = valid, ready
        await ReadOnly()
        taken = int(dut.m_valid.value) & ready
        for branch in range(3):
            if taken >> branch & 1:
                got[branch] += 1
                assert got[branch] == sent + 1, "a branch took a beat twice, or one that was not sent"
        if valid and int(dut.s_ready.value):
            sent += 1
            valid = 0
            assert got == [sent] * 3, "a beat left before every branch had it"
        waited += len(set(got)) > 1
        await FallingEdge(dut.clk)
    assert sent > 300
    assert waited > 300
