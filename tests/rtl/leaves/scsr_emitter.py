"""Every spike becomes one event, in order, and every step ends with one TICK, whatever the stalls."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from stream import Sink, Source, run, start

WORDS = 3


async def _emit(dut: Any, density: float, stall_in: float, stall_out: float, cycles: int) -> int:
    units = dut.UNITS.value.to_unsigned()
    draw = random.Random(3)
    items, expected = [], []
    for step in range(80):
        for word in range(WORDS):
            spikes = [unit for unit in range(units) if draw.random() < density]
            item = {"index": word * units, "last": int(word == WORDS - 1), "tag": step % 4}
            items.append({**item, "spikes": sum(1 << unit for unit in spikes)})
            expected += [(0, word * units + unit, step % 4) for unit in spikes]
        expected.append((1, None, step % 4))
    assert len(expected) > 90
    source = Source(dut, "r_", items, stall_in, 1)
    sink = Sink(dut, "m_", ["tick", "index", "tag"], stall_out, 2)
    await start(dut)
    await run(dut, [source, sink], cycles)
    found = [(item["tick"], None if item["tick"] else item["index"], item["tag"]) for item in sink.taken]
    assert found == expected
    return len(expected)


@cocotb.test()
async def stalls_on_both_sides(dut: Any) -> None:
    await _emit(dut, 0.5, 0.4, 0.4, 3000)


@cocotb.test()
async def dense(dut: Any) -> None:
    await _emit(dut, 1.0, 0.0, 0.0, 80 * (WORDS * dut.UNITS.value.to_unsigned() + 1) + 2)


@cocotb.test()
async def sparse(dut: Any) -> None:
    await _emit(dut, 0.1, 0.0, 0.2, 2000)
