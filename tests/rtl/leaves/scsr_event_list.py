"""Every group walks every event of its step once and in order, whatever the stalls; marks and tags are right."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from stream import Source, start

GROUPS, ROWS, ROW_W = 3, 5, 3


async def _walk(dut: Any, stall_in: float, stall_out: float, cycles: int) -> int:
    draw = random.Random(7)
    steps = [draw.sample(range(ROWS), draw.randrange(ROWS + 1)) for _ in range(60)]
    items = []
    for number, rows in enumerate(steps):
        items += [{"close": 0, "row": row, "tag": 0} for row in rows]
        items.append({"close": 1, "row": 0, "tag": number % 4})
    source = Source(dut, "s_", items, stall_in, 1)
    await start(dut)
    ports = dut.PORTS.value.to_unsigned()
    step, group, seen, used = 0, 0, [], 0
    dut.m_en.value = 1
    for cycle in range(cycles):
        source.drive()
        await ReadOnly()
        source.settle()
        enabled = int(dut.m_en.value)
        if enabled and int(dut.m_valid.value):
            for port in range(ports):
                if int(dut.m_event.value) >> port & 1:
                    seen.append(dut.m_row.value[port * ROW_W + ROW_W - 1 : port * ROW_W].to_unsigned())
            assert int(dut.m_step_last.value) == int(int(dut.m_group_last.value) and group == GROUPS - 1)
            if int(dut.m_group_last.value):
                assert seen == steps[step]
                assert int(dut.m_tag.value) == step % 4
                seen, group = [], group + 1
                if group == GROUPS:
                    step, group = step + 1, 0
                    used = cycle
        await FallingEdge(dut.clk)
        dut.m_en.value = int(draw.random() >= stall_out)
    assert step == len(steps)
    assert sum(map(len, steps)) > 60
    return used


@cocotb.test()
async def stalls_on_both_sides(dut: Any) -> None:
    await _walk(dut, 0.5, 0.5, 6000)


@cocotb.test()
async def a_slow_source_is_followed(dut: Any) -> None:
    await _walk(dut, 0.9, 0.0, 6000)


@cocotb.test()
async def no_cycle_is_lost_between_groups(dut: Any) -> None:
    draw = random.Random(7)
    steps = [draw.sample(range(ROWS), draw.randrange(ROWS + 1)) for _ in range(60)]
    ports = dut.PORTS.value.to_unsigned()
    walks = [max(-(-len(rows) // ports), 1) for rows in steps]
    # A list fills while the one before is walked, one event per cycle.
    cycles = sum(max(GROUPS * walk, len(rows) + 1) for walk, rows in zip(walks, steps, strict=True))
    assert await _walk(dut, 0.0, 0.0, 1000) <= cycles + len(steps) + 8
