"""Good beats pass, bad ones are dropped and flagged, far beyond the range of the step stamps."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from stream import Sink, Source, run, start

CHANNELS = 5


def _stream(seed: int) -> tuple[list[dict[str, int]], list[dict[str, int]], int]:
    """Random beats, the events that must come out, and the flags that were raised at all."""
    draw = random.Random(seed)
    beats, events, raised = [], [], 0
    for _ in range(60):
        flags = 0
        steps = draw.randrange(1, 6)
        for step in range(steps):
            seen: set[int] = set()
            for _ in range(draw.randrange(8)):
                channel, last = draw.choice([0, 1, 2, 3, 4, 4, 5, 6, 32767]), int(draw.random() < 0.05)
                beats.append({"tdata": channel, "tlast": last})
                flags |= 4 * last | 1 * (channel >= CHANNELS) | 2 * (channel in seen)
                if channel < CHANNELS and channel not in seen:
                    seen.add(channel)
                    events.append({"tick": 0, "index": channel})
            last = int(step == steps - 1)
            beats.append({"tdata": 0x8000 | draw.randrange(0x8000), "tlast": last})
            events.append({"tick": 1, "tag": flags << 1 | last})
        raised |= flags
    return beats, events, raised


async def _pass(dut: Any, stall_in: float, stall_out: float, cycles: int) -> None:
    beats, events, raised = _stream(3)
    assert raised == 7
    source = Source(dut, "s_axis_t", beats, stall_in, 1)
    source.left = [{"data": beat["tdata"], "last": beat["tlast"]} for beat in beats]
    sink = Sink(dut, "m_", ["tick", "index", "tag"], stall_out, 2)
    await start(dut)
    await run(dut, [source, sink], cycles)
    assert len(sink.taken) == len(events)
    for found, expected in zip(sink.taken, events, strict=True):
        if expected["tick"] and not expected["tag"] & 1:
            assert found["tick"] == 1
            assert not found["tag"] & 1  # flags count only at the end of a sample
        else:
            assert found | expected == found


@cocotb.test()
async def full_rate(dut: Any) -> None:
    await _pass(dut, 0.0, 0.0, 1500)


@cocotb.test()
async def stalls(dut: Any) -> None:
    await _pass(dut, 0.3, 0.5, 6000)
