"""Order, no loss, full throughput, and no path from m_ready to s_ready."""

from __future__ import annotations

from typing import Any

import cocotb
from cocotb.triggers import ReadOnly, Timer
from stream import Sink, Source, run, start


async def _pass(dut: Any, stall_in: float, stall_out: float, cycles: int) -> Sink:
    items = [{"data": value * 37 % 256} for value in range(200)]
    source, sink = Source(dut, "s_", items, stall_in, 1), Sink(dut, "m_", ["data"], stall_out, 2)
    await start(dut)
    await run(dut, [source, sink], cycles)
    assert sink.taken == items
    return sink


@cocotb.test()
async def stalls_on_both_sides(dut: Any) -> None:
    assert (await _pass(dut, 0.4, 0.6, 2000)).refused > 50


@cocotb.test()
async def one_word_passes_in_every_cycle(dut: Any) -> None:
    await _pass(dut, 0.0, 0.0, 200)


@cocotb.test()
async def ready_comes_from_a_register(dut: Any) -> None:
    await start(dut)
    dut.s_valid.value = 1
    for ready in (1, 0):
        dut.m_ready.value = ready
        await ReadOnly()
        assert int(dut.s_ready.value) == 1
        await Timer(1, "ns")
