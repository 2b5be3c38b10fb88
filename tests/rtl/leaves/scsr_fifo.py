"""Order, no loss, no overflow, and full throughput once it holds something."""

from __future__ import annotations

from typing import Any

import cocotb
from stream import Sink, Source, run, start


async def _pass(dut: Any, stall_in: float, stall_out: float, cycles: int) -> tuple[Source, Sink]:
    items = [{"data": value * 37 % 256} for value in range(200)]
    source, sink = Source(dut, "s_", items, stall_in, 1), Sink(dut, "m_", ["data"], stall_out, 2)
    await start(dut)
    await run(dut, [source, sink], cycles)
    assert sink.taken == items
    return source, sink


@cocotb.test()
async def a_slow_reader_loses_nothing(dut: Any) -> None:
    _, sink = await _pass(dut, 0.0, 0.8, 2000)
    assert sink.refused > 100


@cocotb.test()
async def a_slow_writer_loses_nothing(dut: Any) -> None:
    await _pass(dut, 0.8, 0.0, 2000)


@cocotb.test()
async def one_word_passes_in_every_cycle(dut: Any) -> None:
    await _pass(dut, 0.0, 0.0, 203)


@cocotb.test()
async def a_stopped_reader_stops_the_writer(dut: Any) -> None:
    source = Source(dut, "s_", [{"data": value} for value in range(200)], 0.0, 1)
    sink = Sink(dut, "m_", ["data"], 1.0, 2)
    await start(dut)
    await run(dut, [source, sink], 100)
    assert 200 - len(source.left) == 8 + 1
