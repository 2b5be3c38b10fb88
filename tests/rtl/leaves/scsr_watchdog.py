"""A sample is ended LIMIT cycles after its last beat, not before and not between samples; all else passes unchanged."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly
from stream import Sink, Source, run, start

LIMIT = int(cocotb.top.LIMIT.value)
SPIKE, TICK = {"data": 5, "last": 0}, {"data": 1 << 15, "last": 0}
END = {"data": 1 << 15 | 3, "last": 1}
FIELDS = ["data", "last", "user"]


def _passed(*beats: dict[str, int]) -> list[dict[str, int]]:
    return [{**beat, "user": 0} for beat in beats]


async def _pause(dut: Any, sink: Sink, cycles: int) -> int:
    """Cycles of a pause after which a beat was offered; the pause ends there."""
    for cycle in range(cycles):
        sink.drive()
        await ReadOnly()
        offered = int(dut.m_axis_tvalid.value)
        sink.settle()
        await FallingEdge(dut.clk)
        if offered:
            return cycle
    return cycles


async def _after(dut: Any, *beats: dict[str, int]) -> Sink:
    sink = Sink(dut, "m_axis_t", FIELDS, 0.0, 2)
    await start(dut)
    await run(dut, [Source(dut, "s_axis_t", list(beats), 0.0, 1), sink], len(beats))
    dut.s_axis_tvalid.value = 0
    return sink


@cocotb.test()
async def a_pause_in_mid_sample_ends_it(dut: Any) -> None:
    for beats in ([SPIKE], [TICK], [SPIKE, {**SPIKE, "last": 1}], [END, TICK, SPIKE]):
        sink = await _after(dut, *beats)
        assert await _pause(dut, sink, 10 * LIMIT) == LIMIT
        assert sink.taken == [*_passed(*beats), {"data": 1 << 15, "last": 1, "user": 1}]
        assert await _pause(dut, sink, 10 * LIMIT) == 10 * LIMIT


@cocotb.test()
async def between_samples_nothing_is_ended(dut: Any) -> None:
    for beats in ([], [END], [SPIKE, TICK, END]):
        sink = await _after(dut, *beats)
        assert await _pause(dut, sink, 10 * LIMIT) == 10 * LIMIT
        assert sink.taken == _passed(*beats)


@cocotb.test()
async def a_shorter_pause_changes_nothing(dut: Any) -> None:
    sink = await _after(dut, SPIKE)
    assert await _pause(dut, sink, LIMIT - 1) == LIMIT - 1
    await run(dut, [Source(dut, "s_axis_t", [TICK], 0.0, 1), sink], 1)
    dut.s_axis_tvalid.value = 0
    assert await _pause(dut, sink, 10 * LIMIT) == LIMIT
    assert [beat["user"] for beat in sink.taken] == [0, 0, 1]


@cocotb.test()
async def a_source_that_waits_for_the_core_is_let_be(dut: Any) -> None:
    sink = await _after(dut, SPIKE)
    dut.m_axis_tready.value = 0
    dut.s_axis_tvalid.value = 1
    dut.s_axis_tdata.value = TICK["data"]
    for _ in range(3 * LIMIT):
        await ReadOnly()
        assert not int(dut.m_axis_tuser.value)
        await FallingEdge(dut.clk)
    await run(dut, [Source(dut, "s_axis_t", [TICK, END], 0.0, 1), sink], 5)
    assert sink.taken == _passed(SPIKE, TICK, END)


@cocotb.test()
async def an_end_that_has_to_wait_stays_offered(dut: Any) -> None:
    sink = await _after(dut, SPIKE)
    dut.m_axis_tready.value = 0
    for _ in range(3 * LIMIT):
        await FallingEdge(dut.clk)
    items = [SPIKE, END]
    await run(dut, [Source(dut, "s_axis_t", items, 0.5, 1), sink], 60)
    assert sink.taken == [*_passed(SPIKE), {"data": 1 << 15, "last": 1, "user": 1}, *_passed(SPIKE, END)]
